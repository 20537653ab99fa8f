#version 450
#extension GL_GOOGLE_include_directive : require
/* y = x, through a texel buffer; n elements, the last texel short */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 8) in;
layout(push_constant) uniform Push {
	uint n;
};
layout(binding = 0) uniform samplerBuffer x;
layout(binding = 1) restrict writeonly buffer Y { float y[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	if (i < n)
		y[i] = hlx_store(texelFetch(x, int(i / 4u))[i % 4u]);
}
