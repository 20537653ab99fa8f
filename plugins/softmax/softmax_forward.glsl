/*
 * softmax_forward.glsl - the body of softmax's forward kernels.
 *
 * input, output: (num_rows, cols)
 */
#include "hlx.glsl"
#define ROWS_KEEPS
#include "../rows.glsl"

layout(push_constant) uniform Push {
	uint num_rows, cols;
	uint seq_len, first_row; /* rows come in runs of seq_len queries; the first row is query first_row of its run */
	uint causal;             /* query i sees columns j <= i + cols - seq_len */
	float scale;
} ONCE_BLOCK(push);
ROWS_IN(0, x)
ROWS_OUT(1, y)

#include "causal.glsl"

#define LOWEST hlx_float(0xff7fffffu) /* -FLT_MAX */

/* Group g of x', -infinity from column n on; least: what rows of this subgroup see in whole.  No hlx_mul: x and scale are 0
 * or at least 2^-50, so the product is 0, of whatever sign, or at least 2^-100. */
vec4 softmax_scaled(vec4 x, uint g, uint n, uint turn, uint least)
{
	vec4 v = x * scale;
	if (64u * turn + 64u > least)
		v = hlx_tail(v, g, n, HLX_LOWEST);
	return v;
}

void main()
{
	SOFTMAX_BEGIN
	HLX_FOR_ROWS(row, num_rows) {
		uint live = row < num_rows ? cols : 0u, r = min(row, num_rows - 1u), n = softmax_seen(r);
		uvec2 bounds = softmax_bounds(row);
		uint most = bounds.x, least = bounds.y;
		vec4 top = vec4(LOWEST), sum[4] = HLX_ZEROS, e[HLX_KEPT_SIZE(ROWS_KEEP)];
		HLX_IF_KEPT(g, ROWS_KEEP, rows_span(cols), e[HLX_KEPT] = read_x(r, softmax_group(g, most), cols);)
		HLX_FOR_KEPT(g, ROWS_KEEP, most,
			vec4 v = ROWS_KEEP > 0u ? e[HLX_KEPT] : read_x(r, g, cols);
			v = softmax_scaled(v, g, n, hlx_turn, least);
			top = hlx_max(v, top);
			if (ROWS_KEEP > 0u)
				e[HLX_KEPT] = v;
		)
		vec4 m = vec4(hlx_row_max(top));
		HLX_FOR_KEPT(g, ROWS_KEEP, most,
			vec4 v = ROWS_KEEP > 0u ? e[HLX_KEPT] : softmax_scaled(read_x(r, g, cols), g, n, hlx_turn, least);
			v = hlx_exp_down(v - m); /* 0 where it is -infinity */
			sum[HLX_AT] += v;
			if (ROWS_KEEP > 0u)
				e[HLX_KEPT] = v;
		)
		float inv = hlx_rcp(hlx_row_tree(sum));
		HLX_FOR_KEPT(g, ROWS_KEEP, rows_span(cols),
			vec4 v = vec4(0.0f);
			if (hlx_turn * 64u < most) {
				if (ROWS_KEEP > 0u)
					v = e[HLX_KEPT];
				else
					v = hlx_exp_down(softmax_scaled(read_x(r, g, cols), g, n, hlx_turn, least) - m);
				v = hlx_store(v * inv); /* drops what hlx_mul would, too */
			}
			write_y(r, g, cols, live, v);
		)
		SOFTMAX_NEXT
	} HLX_NEXT_ROWS(row, num_rows);
}
