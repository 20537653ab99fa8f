#version 450
#extension GL_GOOGLE_include_directive : require
/* The specification's GEMM as hlxt uses it: strides, batches, partial sums. */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "gemm.glsl"

layout(std430, binding = 0) restrict readonly buffer A_ { float A[]; };
layout(std430, binding = 1) restrict readonly buffer B_ { float B[]; };

uint a_first, b_first;
#define gemm16_m p.m
#define gemm16_n p.n
#define gemm16_k p.k
#define GEMM_A_AT(i, l) (a_first + (i) * p.a_row + (l) * p.a_col)
#define GEMM_B_AT(l, j) (b_first + (l) * p.b_row + (j) * p.b_col)
#define GEMM_A_ALONG_K (p.a_col == 1u)
#define GEMM_B_ALONG_K (p.b_row == 1u)
#include "gemm16.glsl"

void main()
{
	uint row = gl_GlobalInvocationID.y, col = gl_GlobalInvocationID.x, z = p.z0 + gl_WorkGroupID.z;
	uint at = gemm_at(z, p.c_base, p.c_s0, p.c_s1) + row * p.c_row + col;
	bool inside = row < p.m && col < p.n;
	float acc = 0.0;

	a_first = gemm_at(z, p.a_base, p.a_s0, p.a_s1);
	b_first = gemm_at(z, p.b_base, p.b_s0, p.b_s1);
	if (inside)
		acc = gemm_begin(at);
	acc = gemm16_chain(acc);
	if (inside)
		gemm_end(acc, at, col);
}
