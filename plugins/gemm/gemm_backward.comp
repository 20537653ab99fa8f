#version 450
#extension GL_GOOGLE_include_directive : require
/*
 * Public: the gradients of C (m, n) = A (m, k) B (k, n), all row-major.
 *     mode 0: output dA (m, k) = input1 dC (m, n) times input2 B (k, n) transposed; groups (ceil(k / 16), ceil(m / 16))
 *     mode 1: output dB (k, n) = input1 A (m, k) transposed times input2 dC (m, n); groups (ceil(n / 16), ceil(k / 16))
 * The sum (over n, over m) has at most 61,000 terms.
 */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(push_constant, std430) uniform Push { uint m, k, n, mode; } p;
layout(std430, binding = 0) restrict readonly buffer A_ { float A[]; };
layout(std430, binding = 1) restrict readonly buffer B_ { float B[]; };
layout(std430, binding = 2) restrict writeonly buffer C_ { float C[]; };

#define gemm16_m (p.mode == 0u ? p.m : p.k)
#define gemm16_n (p.mode == 0u ? p.k : p.n)
#define gemm16_k (p.mode == 0u ? p.n : p.m)
#define GEMM_A_AT(i, l) (p.mode == 0u ? (i) * p.n + (l) : (l) * p.k + (i))
#define GEMM_B_AT(l, j) (p.mode == 0u ? (j) * p.n + (l) : (l) * p.n + (j))
#define GEMM_A_ALONG_K (p.mode == 0u)
#define GEMM_B_ALONG_K (p.mode == 0u)
#include "gemm16.glsl"

void main()
{
	uint row = gl_GlobalInvocationID.y, col = gl_GlobalInvocationID.x;
	float acc = gemm16_chain(0.0);

	if (row < gemm16_m && col < gemm16_n)
		C[row * gemm16_n + col] = hlx_store(acc);
}
