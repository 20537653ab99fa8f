#version 450
#extension GL_GOOGLE_include_directive : require
/* y = k x, or y += k x where accum is set; x, y: rows of cols elements, x_pitch and y_pitch apart */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 8) in;
layout(push_constant) uniform Push {
	uint n, cols, x_first, x_pitch, y_first, y_pitch;
	float k;
	uint accum;
};
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict buffer Y { float y[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	if (i >= n)
		return;
	uint at = y_first + i / cols * y_pitch + i % cols;
	float r = hlx_mul(x[x_first + i / cols * x_pitch + i % cols], k);
	y[at] = accum != 0u ? hlx_accum(y[at], r) : hlx_store(r);
}
