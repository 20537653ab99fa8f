/*
 * xent_forward.glsl - the body of the kernels that give each position's loss.
 *
 * logits: (num_positions, vocab_size)   targets, losses: (num_positions)
 * stats: (num_positions, 2) max, 1 / sum of exp(x - max); or, with XENT_SOFTMAX, softmax: (num_positions, vocab_size)
 *
 * A position whose target is `ignore` has loss 0; one whose target is no column has loss NaN.
 */
#include "hlx.glsl"
#define ROWS_KEEPS
#include "../rows.glsl"

layout(push_constant) uniform Push {
	uint num_positions, vocab_size, ignore;
};
ROWS_IN(0, x)
layout(binding = 1) readonly restrict buffer Targets { uint targets[]; };
layout(binding = 2) writeonly restrict buffer Losses { float losses[]; };
#ifdef XENT_SOFTMAX
ROWS_OUT(3, y)
#else
layout(binding = 3) writeonly restrict buffer Stats { vec2 stats[]; };
#endif

float read_logit(uint row, uint column)
{
	return read_x(row, column / 4u, vocab_size)[column % 4u];
}

float position_loss(uint row, float m, float sum)
{
	uint target = targets[row];
	float loss = hlx_store((m - read_logit(row, min(target, vocab_size - 1u))) + hlx_log(sum));
	loss = target < vocab_size ? loss : hlx_float(HLX_BITS_NAN);
	return target == ignore ? 0.0f : loss;
}

void main()
{
	vec4 lowest = vec4(hlx_float(0xff7fffffu)); /* -FLT_MAX */
	HLX_FOR_ROWS(row, num_positions) {
		uint live = row < num_positions ? vocab_size : 0u, r = min(row, num_positions - 1u);
		vec4 top = lowest, sum[4] = HLX_ZEROS, kept[HLX_KEPT_SIZE(ROWS_KEEP)];
		HLX_FOR_KEPT(g, ROWS_KEEP, rows_span(vocab_size),
			vec4 v = hlx_tail(read_x(r, g, vocab_size), g, vocab_size, lowest.x);
			top = hlx_max(v, top);
			if (ROWS_KEEP > 0u)
				kept[HLX_KEPT] = v;
		)
		float m = hlx_row_max(top);
		HLX_FOR_KEPT(g, ROWS_KEEP, rows_span(vocab_size),
			vec4 v = ROWS_KEEP > 0u ? kept[HLX_KEPT] : read_x(r, g, vocab_size);
			sum[HLX_AT] += rows_tail(hlx_exp_down(v - vec4(m)), g, vocab_size);
		)
		float s = hlx_row_tree(sum), inv = hlx_rcp(s);
#ifdef XENT_SOFTMAX
		HLX_FOR_GROUPS(g, vocab_size,
			vec4 e = hlx_exp_down(read_x(r, g, vocab_size) - vec4(m));
			write_y(r, g, vocab_size, live, hlx_store(hlx_mul(e, inv)));
		)
#endif
		if (hlx_row_lane() == 0u && live > 0u) {
			losses[r] = position_loss(r, m, s);
#ifndef XENT_SOFTMAX
			stats[r] = vec2(m, inv);
#endif
		}
	} HLX_NEXT_ROWS(row, num_positions);
}
