#version 450
#extension GL_GOOGLE_include_directive : require
/* y = a b, or y += a b where accum is set; n elements */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 8) in;
layout(push_constant) uniform Push {
	uint n, accum;
};
layout(binding = 0) restrict readonly buffer A { float a[]; };
layout(binding = 1) restrict readonly buffer B { float b[]; };
layout(binding = 2) restrict buffer Y { float y[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	if (i >= n)
		return;
	float r = hlx_mul(a[i], b[i]);
	y[i] = accum != 0u ? hlx_accum(y[i], r) : hlx_store(r);
}
