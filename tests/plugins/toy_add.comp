#version 450
#extension GL_GOOGLE_include_directive : require
/* y = a + b[i % wrap]; n elements */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 8) in;
layout(push_constant) uniform Push {
	uint n, wrap;
};
layout(binding = 0) restrict readonly buffer A { float a[]; };
layout(binding = 1) restrict readonly buffer B { float b[]; };
layout(binding = 2) restrict writeonly buffer Y { float y[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	if (i < n)
		y[i] = hlx_store(a[i] + b[i % wrap]);
}
