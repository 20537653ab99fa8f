#version 450
#extension GL_GOOGLE_include_directive : require
/* dx = or += dy * gelu'(x), whatever their strides */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "gelu_math.h"
#include "../strided.glsl"

layout(local_size_x_id = 0) in;
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict readonly buffer DY { float dy[]; };
layout(binding = 2) restrict buffer DX { float dx[]; };

void main()
{
	for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x) {
		uint at = strided_at(i, 2u);
		float r = gelu_slope(x[strided_at(i, 0u)], dy[strided_at(i, 1u)]);
		dx[at] = accum != 0u ? hlx_accum(dx[at], r) : hlx_store(r);
	}
}
