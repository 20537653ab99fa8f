#version 450
#extension GL_GOOGLE_include_directive : require
/* y = gelu(x), both dense: n elements, shared out as in flat.h */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "gelu_math.h"

layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint n, turns;
};
layout(binding = 0) restrict readonly buffer X4 { vec4 x4[]; };
layout(binding = 0) restrict readonly buffer X1 { float x1[]; };
layout(binding = 1) restrict writeonly buffer Y4 { vec4 y4[]; };
layout(binding = 1) restrict writeonly buffer Y1 { float y1[]; };

void main()
{
	uint lane = gl_LocalInvocationID.x;
	uint base = gl_WorkGroupID.x * turns * gl_WorkGroupSize.x;
	for (uint t = 0u; t < turns; t++, base += gl_WorkGroupSize.x)
		if (base + lane < n / 4u) {
			vec4 x = x4[base + lane];
			y4[base + lane] = hlx_store(vec4(gelu_value(x.x), gelu_value(x.y), gelu_value(x.z), gelu_value(x.w)));
		}
	if (gl_GlobalInvocationID.x < n % 4u) {
		uint i = n / 4u * 4u + lane;
		y1[i] = hlx_store(gelu_value(x1[i]));
	}
}
