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
ROWS_IN(0, x)
ROWS_OUT(1, y)

#include "causal.glsl"

#ifdef HLX_PUBLIC
#define KEEP 0u
#else
layout(constant_id = 2) const uint KEEP = 0u; /* turns of a row that are all of it; 0: a row is read three times */
#endif

#define LOWEST hlx_float(0xff7fffffu) /* -FLT_MAX */

/* Everything is read once, and each exponential computed once. */
void row_in_registers(uint r, uint live, uint n, uint most)
{
	vec4 top = vec4(LOWEST), sum[4] = HLX_ZEROS, e[(KEEP > 0u ? KEEP : 1u) * HLX_J];
	HLX_FOR_KEPT(g, KEEP, most,
		vec4 v = hlx_tail(hlx_mul(read_x(r, g, cols), scale), g, n, LOWEST);
		e[HLX_KEPT] = v;
		top = hlx_max(v, top);
	)
	vec4 m = vec4(hlx_row_max(top));
	HLX_FOR_KEPT(g, KEEP, most,
		vec4 v = hlx_tail(hlx_exp_down(e[HLX_KEPT] - m), g, n);
		e[HLX_KEPT] = v;
		sum[HLX_AT] += v;
	)
	float inv = hlx_rcp(hlx_row_tree(sum));
	HLX_FOR_KEPT(g, KEEP, cols,
		vec4 v = hlx_store(hlx_mul(e[HLX_KEPT], inv));
		write_y(r, g, cols, live, hlx_turn * 64u < most ? v : vec4(0.0f));
	)
}

void row_in_memory(uint r, uint live, uint n, uint most)
{
	vec4 top = vec4(LOWEST), sum[4] = HLX_ZEROS;
	HLX_FOR_GROUPS(g, most,
		vec4 v = hlx_mul(read_x(r, g, cols), scale);
		top = hlx_max(hlx_tail(v, g, n, LOWEST), top);
	)
	vec4 m = vec4(hlx_row_max(top));
	HLX_FOR_GROUPS(g, most,
		vec4 e = hlx_exp_down(hlx_mul(read_x(r, g, cols), scale) - m);
		sum[HLX_AT] += hlx_tail(e, g, n);
	)
	float inv = hlx_rcp(hlx_row_tree(sum));
	HLX_FOR_GROUPS(g, most,
		vec4 e = hlx_exp_down(hlx_mul(read_x(r, g, cols), scale) - m);
		write_y(r, g, cols, live, hlx_tail(hlx_store(hlx_mul(e, inv)), g, n));
	)
	for (uint g = (most + 63u) / 64u * 16u + hlx_row_lane(); 4u * g < cols; g += HLX_G)
		write_y(r, g, cols, live, vec4(0.0f));
}

void main()
{
	HLX_FOR_ROWS(row, num_rows) {
		uint live = row < num_rows ? cols : 0u, r = min(row, num_rows - 1u);
		uint n = softmax_seen(r), most = softmax_most(row - hlx_row_index());
		if (KEEP > 0u)
			row_in_registers(r, live, n, most);
		else
			row_in_memory(r, live, n, most);
	} HLX_NEXT_ROWS(row, num_rows);
}
