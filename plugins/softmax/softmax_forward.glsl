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
};
ROWS_IN(0, x)
ROWS_OUT(1, y)

#include "causal.glsl"

#define LOWEST hlx_float(0xff7fffffu) /* -FLT_MAX */

void main()
{
	HLX_FOR_ROWS(row, num_rows) {
		uint live = row < num_rows ? cols : 0u, r = min(row, num_rows - 1u);
		uint n = softmax_seen(r), most = softmax_most(row - hlx_row_index());
		vec4 top = vec4(LOWEST), sum[4] = HLX_ZEROS, e[HLX_KEPT_SIZE(ROWS_KEEP)];
		HLX_FOR_KEPT(g, ROWS_KEEP, softmax_span(most),
			vec4 v = hlx_tail(hlx_mul(read_x(r, softmax_group(g, most), cols), scale), g, n, LOWEST);
			top = hlx_max(v, top);
			if (ROWS_KEEP > 0u)
				e[HLX_KEPT] = v;
		)
		vec4 m = vec4(hlx_row_max(top));
		HLX_FOR_KEPT(g, ROWS_KEEP, most,
			vec4 v = ROWS_KEEP > 0u ? e[HLX_KEPT] : hlx_mul(read_x(r, g, cols), scale);
			v = hlx_tail(hlx_exp_down(v - m), g, n);
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
					v = hlx_tail(hlx_exp_down(hlx_mul(read_x(r, g, cols), scale) - m), g, n);
			}
			write_y(r, g, cols, live, hlx_store(hlx_mul(v, inv)));
		)
	} HLX_NEXT_ROWS(row, num_rows);
}
