#version 450
#extension GL_GOOGLE_include_directive : require
/* Public: output = gelu(input), n elements.  Any number of workgroups; ceil(n / 256) give each invocation one. */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "gelu_math.h"

layout(local_size_x = 256) in;
layout(push_constant) uniform Push {
	uint n;
};
layout(binding = 0) restrict readonly buffer Input { float x[]; };
layout(binding = 1) restrict writeonly buffer Output { float y[]; };

void main()
{
	for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
		y[i] = hlx_store(gelu_value(x[i]));
}
