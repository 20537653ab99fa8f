#version 450
#extension GL_GOOGLE_include_directive : require
/* g = or += dy, whatever their strides */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "../strided.glsl"

layout(local_size_x_id = 0) in;
layout(binding = 0) restrict readonly buffer DY { float dy[]; };
layout(binding = 1) restrict buffer G { float g[]; };

void main()
{
	for (uint i = gl_GlobalInvocationID.x; i < n; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x) {
		uint to = strided_at(i, 1u);
		float r = dy[strided_at(i, 0u)];
		g[to] = accum != 0u ? hlx_accum(g[to], r) : r;
	}
}
