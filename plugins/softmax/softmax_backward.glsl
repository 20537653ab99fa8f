/*
 * softmax_backward.glsl - the body of softmax's backward kernels.
 *
 * output, grad_output, grad_input: (num_rows, cols)
 */
#include "hlx.glsl"
#define ROWS_KEEPS
#include "../rows.glsl"

layout(push_constant) uniform Push {
	uint num_rows, cols;
	uint seq_len, first_row, causal; /* as in softmax_forward */
	float scale;
	ROWS_ACCUMULATE /* add to what the gradient holds */
} ONCE_BLOCK(push);
ROWS_IN(0, y)
ROWS_IN(1, dy)
ROWS_INOUT(2, 3, dx)

#include "causal.glsl"

void main()
{
	SOFTMAX_BEGIN
	HLX_FOR_ROWS(row, num_rows) {
		uint live = row < num_rows ? cols : 0u, r = min(row, num_rows - 1u);
		uint n = softmax_seen(r), most = softmax_bounds(row).x;
		vec4 sum[4] = HLX_ZEROS, p[HLX_KEPT_SIZE(ROWS_KEEP)], dp[HLX_KEPT_SIZE(ROWS_KEEP)];
		HLX_FOR_KEPT(g, ROWS_KEEP, softmax_span(most),
			vec4 v = read_y(r, softmax_group(g, most), cols);
			vec4 dv = read_dy(r, softmax_group(g, most), cols);
			sum[HLX_AT] += hlx_tail(hlx_mul(dv, v), g, n);
			if (ROWS_KEEP > 0u) {
				p[HLX_KEPT] = v;
				dp[HLX_KEPT] = dv;
			}
		)
		vec4 c = vec4(hlx_row_tree(sum));
		HLX_FOR_KEPT(g, ROWS_KEEP, rows_span(cols),
			vec4 v = vec4(0.0f);
			if (hlx_turn * 64u < most) {
				if (ROWS_KEEP > 0u)
					v = hlx_mul(p[HLX_KEPT], dp[HLX_KEPT] - c);
				else
					v = hlx_mul(read_y(r, g, cols), read_dy(r, g, cols) - c);
				v = hlx_tail(hlx_mul(v, scale), g, n);
			}
			if (accumulate != 0u)
				v = hlx_accum(read_dx(r, g, cols), v);
			write_dx(r, g, cols, live, hlx_store(v));
		)
		SOFTMAX_NEXT
	} HLX_NEXT_ROWS(row, num_rows);
}
