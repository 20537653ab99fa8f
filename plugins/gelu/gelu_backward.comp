#version 450
#extension GL_GOOGLE_include_directive : require
/* Public: d_input = d_output * gelu'(input), n elements.  Any number of workgroups, as in gelu_forward. */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "gelu_math.h"

layout(local_size_x = 256) in;
layout(push_constant) uniform Push {
	uint n;
};
layout(binding = 0) restrict readonly buffer Input { float x[]; };
layout(binding = 1) restrict readonly buffer DOutput { float dy[]; };
layout(binding = 2) restrict writeonly buffer DInput { float dx[]; };

void main()
{
	for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
		dx[i] = hlx_store(gelu_slope(x[i], dy[i]));
}
