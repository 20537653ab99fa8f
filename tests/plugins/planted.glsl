/* An invocation a row. */
#include "hlx.glsl"

layout(local_size_x = 8) in;
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict writeonly buffer Y { float y[]; };
layout(push_constant) uniform P { uint rows, cols; } p;

void main()
{
	uint row = gl_GlobalInvocationID.x * p.cols;

	if (gl_GlobalInvocationID.x >= p.rows)
		return;
	for (uint c = 0; c < p.cols; c++) {
		float s = 0;
		for (uint k = 0; k <= c; k++)
			s += TERM(row, c, k);
		y[row + c] = hlx_store(s);
	}
}
