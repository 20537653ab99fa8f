/*
 * xent_backward.glsl - the body of the kernels of d_logits = softmax - one_hot, of the summed loss.
 *
 * logits, d_logits: (num_positions, vocab_size)   targets: (num_positions)
 * stats: (num_positions, 2) max, 1 / sum of exp(x - max)
 * With XENT_SOFTMAX there are no stats, and logits is the softmax.
 *
 * A workgroup takes AHEAD rows at a time, whose loads are under way together; its lanes, and gl_WorkGroupID.y, the groups of 4
 * columns.  d_logits of ignored positions is 0.
 */
#define HLX_OWN_LAYOUT
#define ROWS_VEC_ID 0
#include "hlx.glsl"
#include "../rows.glsl"

layout(local_size_x = 64) in;
#ifdef HLX_PUBLIC
const uint AHEAD = 4u;
#else
layout(constant_id = 1) const uint AHEAD = 4u;
#endif
layout(push_constant) uniform Push {
	uint num_positions, vocab_size, ignore;
	uint accumulate; /* add to what d_logits holds */
} ONCE_BLOCK(push);
ONCE(uint, push, num_positions)
ONCE(uint, push, vocab_size)
ONCE(uint, push, ignore)
ONCE(uint, push, accumulate)
#ifdef XENT_SOFTMAX
#define D_LOGITS 2
#else
#define D_LOGITS 3
layout(binding = 2) readonly restrict buffer Stats { vec2 stats[]; };
#endif
ROWS_IN(0, x)
layout(binding = 1) readonly restrict buffer Targets { uint targets[]; };
ROWS_INOUT(D_LOGITS, 4, dx)

/* Of the value v of a row whose maximum is m and 1 / sum of exponentials inv.  No hlx_mul: what it drops, the store does. */
vec4 probability(vec4 v, vec2 stats)
{
#ifdef XENT_SOFTMAX
	return v;
#else
	return hlx_exp_down(v - vec4(stats.x)) * stats.y;
#endif
}

void main()
{
	for (uint row = gl_WorkGroupID.x * AHEAD; row < num_positions; row += gl_NumWorkGroups.x * AHEAD) {
		uint target[AHEAD], last = num_positions - 1u, g = gl_WorkGroupID.y * 64u + gl_LocalInvocationID.x;
		vec2 stat[AHEAD];
		[[unroll]] for (uint i = 0u; i < AHEAD; i++) {
			target[i] = targets[min(row + i, last)];
#ifdef XENT_SOFTMAX
			stat[i] = vec2(0.0f);
#else
			stat[i] = stats[min(row + i, last)];
#endif
		}
		do { /* hlx.glsl says why it tests at the end */
			vec4 x[AHEAD];
			[[unroll]] for (uint i = 0u; i < AHEAD; i++)
				x[i] = read_x(min(row + i, last), g, vocab_size);
			[[unroll]] for (uint i = 0u; i < AHEAD; i++) {
				bvec4 hit = equal(uvec4(4u * g) + uvec4(0u, 1u, 2u, 3u), uvec4(target[i]));
				vec4 v = probability(x[i], stat[i]) - mix(vec4(0.0f), vec4(1.0f), hit);
				v = target[i] == ignore ? vec4(0.0f) : v;
				if (accumulate != 0u)
					v = hlx_accum(read_dx(min(row + i, last), g, vocab_size), v);
				write_dx(row + i, g, vocab_size, row + i <= last ? vocab_size : 0u, hlx_store(v));
			}
			g += 64u * gl_NumWorkGroups.y;
		} while (4u * g < vocab_size);
	}
}
