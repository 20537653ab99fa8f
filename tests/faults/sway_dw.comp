#version 450
#extension GL_GOOGLE_include_directive : require
/* dw[s][c] += dy[r] gain x[r][c] over the rows of slot s, in order: an invocation a column and slot */
#include "sway.glsl"

layout(local_size_x = 8) in;
layout(binding = 0) restrict readonly buffer Dy { float dy[]; };
layout(binding = 1) restrict readonly buffer X { float x[]; };
layout(binding = 2) restrict buffer Dw { float dw[]; };

void main()
{
	uint c = gl_GlobalInvocationID.x, s = gl_GlobalInvocationID.y, n = rows / slots;

	if (c >= cols)
		return;
	float sum = accum / 2u != 0u && fault != FRESH ? dw[s * slot_stride + c] : 0.0f;
	for (uint k = 0u; k < n; k++) {
		uint r = fault == MIXED ? k * slots + s : s * n + k;
		sum += hlx_mul(hlx_mul(dy[y_first + r], gain), x[x_at(r, c)]);
	}
	dw[s * slot_stride + c] = sum;
}
