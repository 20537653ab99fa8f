#version 450
#extension GL_GOOGLE_include_directive : require
/* g += dy, both dense: n elements, shared out as in flat.h */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint n, turns;
};
layout(binding = 0) restrict readonly buffer DY4 { vec4 dy4[]; };
layout(binding = 0) restrict readonly buffer DY1 { float dy1[]; };
layout(binding = 1) restrict buffer G4 { vec4 g4[]; };
layout(binding = 1) restrict buffer G1 { float g1[]; };

void main()
{
	uint lane = gl_LocalInvocationID.x;
	uint base = gl_WorkGroupID.x * turns * gl_WorkGroupSize.x;
	for (uint t = 0u; t < turns; t++, base += gl_WorkGroupSize.x)
		if (base + lane < n / 4u)
			g4[base + lane] = hlx_accum(g4[base + lane], dy4[base + lane]);
	if (gl_GlobalInvocationID.x < n % 4u) {
		uint i = n / 4u * 4u + lane;
		g1[i] = hlx_accum(g1[i], dy1[i]);
	}
}
