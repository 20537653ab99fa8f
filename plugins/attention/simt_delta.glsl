/*
 * simt_delta.glsl - delta = sum over d of o do, a row an invocation.
 *
 * FMA: the same chain as dP's, so that the dS of a query that sees but one key, whose o is v, is 0.
 */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "attention.glsl"

#ifdef FMA
#define MULTIPLY_ADD(x, y, acc) fma(x, y, acc)
#else
#define MULTIPLY_ADD(x, y, acc) (acc + x * y)
#endif

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool VEC = false;
layout(binding = 0) readonly buffer Output { float o[]; };
layout(binding = 0) readonly buffer Output4 { vec4 o4[]; };
layout(binding = 1) readonly buffer GradOutput { float g[]; };
layout(binding = 1) readonly buffer GradOutput4 { vec4 g4[]; };
layout(binding = 2) writeonly buffer Delta { float delta[]; };

void main()
{
	uint row = attention_block() * gl_WorkGroupSize.x + gl_LocalInvocationIndex, at = attention_head(ATTENTION_O) + row * p.row[ATTENTION_O];
	float acc = 0.0;

	if (row >= p.tq)
		return;
	if (VEC) {
		for (uint d = 0u; d < p.dh; d += 4u) {
			vec4 x = o4[(at + d) >> 2], y = g4[(at + d) >> 2];
			acc = MULTIPLY_ADD(x.x, y.x, acc);
			acc = MULTIPLY_ADD(x.y, y.y, acc);
			acc = MULTIPLY_ADD(x.z, y.z, acc);
			acc = MULTIPLY_ADD(x.w, y.w, acc);
		}
	} else {
		for (uint d = 0u; d < p.dh; d++)
			acc = MULTIPLY_ADD(o[at + d], g[at + d], acc);
	}
	delta[attention_stats() + row] = acc;
}
