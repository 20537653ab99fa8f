#version 450
#extension GL_GOOGLE_include_directive : require
/* dx = dy where x > 0, else slope * dy; added to what is there where accum is set; n elements */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
	uint n;
	float slope;
	uint accum;
};
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict readonly buffer DY { float dy[]; };
layout(binding = 2) restrict buffer DX { float dx[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	if (i >= n)
		return;
	float r = x[i] > 0.0f ? dy[i] : hlx_mul(dy[i], slope);
	dx[i] = accum != 0u ? hlx_accum(dx[i], r) : hlx_store(r);
}
