/*
 * xent_backward.glsl - the body of the kernels of d_logits = softmax - one_hot, of the summed loss.
 *
 * logits, d_logits: (num_positions, vocab_size)   targets: (num_positions)
 * stats: (num_positions, 2) max, 1 / sum of exp(x - max)
 * With XENT_SOFTMAX there are no stats, and logits is the softmax.
 *
 * A workgroup takes rows, a lane every 64th group of 4 columns.  d_logits of ignored positions is 0.
 */
#define HLX_OWN_LAYOUT
#define ROWS_VEC_ID 0
#include "hlx.glsl"
#include "../rows.glsl"

layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
	uint num_positions, vocab_size, ignore;
	uint accumulate; /* add to what d_logits holds */
};
#ifdef XENT_SOFTMAX
#define D_LOGITS 2
#else
#define D_LOGITS 3
layout(binding = 2) readonly restrict buffer Stats { vec2 stats[]; };
#endif
ROWS_IN(0, x)
layout(binding = 1) readonly restrict buffer Targets { uint targets[]; };
ROWS_INOUT(D_LOGITS, 4, dx)

vec4 probability(uint row, uint g)
{
	vec4 v = read_x(row, g, vocab_size);
#ifdef XENT_SOFTMAX
	return v;
#else
	return hlx_mul(hlx_exp_down(v - vec4(stats[row].x)), stats[row].y);
#endif
}

void main()
{
	for (uint row = gl_WorkGroupID.x; row < num_positions; row += gl_NumWorkGroups.x) {
		uint target = targets[row];
		uint g = gl_LocalInvocationID.x;
		do { /* hlx.glsl says why it tests at the end */
			bvec4 hit = equal(uvec4(4u * g) + uvec4(0u, 1u, 2u, 3u), uvec4(target));
			vec4 v = probability(row, g) - mix(vec4(0.0f), vec4(1.0f), hit);
			v = target == ignore ? vec4(0.0f) : v;
			if (accumulate != 0u)
				v = hlx_accum(read_dx(row, g, vocab_size), v);
			write_dx(row, g, vocab_size, vocab_size, hlx_store(v));
			g += 64u;
		} while (4u * g < vocab_size);
	}
}
