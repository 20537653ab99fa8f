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
} ONCE_BLOCK(push);
ONCE(uint, push, num_positions)
ONCE(uint, push, vocab_size)
ONCE(uint, push, ignore)
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

/* What lies past the row's end has no part in the maximum, and its exponential is 0. */
vec4 xent_tail(vec4 x, uint g)
{
	return ROWS_KEEP > 0u || ROWS_AHEAD == 1u ? rows_tail(x, g, vocab_size, HLX_LOWEST) : hlx_tail(x, g, vocab_size, HLX_LOWEST);
}

float position_loss(uint target, float logit, float m, float sum)
{
	float loss = hlx_store((m - logit) + hlx_log(sum));
	loss = target < vocab_size ? loss : hlx_float(HLX_BITS_NAN);
	return target == ignore ? 0.0f : loss;
}

void main()
{
	vec4 lowest = vec4(hlx_float(0xff7fffffu)); /* -FLT_MAX */
	HLX_FOR_ROWS(row, num_positions) {
		uint live = row < num_positions ? vocab_size : 0u, r = min(row, num_positions - 1u);
		vec4 top = lowest, sum[4] = HLX_ZEROS, x[HLX_KEPT_SIZE(ROWS_CHUNK)];
		uint target = targets[r];
		HLX_FOR_CHUNKS(ROWS_KEEP, ROWS_CHUNK, vocab_size,
			HLX_EACH(g, ROWS_CHUNK, x[HLX_KEPT] = read_x(r, g, vocab_size);)
			HLX_EACH(g, ROWS_CHUNK,
				x[HLX_KEPT] = xent_tail(x[HLX_KEPT], g);
				top = hlx_max(x[HLX_KEPT], top);
			)
		)
		float logit = read_logit(r, min(target, vocab_size - 1u));
		float m = hlx_row_max(top);
		HLX_FOR_CHUNKS(ROWS_KEEP, ROWS_CHUNK, vocab_size,
			if (ROWS_KEEP == 0u) {
				HLX_EACH(g, ROWS_CHUNK, x[HLX_KEPT] = read_x(r, g, vocab_size);)
				HLX_EACH(g, ROWS_CHUNK, x[HLX_KEPT] = xent_tail(x[HLX_KEPT], g);)
			}
			HLX_EACH(g, ROWS_CHUNK, sum[HLX_AT] += hlx_exp_down(x[HLX_KEPT] - vec4(m));)
		)
		float s = hlx_row_tree(sum), inv = hlx_rcp(s);
#ifdef XENT_SOFTMAX
		HLX_FOR_GROUPS(g, vocab_size,
			vec4 e = hlx_exp_down(read_x(r, g, vocab_size) - vec4(m));
			write_y(r, g, vocab_size, live, hlx_store(hlx_mul(e, inv)));
		)
#endif
		if (hlx_row_lane() == 0u && live > 0u) {
			losses[r] = position_loss(target, logit, m, s);
#ifndef XENT_SOFTMAX
			stats[r] = vec2(m, inv);
#endif
		}
	} HLX_NEXT_ROWS(row, num_positions);
}
