#version 450
#extension GL_GOOGLE_include_directive : require
/* A workgroup a row: 64 lanes fetch what one of them adds up, and it does not wait for them. */
#include "sway.glsl"

layout(local_size_x = 64) in;
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict readonly buffer W { float w[]; };
layout(binding = 2) restrict writeonly buffer Y { float y[]; };
shared float term[64];

void main()
{
	uint r = gl_WorkGroupID.x, lane = gl_LocalInvocationIndex;
	float s = 0.0f;

	for (uint first = 0u; first < cols; first += 64u) {
		if (first + lane < cols)
			term[lane] = hlx_mul(x[x_at(r, first + lane)], w[first + lane]);
		for (uint c = 0u; lane == 0u && c < 64u && first + c < cols; c++)
			s += term[c];
	}
	if (lane == 0u)
		y[y_first + r] = hlx_store(hlx_mul(s, gain));
}
