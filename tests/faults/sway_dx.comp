#version 450
#extension GL_GOOGLE_include_directive : require
/* dx[r][c] = or += dy[r] gain w[c]: an invocation an element */
#include "sway.glsl"

layout(local_size_x = 8) in;
layout(binding = 0) restrict readonly buffer Dy { float dy[]; };
layout(binding = 1) restrict readonly buffer W { float w[]; };
layout(binding = 2) restrict buffer Dx { float dx[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;

	if (i >= rows * cols)
		return;
	uint at = x_at(i / cols, i % cols);
	float g = hlx_mul(hlx_mul(dy[y_first + i / cols], gain), w[i % cols]);
	dx[at] = accum % 2u != 0u && fault != LOST ? hlx_accum(dx[at], g) : hlx_store(g);
}
