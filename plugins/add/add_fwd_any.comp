#version 450
#extension GL_GOOGLE_include_directive : require
/* y = store(a + b), whatever their strides */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "../strided.glsl"

layout(local_size_x_id = 0) in;
layout(binding = 0) restrict readonly buffer A { float a[]; };
layout(binding = 1) restrict readonly buffer B { float b[]; };
layout(binding = 2) restrict writeonly buffer Y { float y[]; };

void main()
{
	for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x)
		y[strided_at(i, 2u)] = hlx_store(a[strided_at(i, 0u)] + b[strided_at(i, 1u)]);
}
