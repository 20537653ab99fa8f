/*
 * layernorm_backward.glsl - the body of the kernels of layernorm's dx.
 *
 * input, grad_output, grad_input: (num_positions, d_model)   gamma: (d_model)   stats: (num_positions, 2) mean, rstd
 */
#include "hlx.glsl"
#define ROWS_KEEPS
#include "../rows.glsl"
#include "layernorm_stats.glsl"

layout(push_constant) uniform Push {
	uint num_positions, d_model;
	ROWS_ACCUMULATE /* add to what the gradient holds */
} ONCE_BLOCK(push);
ONCE(uint, push, num_positions)
ONCE(uint, push, d_model)
ROWS_IN(0, x)
ROWS_IN(1, dy)
ROWS_IN(2, gamma)
LAYERNORM_STATS(3)
ROWS_INOUT(4, 5, dx)
#ifdef ROWS_TEXEL
#define GAMMA(g) (ROWS_KEEP > 0u ? gammas[HLX_KEPT] : read_gamma(0u, g, d_model)) /* read before the first row */
#else
#define GAMMA(g) read_gamma(0u, g, d_model)
#endif

/* dy * gamma is plain: both are 0 or at least 2^-50, so what hlx_mul would drop is 0, of whatever sign. */
void main()
{
	float inv = hlx_div(1.0f, float(int(d_model)));
#ifdef ROWS_TEXEL
	vec4 gammas[HLX_KEPT_SIZE(ROWS_KEEP)];
	HLX_IF_KEPT(g, ROWS_KEEP, rows_span(d_model), gammas[HLX_KEPT] = read_gamma(0u, g, d_model);)
#endif
	HLX_FOR_ROWS(row, num_positions) {
		uint live = row < num_positions ? d_model : 0u, r = min(row, num_positions - 1u);
		vec2 stats = read_stats(r);
		float mean = stats.x, rstd = stats.y;
		vec4 s1[4] = HLX_ZEROS, s2[4] = HLX_ZEROS;
		vec4 hs[HLX_KEPT_SIZE(ROWS_KEEP)], xs[HLX_KEPT_SIZE(ROWS_KEEP)], old[HLX_KEPT_SIZE(ROWS_KEEP)];
		HLX_FOR_KEPT(g, ROWS_KEEP, rows_span(d_model),
			vec4 h = read_dy(r, g, d_model) * GAMMA(g);
			vec4 xhat = hlx_mul(read_x(r, g, d_model) - vec4(mean), rstd);
			s1[HLX_AT] += rows_tail(h, g, d_model);
			s2[HLX_AT] += rows_tail(hlx_mul(h, xhat), g, d_model);
			if (ROWS_KEEP > 0u) {
				hs[HLX_KEPT] = h;
				xs[HLX_KEPT] = xhat;
				if (accumulate != 0u)
					old[HLX_KEPT] = read_dx(r, g, d_model);
			}
		)
		float c1 = hlx_mul(hlx_row_tree(s1), inv), c2 = hlx_mul(hlx_row_tree(s2), inv);
		HLX_FOR_KEPT(g, ROWS_KEEP, rows_span(d_model),
			vec4 h = ROWS_KEEP > 0u ? hs[HLX_KEPT] : read_dy(r, g, d_model) * GAMMA(g);
			vec4 xhat = ROWS_KEEP > 0u ? xs[HLX_KEPT] : hlx_mul(read_x(r, g, d_model) - vec4(mean), rstd);
			vec4 v = (h - vec4(c1) - hlx_mul(xhat, c2)) * rstd; /* what hlx_mul drops, the store does */
			if (accumulate != 0u)
				v = hlx_accum(ROWS_KEEP > 0u ? old[HLX_KEPT] : read_dx(r, g, d_model), v);
			write_dx(r, g, d_model, live, hlx_store(v));
		)
	} HLX_NEXT_ROWS(row, num_positions);
}
