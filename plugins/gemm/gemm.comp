#version 450
#extension GL_GOOGLE_include_directive : require
/* Public: C (m, n) = A (m, k) B (k, n) + bias (n), all row-major; groups (ceil(n / 16), ceil(m / 16)).  k <= 61,000. */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(push_constant, std430) uniform Push { uint m, k, n, use_bias; } p;
layout(std430, binding = 0) restrict readonly buffer A_ { float A[]; };
layout(std430, binding = 1) restrict readonly buffer B_ { float B[]; };
layout(std430, binding = 2) restrict writeonly buffer C_ { float C[]; };
layout(std430, binding = 3) restrict readonly buffer Bias { float bias[]; };

#define gemm16_m p.m
#define gemm16_n p.n
#define gemm16_k p.k
#define GEMM_A_AT(i, l) ((i) * p.k + (l))
#define GEMM_B_AT(l, j) ((l) * p.n + (j))
#define GEMM_A_ALONG_K true
#define GEMM_B_ALONG_K false
#include "gemm16.glsl"

void main()
{
	uint row = gl_GlobalInvocationID.y, col = gl_GlobalInvocationID.x;
	float acc = gemm16_chain(0.0);

	if (row < p.m && col < p.n) {
		float add = 0.0;
		if (p.use_bias != 0u)
			add = bias[col];
		C[row * p.n + col] = hlx_store(acc + add);
	}
}
