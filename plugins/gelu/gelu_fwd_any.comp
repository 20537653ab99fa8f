#version 450
#extension GL_GOOGLE_include_directive : require
/* y = gelu(x), whatever their strides */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "gelu_math.h"
#include "../strided.glsl"

layout(local_size_x_id = 0) in;
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict writeonly buffer Y { float y[]; };

void main()
{
	for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
		y[strided_at(i, 1u)] = hlx_store(gelu_value(x[strided_at(i, 0u)]));
}
