/*
 * gemm16.glsl - 16 x 16 tiles of A and B through shared memory, one element of C an invocation; any m, n, k.
 *
 * The including file gives GEMM_A_AT(i, k) and GEMM_B_AT(k, j), the elements' indices, GEMM_A_ALONG_K and
 * GEMM_B_ALONG_K (whether the next element in memory is the next k, so that neighbours in x read neighbours), and
 * gemm16_m, _n, _k.  Both tiles are padded to 17: a column of them is then in 16 banks.
 * Beyond k both tiles hold zeros, and acc + 0 * 0 = acc: no bit depends on the padding.
 */
layout(local_size_x = 16, local_size_y = 16) in;

shared float tile_a[16][17]; /* row, k */
shared float tile_b[16][17]; /* k, column */

void gemm16_load(uint row0, uint col0, uint k0)
{
	uint x = gl_LocalInvocationID.x, y = gl_LocalInvocationID.y;
	uint ai = GEMM_A_ALONG_K ? y : x, ak = GEMM_A_ALONG_K ? x : y;
	uint bj = GEMM_B_ALONG_K ? y : x, bk = GEMM_B_ALONG_K ? x : y;
	float a = 0.0, b = 0.0;

	if (row0 + ai < gemm16_m && k0 + ak < gemm16_k)
		a = A[GEMM_A_AT(row0 + ai, k0 + ak)];
	if (col0 + bj < gemm16_n && k0 + bk < gemm16_k)
		b = B[GEMM_B_AT(k0 + bk, col0 + bj)];
	tile_a[ai][ak] = a;
	tile_b[bk][bj] = b;
}

float gemm16_chain(float acc)
{
	uint x = gl_LocalInvocationID.x, y = gl_LocalInvocationID.y;
	uint row0 = gl_WorkGroupID.y * 16u, col0 = gl_WorkGroupID.x * 16u;

	for (uint k0 = 0u; k0 < gemm16_k; k0 += 16u) {
		gemm16_load(row0, col0, k0);
		barrier();
		for (uint l = 0u; l < 16u; l++)
			acc = acc + tile_a[y][l] * tile_b[l][x];
		barrier();
	}
	return acc;
}
