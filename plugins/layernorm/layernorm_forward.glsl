/*
 * layernorm_forward.glsl - the body of layernorm's forward kernels.
 *
 * input, output: (num_positions, d_model)   gamma, beta: (d_model)   stats: (num_positions, 2) mean, rstd
 */
#include "hlx.glsl"
#define ROWS_KEEPS
#include "../rows.glsl"

layout(push_constant) uniform Push {
	uint num_positions, d_model;
	float eps;
} ONCE_BLOCK(push);
ONCE(uint, push, num_positions)
ONCE(uint, push, d_model)
ONCE(float, push, eps)
ROWS_IN(0, x)
ROWS_OUT(1, y)
ROWS_IN(2, gamma)
ROWS_IN(3, beta)
layout(binding = 4) writeonly restrict buffer Stats { vec2 stats[]; };
#ifdef ROWS_TEXEL
#define OF_COLUMNS(kept, name, g) (ROWS_KEEP > 0u ? kept[HLX_KEPT] : read_##name(0u, g, d_model)) /* read before the first row */
#else
#define OF_COLUMNS(kept, name, g) read_##name(0u, g, d_model)
#endif

/* Where a product is plain, not hlx_mul, what that drops makes no difference: x * x is 0 or at least 2^-100, as x is 0 or at
 * least 2^-50; xhat * gamma below 2^-100 is added to a beta that is 0 (the store drops the sum) or at least 2^-50 (the sum is
 * beta). */
void main()
{
	float inv = hlx_div(1.0f, float(int(d_model)));
#ifdef ROWS_TEXEL
	vec4 gammas[HLX_KEPT_SIZE(ROWS_KEEP)], betas[HLX_KEPT_SIZE(ROWS_KEEP)];
	HLX_IF_KEPT(g, ROWS_KEEP, rows_span(d_model),
		gammas[HLX_KEPT] = read_gamma(0u, g, d_model);
		betas[HLX_KEPT] = read_beta(0u, g, d_model);
	)
#endif
	HLX_FOR_ROWS(row, num_positions) {
		uint live = row < num_positions ? d_model : 0u, r = min(row, num_positions - 1u);
		vec4 sum[4] = HLX_ZEROS, squares[4] = HLX_ZEROS, kept[HLX_KEPT_SIZE(ROWS_KEEP)];
		HLX_IF_KEPT(g, ROWS_KEEP, rows_span(d_model), kept[HLX_KEPT] = read_x(r, g, d_model);)
		HLX_FOR_KEPT(g, ROWS_KEEP, rows_span(d_model),
			vec4 v = rows_tail(ROWS_KEEP > 0u ? kept[HLX_KEPT] : read_x(r, g, d_model), g, d_model);
			sum[HLX_AT] += v;
			squares[HLX_AT] += v * v;
		)
		float mean = hlx_mul(hlx_row_tree(sum), inv);
		float var = hlx_mul(hlx_row_tree(squares), inv) - hlx_mul(mean, mean);
		float rstd = hlx_rsqrt((var < 0.0f ? 0.0f : var) + eps);
		HLX_FOR_KEPT(g, ROWS_KEEP, rows_span(d_model),
			vec4 v = ROWS_KEEP > 0u ? kept[HLX_KEPT] : read_x(r, g, d_model);
			vec4 xhat = hlx_mul(v - vec4(mean), rstd);
			v = xhat * OF_COLUMNS(gammas, gamma, g) + OF_COLUMNS(betas, beta, g);
			write_y(r, g, d_model, live, hlx_store(v));
		)
		if (hlx_row_lane() == 0u && live > 0u)
			stats[r] = vec2(mean, rstd);
	} HLX_NEXT_ROWS(row, num_positions);
}
