/*
 * simt.glsl - C = A B on a GPU: BM x BN of C a workgroup, T x T of it an invocation, in registers; BK of k at a time
 * through shared memory, in two buffers, so that the next piece is on its way from memory while this one is used.
 *
 * Shared: a[buffer][k][row], b[buffer][k][column], in vec4s; a row of them is 1 vec4 longer where it is written across
 * (A stored (m, k), B stored (n, k)), so that a column's 4 writes fall into different banks.  32 lanes cover LM x LN
 * invocations, and an invocation's rows and columns come in groups of 4, LM and LN groups apart: reads of a and b
 * are then broadcasts or neighbours.
 *
 * Beyond m, n and k the pieces hold +0: acc + 0 * 0 = acc.  A_SCALAR, B_SCALAR, C_SCALAR: rows do not start at
 * multiples of 16 bytes, or end inside one.
 */
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool A_SCALAR = false;
layout(constant_id = 2) const bool B_SCALAR = false;
layout(constant_id = 3) const bool C_SCALAR = false;
layout(constant_id = 4) const uint BM = 128u; /* = BN */
layout(constant_id = 5) const uint BK = 8u;

#define LM 4u
#define LN 8u
const uint BN = BM;
const uint NT = BM / T * (BN / T); /* = local_size_x */
const uint SA = BM / 4u + (TA != 0 ? 0u : 1u);
const uint SB = BN / 4u + (TB != 0 ? 1u : 0u);
const uint LA = BM * BK / 4u / NT; /* fetches an invocation; BK = 8 is for T = 8, where NT is not above 2 BM */
const uint LB = BN * BK / 4u / NT;

layout(std430, binding = 0) restrict readonly buffer A_ { float A[]; };
layout(std430, binding = 1) restrict readonly buffer B_ { float B[]; };
layout(std430, binding = 0) restrict readonly buffer A4_ { vec4 A4[]; };
layout(std430, binding = 1) restrict readonly buffer B4_ { vec4 B4[]; };
layout(std430, binding = 2) buffer C4_ { vec4 C4[]; };
layout(std430, binding = 3) readonly buffer Bias4 { vec4 bias4[]; };
layout(std430, binding = 4) readonly buffer D4_ { vec4 D4[]; };

shared vec4 a_piece[2u * BK * SA];
shared vec4 b_piece[2u * BK * SB];

uint a_first, b_first, c_first;

/* 4 elements that follow each other in memory, from (i, k) on; what lies outside is +0. */
vec4 load_a(uint i, uint k)
{
	vec4 x = vec4(0.0);
	uint at = a_first + i * p.a_row + k * p.a_col;
	if (A_SCALAR) {
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			if (TA != 0 ? i + c < p.m && k < p.k : i < p.m && k + c < p.k)
				x[c] = A[at + c];
	} else if (i < p.m && k < p.k) {
		x = A4[at >> 2];
	}
	return x;
}

vec4 load_b(uint k, uint j)
{
	vec4 x = vec4(0.0);
	uint at = b_first + k * p.b_row + j * p.b_col;
	if (B_SCALAR) {
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			if (TB != 0 ? j < p.n && k + c < p.k : j + c < p.n && k < p.k)
				x[c] = B[at + c];
	} else if (j < p.n && k < p.k) {
		x = B4[at >> 2];
	}
	return x;
}

/* Fetch number `index` of a piece: along memory BM / 4 of them a k (TA), or BK / 4 a row. */
vec4 fetch_a(uint row0, uint k0, uint index)
{
	if (TA != 0)
		return load_a(row0 + index % (BM / 4u) * 4u, k0 + index / (BM / 4u));
	return load_a(row0 + index / (BK / 4u), k0 + index % (BK / 4u) * 4u);
}

vec4 fetch_b(uint col0, uint k0, uint index)
{
	if (TB != 0)
		return load_b(k0 + index % (BK / 4u) * 4u, col0 + index / (BK / 4u));
	return load_b(k0 + index / (BN / 4u), col0 + index % (BN / 4u) * 4u);
}

void keep_a(uint buf, uint index, vec4 x)
{
	if (TA != 0) {
		a_piece[(buf * BK + index / (BM / 4u)) * SA + index % (BM / 4u)] = x;
	} else {
		uint r = index / (BK / 4u), k = index % (BK / 4u) * 4u;
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			a_piece[(buf * BK + k + c) * SA + (r >> 2)][r & 3u] = x[c];
	}
}

void keep_b(uint buf, uint index, vec4 x)
{
	if (TB == 0) {
		b_piece[(buf * BK + index / (BN / 4u)) * SB + index % (BN / 4u)] = x;
	} else {
		uint r = index / (BK / 4u), k = index % (BK / 4u) * 4u;
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			b_piece[(buf * BK + k + c) * SB + (r >> 2)][r & 3u] = x[c];
	}
}

vec4 begin(uint row, uint col)
{
	vec4 x = vec4(0.0);
	uint at = c_first + row * p.c_row + col;
	if ((p.flags & GEMM_CONTINUE) == 0u || row >= p.m || col >= p.n)
		return x;
	if (!C_SCALAR)
		return D4[at >> 2];
	for (uint c = 0u; c < 4u; c++)
		if (col + c < p.n)
			x[c] = D[at + c];
	return x;
}

void end(vec4 acc, uint row, uint col)
{
	uint at = c_first + row * p.c_row + col;
	if (row >= p.m || col >= p.n)
		return;
	if (C_SCALAR) {
		for (uint c = 0u; c < 4u; c++)
			if (col + c < p.n)
				gemm_end(acc[c], at + c, col + c);
		return;
	}
	if ((p.flags & GEMM_RAW) != 0u)
		C4[at >> 2] = acc;
	else if ((p.flags & GEMM_ACCUM) != 0u)
		C4[at >> 2] = hlx_accum(C4[at >> 2], acc);
	else if ((p.flags & GEMM_ADD_BIAS) != 0u)
		C4[at >> 2] = hlx_store(acc + bias4[(p.bias_base + col) >> 2]);
	else
		C4[at >> 2] = hlx_store(acc);
}

void main()
{
	uint tid = gl_LocalInvocationIndex, row0 = gl_WorkGroupID.y * BM, col0 = gl_WorkGroupID.x * BN;
	uint z = p.z0 + gl_WorkGroupID.z, z0 = z / p.dim1, z1 = z - z0 * p.dim1;
	a_first = p.a_base + z0 * p.a_s0 + z1 * p.a_s1;
	b_first = p.b_base + z0 * p.b_s0 + z1 * p.b_s1;
	c_first = p.c_base + z0 * p.c_s0 + z1 * p.c_s1;

	/* this invocation's first groups of 4 rows and columns; the next ones are LM and LN further */
	uint lane = tid & 31u, warp = tid >> 5u, across = BN / (LN * T);
	uint ar = warp / across * (LM * T / 4u) + lane / LN, br = warp % across * (LN * T / 4u) + lane % LN;

	vec4 acc[T][T / 4];
	[[unroll]] for (uint i = 0u; i < T; i++)
		[[unroll]] for (uint j = 0u; j < T / 4u; j++)
			acc[i][j] = begin(row0 + (ar + (i >> 2) * LM) * 4u + (i & 3u), col0 + (br + j * LN) * 4u);

	vec4 ra[LA], rb[LB];
	[[unroll]] for (uint i = 0u; i < LA; i++)
		keep_a(0u, i * NT + tid, fetch_a(row0, 0u, i * NT + tid));
	[[unroll]] for (uint i = 0u; i < LB; i++)
		keep_b(0u, i * NT + tid, fetch_b(col0, 0u, i * NT + tid));
	barrier();

	uint buf = 0u;
	[[dont_unroll]] for (uint k = 0u; k < p.k; k += BK) {
		bool more = k + BK < p.k;
		if (more) {
			[[unroll]] for (uint i = 0u; i < LA; i++)
				ra[i] = fetch_a(row0, k + BK, i * NT + tid);
			[[unroll]] for (uint i = 0u; i < LB; i++)
				rb[i] = fetch_b(col0, k + BK, i * NT + tid);
		}
		[[unroll]] for (uint u = 0u; u < BK; u++) {
			vec4 a[T / 4], b[T / 4];
			[[unroll]] for (uint i = 0u; i < T / 4u; i++)
				a[i] = a_piece[(buf * BK + u) * SA + ar + i * LM];
			[[unroll]] for (uint j = 0u; j < T / 4u; j++)
				b[j] = b_piece[(buf * BK + u) * SB + br + j * LN];
			[[unroll]] for (uint i = 0u; i < T; i++)
				[[unroll]] for (uint j = 0u; j < T / 4u; j++)
					acc[i][j] = acc[i][j] + a[i >> 2][i & 3u] * b[j];
		}
		if (more) {
			[[unroll]] for (uint i = 0u; i < LA; i++)
				keep_a(buf ^ 1u, i * NT + tid, ra[i]);
			[[unroll]] for (uint i = 0u; i < LB; i++)
				keep_b(buf ^ 1u, i * NT + tid, rb[i]);
		}
		barrier();
		buf ^= 1u;
	}

	[[unroll]] for (uint i = 0u; i < T; i++)
		[[unroll]] for (uint j = 0u; j < T / 4u; j++)
			end(acc[i][j], row0 + (ar + (i >> 2) * LM) * 4u + (i & 3u), col0 + (br + j * LN) * 4u);
}
