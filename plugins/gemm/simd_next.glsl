/*
 * simd_next.glsl - how simd.glsl's kernels end with a neighbour's work on 4 columns of a row: of a forward pass where B is stored
 * (n, k), else gelu's backward pass.  E is what the neighbour reads besides, F what the product alone would store.
 */
#include "../gelu/gelu.glsl"
#define WORK (p.flags >> 8 & 7u) /* enum gemm_next in gemm.h */
#ifdef SIMD_SSBO
layout(std430, binding = 5) readonly buffer E_ { float E[]; };
layout(std430, binding = 5) readonly buffer E4_ { vec4 E4[]; };
layout(std430, binding = 6) writeonly buffer F_ { float F[]; };
layout(std430, binding = 6) writeonly buffer F4_ { vec4 F4[]; };
#define FETCH_E(i) E4[(i) >> 2]
#define ELEMENT_E(i) E[i]
#else
layout(binding = 7) uniform samplerBuffer E4;
layout(std430, binding = 8) writeonly buffer F_ { float F[]; };
layout(std430, binding = 8) writeonly buffer F4_ { vec4 F4[]; };
#define FETCH_E(i) texelFetch(E4, int((i) >> 2))
#define ELEMENT_E(i) texelFetch(E4, int((i) >> 2))[(i) & 3u]
#endif

/* The 4 elements of E, where they begin at at. */
vec4 load_e(uint at, uint col)
{
	vec4 e = vec4(0.0);
	if (!C_SCALAR)
		return FETCH_E(at);
	for (uint c = 0u; c < 4u; c++)
		if (col + c < p.n)
			e[c] = ELEMENT_E(at + c);
	return e;
}

/* r is what this product alone would store. */
void end(vec4 acc, vec4 add, uint row, uint col, bool is_add)
{
	uint at = c_first + row * p.c_row + col;
	vec4 r = hlx_store(acc + add), y;
	if ((C_SCALAR || EDGE) && (row >= p.m || col >= p.n))
		return;
#if TB
	bool keep = WORK == 3u && !is_add;
	y = hlx_store(is_add ? r + load_e(at, col) : gelu_value(r));
#else
	bool keep = false;
	y = hlx_store(gelu_slope(load_e(at, col), r));
#endif
	if (C_SCALAR) {
		for (uint c = 0u; c < 4u; c++)
			if (col + c < p.n) {
				if (keep)
					F[at + c] = r[c];
				C[at + c] = y[c];
			}
		return;
	}
	if (keep)
		F4[at >> 2] = r;
	C4[at >> 2] = y;
}
