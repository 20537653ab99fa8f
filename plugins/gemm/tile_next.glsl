/* tile_next.glsl - what kernels in tiles that end with a neighbour's work share: its operands, and what the product alone would store. */
#include "gemm_next.glsl"
layout(std430, binding = 5) readonly buffer E_ { float E[]; };
layout(std430, binding = 5) readonly buffer E4_ { vec4 E4[]; };
layout(std430, binding = 6) buffer F_ { float F[]; };
layout(std430, binding = 6) buffer F4_ { vec4 F4[]; };

/* What the product alone would store. */
vec4 result(vec4 acc, uint col)
{
	vec4 add = vec4(0.0);
	if (BIASED)
		add = bias4[(p.bias_base + col) >> 2];
	return hlx_store(acc + add);
}
