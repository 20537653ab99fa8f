/*
 * softmax_forward.glsl - the body of softmax's forward kernels.
 *
 * input, output: (num_rows, cols)
 */
#include "hlx.glsl"
#include "../rows.glsl"

layout(push_constant) uniform Push {
	uint num_rows, cols;
	uint seq_len, first_row; /* rows come in runs of seq_len queries; the first row is query first_row of its run */
	uint causal;             /* query i sees columns j <= i + cols - seq_len */
	float scale;
};
layout(binding = 0) readonly restrict buffer Input { float x[]; };
layout(binding = 0) readonly restrict buffer Input4 { vec4 x4[]; };
layout(binding = 1) writeonly restrict buffer Output { float y[]; };
layout(binding = 1) writeonly restrict buffer Output4 { vec4 y4[]; };

#include "causal.glsl"

ROWS_READER(read_x, x, x4)
ROWS_WRITER(write_y, y, y4)

void main()
{
	vec4 lowest = vec4(hlx_float(0xff7fffffu)); /* -FLT_MAX */
	HLX_FOR_ROWS(row, num_rows) {
		uint live = row < num_rows ? cols : 0u, r = min(row, num_rows - 1u);
		uint n = softmax_seen(r), most = softmax_most(row - hlx_row_index());
		vec4 top = lowest, sum[4] = HLX_ZEROS;
		HLX_FOR_GROUPS(g, most,
			vec4 v = hlx_mul(read_x(r, g, cols), scale);
			top = hlx_max(hlx_tail(v, g, n, lowest.x), top);
		)
		vec4 m = vec4(hlx_row_max(top));
		HLX_FOR_GROUPS(g, most,
			vec4 e = hlx_exp(hlx_mul(read_x(r, g, cols), scale) - m);
			sum[HLX_AT] += hlx_tail(e, g, n);
		)
		float inv = hlx_rcp(hlx_row_tree(sum));
		HLX_FOR_GROUPS(g, most,
			vec4 e = hlx_exp(hlx_mul(read_x(r, g, cols), scale) - m);
			write_y(r, g, cols, live, hlx_tail(hlx_store(hlx_mul(e, inv)), g, n));
		)
		for (uint g = (most + 63u) / 64u * 16u + hlx_row_lane(); 4u * g < cols; g += HLX_G)
			write_y(r, g, cols, live, vec4(0.0f));
	}
}
