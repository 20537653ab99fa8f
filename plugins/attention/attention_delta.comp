#version 450
#extension GL_GOOGLE_include_directive : require
/*
 * attention_delta.comp - delta = sum over d of o do, a row an invocation.
 */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "attention.glsl"

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
			vec4 t = o4[(at + d) >> 2] * g4[(at + d) >> 2];
			acc = acc + t.x;
			acc = acc + t.y;
			acc = acc + t.z;
			acc = acc + t.w;
		}
	} else {
		for (uint d = 0u; d < p.dh; d++)
			acc = acc + g[at + d] * o[at + d];
	}
	delta[attention_stats() + row] = acc;
}
