#version 450
#extension GL_GOOGLE_include_directive : require
/* y = x where x > 0, else slope * x; n elements */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
	uint n;
	float slope;
};
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict writeonly buffer Y { float y[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	if (i < n)
		y[i] = hlx_store(x[i] > 0.0f ? x[i] : hlx_mul(x[i], slope));
}
