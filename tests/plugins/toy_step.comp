#version 450
#extension GL_GOOGLE_include_directive : require
/* y = x times what step() wrote for this pass; n elements */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 8) in;
layout(push_constant) uniform Push {
	uint n;
};
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict writeonly buffer Y { float y[]; };
layout(binding = 2, std140) uniform Step {
	uint size, train, step_lo, step_hi, seed_lo, seed_hi, seq0, n_seq, position;
	float lr;
	uint pad0, pad1;
	float k;
};

void main()
{
	uint i = gl_GlobalInvocationID.x;
	if (i < n)
		y[i] = hlx_store(hlx_mul(x[i], step_lo == 7u ? k : -k));
}
