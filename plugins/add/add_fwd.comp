#version 450
#extension GL_GOOGLE_include_directive : require
/* y = store(a + b), all dense: n elements, shared out as in flat.h */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint n, turns;
};
layout(binding = 0) restrict readonly buffer A4 { vec4 a4[]; };
layout(binding = 0) restrict readonly buffer A1 { float a1[]; };
layout(binding = 1) restrict readonly buffer B4 { vec4 b4[]; };
layout(binding = 1) restrict readonly buffer B1 { float b1[]; };
layout(binding = 2) restrict writeonly buffer Y4 { vec4 y4[]; };
layout(binding = 2) restrict writeonly buffer Y1 { float y1[]; };

void main()
{
	uint lane = gl_LocalInvocationID.x;
	uint base = gl_WorkGroupID.x * turns * gl_WorkGroupSize.x;
	for (uint t = 0u; t < turns; t++, base += gl_WorkGroupSize.x)
		if (base + lane < n / 4u)
			y4[base + lane] = hlx_store(a4[base + lane] + b4[base + lane]);
	if (gl_GlobalInvocationID.x < n % 4u) {
		uint i = n / 4u * 4u + lane;
		y1[i] = hlx_store(a1[i] + b1[i]);
	}
}
