/*
 * gemm.glsl - what the kernels of hlx's own gemm share: the push block, the bindings of C, bias and D, and the end.
 *
 * C[z] (m, n) = A[z] (m, k) B[z] (k, n).  Element (i, j) of an operand's matrix z:
 * base + (z / dim1) s0 + (z % dim1) s1 + i row + j col, modulo 2^32; C's col is 1.
 * D holds the accumulators to go on from (GEMM_CONTINUE), where C's element has the same index; it may be C itself.
 */
layout(push_constant, std430) uniform Push {
	uint m, n, k, flags, dim1, z0;
	uint a_base, a_row, a_col, a_s0, a_s1;
	uint b_base, b_row, b_col, b_s0, b_s1;
	uint c_base, c_row, c_s0, c_s1;
	uint bias_base;
} p;

/* Neither readonly nor writeonly: what is read of C depends on the flags. */
layout(std430, binding = 2) buffer C_ { float C[]; };
layout(std430, binding = 3) readonly buffer Bias { float bias[]; };
layout(std430, binding = 4) readonly buffer D_ { float D[]; };

#define GEMM_ADD_BIAS 1u
#define GEMM_CONTINUE 2u
#define GEMM_ACCUM 4u
#define GEMM_RAW 8u

uint gemm_at(uint z, uint base, uint s0, uint s1)
{
	return base + (z / p.dim1) * s0 + (z % p.dim1) * s1;
}

float gemm_finish(float acc, float add, float old)
{
	float stored = hlx_store(acc + add);
	float added = hlx_accum(old, acc);
	float r = (p.flags & GEMM_ACCUM) != 0u ? added : stored;
	return (p.flags & GEMM_RAW) != 0u ? acc : r;
}

/* The accumulator of an element to go on from. */
float gemm_begin(uint at)
{
	return (p.flags & GEMM_CONTINUE) != 0u ? D[at] : 0.0;
}

void gemm_end(float acc, uint at, uint col)
{
	float add = (p.flags & GEMM_ADD_BIAS) != 0u ? bias[p.bias_base + col] : 0.0;
	float old = (p.flags & GEMM_ACCUM) != 0u ? C[at] : 0.0;
	C[at] = gemm_finish(acc, add, old);
}
