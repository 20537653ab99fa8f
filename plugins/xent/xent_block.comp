/*
 * xent_block.comp - a block of 32 positions of a sequence: their losses, and of these the block's term of the loss.
 *
 * logits: (sequences, positions, vocab_size)   targets: (sequences, positions)
 * stats: (rows, 2) max, 1 / sum of exp(x - max)   terms: (sequences, blocks of 32 positions, 2): loss, count
 *
 * A workgroup is a block:
 *
 *     by rows      16 lanes a row, which they keep, leave its maximum and its sum of exponentials in shared memory
 *     by positions what is one number a row, the logarithm above all, is made for all rows at once, a lane each
 *     the term     a lane adds the losses up, in order
 *
 * On an H200, 512 lanes, 16,384 rows of 256: 10.9 us, of which the sum over blocks takes 2.5 alone; xent_forward and its sum, of every
 * position, take 13.8 and 5.1.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "hlx.glsl"
#define ROWS_KEEPS
#include "../rows.glsl"

layout(push_constant) uniform Push {
	uint positions, vocab_size, ignore;
};
ROWS_IN(0, x)
layout(binding = 1) readonly restrict buffer Targets { uint targets[]; };
layout(binding = 2) writeonly restrict buffer Stats { vec2 stats[]; };
layout(binding = 3) writeonly restrict buffer Terms { vec2 terms[]; };

const uint TURNS = HLX_KEPT_SIZE(ROWS_KEEP);
const uint TIMES = 32u / HLX_ROWS; /* rows that a lane has a part of */

vec4 x[TIMES * TURNS];
shared vec2 of_row[32]; /* max, sum; then loss, count */

void read_row(uint r, uint at)
{
	[[unroll]] for (uint t = 0u; t < TURNS; t++)
		x[at + t] = read_x(r, 16u * t + hlx_row_lane(), vocab_size);
}

/* The i-th row of the block. */
void reduce_row(uint i, uint at)
{
	vec4 top = vec4(hlx_float(0xff7fffffu)), sum[4] = HLX_ZEROS; /* -FLT_MAX */
	[[unroll]] for (uint t = 0u; t < TURNS; t++) {
		x[at + t] = rows_tail(x[at + t], 16u * t + hlx_row_lane(), vocab_size, HLX_LOWEST);
		top = hlx_max(x[at + t], top);
	}
	float m = hlx_row_max(top);
	[[unroll]] for (uint t = 0u; t < TURNS; t++)
		sum[0] += hlx_exp_down(x[at + t] - vec4(m));
	float s = hlx_row_tree(sum);
	if (hlx_row_lane() == 0u)
		of_row[i] = vec2(m, s);
}

float position_loss(uint target, float logit, vec2 row)
{
	float loss = hlx_store((row.x - logit) + hlx_log(row.y));
	loss = target < vocab_size ? loss : hlx_float(HLX_BITS_NAN);
	return target == ignore ? 0.0f : loss;
}

/* All that is read is asked for first: rows, then targets, whose logits wait for them. */
void main()
{
	uint blocks = (positions + 31u) / 32u, block = gl_WorkGroupID.x, start = block % blocks * 32u;
	uint first = block / blocks * positions + start, n = min(positions - start, 32u);
	uint lane = hlx_lane_index(), r = first + min(lane, n - 1u), target = 0u;
	float logit = 0.0f;
	[[unroll]] for (uint i = 0u; i < TIMES; i++)
		read_row(first + min(i * HLX_ROWS + hlx_row_index(), n - 1u), i * TURNS);
	if (lane < 32u) {
		target = targets[r];
		uint column = min(target, vocab_size - 1u);
		logit = read_x(r, column / 4u, vocab_size)[column % 4u];
	}
	[[unroll]] for (uint i = 0u; i < TIMES; i++)
		reduce_row(i * HLX_ROWS + hlx_row_index(), i * TURNS);
	barrier();
	if (lane < 32u) {
		vec2 row = of_row[lane], term = vec2(position_loss(target, logit, row), target != ignore ? 1.0f : 0.0f);
		if (lane < n)
			stats[r] = vec2(row.x, hlx_rcp(row.y));
		of_row[lane] = lane < n ? term : vec2(0.0f); /* +0 changes no chain from +0 */
	}
	barrier();
	if (lane == 0u) {
		vec2 sum = vec2(0.0f);
		[[unroll]] for (uint i = 0u; i < 32u; i++)
			sum += of_row[i];
		terms[block] = sum;
	}
}
