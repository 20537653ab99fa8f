#version 450
#extension GL_GOOGLE_include_directive : require
/* dx = or += dy * gelu'(x), all dense: n elements, shared out as in flat.h */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "gelu_math.h"

layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint n, turns, accum;
};
layout(binding = 0) restrict readonly buffer X4 { vec4 x4[]; };
layout(binding = 0) restrict readonly buffer X1 { float x1[]; };
layout(binding = 1) restrict readonly buffer DY4 { vec4 dy4[]; };
layout(binding = 1) restrict readonly buffer DY1 { float dy1[]; };
layout(binding = 2) restrict buffer DX4 { vec4 dx4[]; };
layout(binding = 2) restrict buffer DX1 { float dx1[]; };

void main()
{
	uint lane = gl_LocalInvocationID.x;
	uint base = gl_WorkGroupID.x * turns * gl_WorkGroupSize.x;
	for (uint t = 0u; t < turns; t++, base += gl_WorkGroupSize.x)
		if (base + lane < n / 4u) {
			uint i = base + lane;
			vec4 x = x4[i], dy = dy4[i];
			vec4 r = vec4(gelu_slope(x.x, dy.x), gelu_slope(x.y, dy.y), gelu_slope(x.z, dy.z),
					gelu_slope(x.w, dy.w));
			if (accum != 0u)
				dx4[i] = hlx_accum(dx4[i], r);
			else
				dx4[i] = hlx_store(r);
		}
	if (gl_GlobalInvocationID.x < n % 4u) {
		uint i = n / 4u * 4u + lane;
		float r = gelu_slope(x1[i], dy1[i]);
		dx1[i] = accum != 0u ? hlx_accum(dx1[i], r) : hlx_store(r);
	}
}
