/*
 * tile.glsl - what a workgroup that computes BM x BN of C shares, whatever multiplies: where it is, pieces of A and B, BK of
 * k each, on their way from memory into registers, and C's elements one by one where a tile reaches beyond C.
 *
 * Wants BM, BN, BK, NT (invocations) and FORM, LA and LB: fetches of 4 elements an invocation makes for a piece.
 */
/* A_SCALAR, B_SCALAR, C_SCALAR: rows do not start at multiples of 16 bytes, or end inside one. */
const bool A_SCALAR = (FORM & 1u) != 0u;
const bool B_SCALAR = (FORM & 2u) != 0u;
const bool C_SCALAR = (FORM & 4u) != 0u;
const bool TAIL = (FORM & 8u) != 0u;
/* Some tiles reach beyond C, or it is C_SCALAR: those end element by element. */
const bool EDGE = (FORM & 64u) != 0u;

layout(std430, binding = 0) restrict readonly buffer A_ { float A[]; };
layout(std430, binding = 1) restrict readonly buffer B_ { float B[]; };
layout(std430, binding = 0) restrict readonly buffer A4_ { vec4 A4[]; };
layout(std430, binding = 1) restrict readonly buffer B4_ { vec4 B4[]; };
layout(std430, binding = 2) buffer C4_ { vec4 C4[]; };
layout(std430, binding = 3) readonly buffer Bias4 { vec4 bias4[]; };
layout(std430, binding = 4) readonly buffer D4_ { vec4 D4[]; };

uint tid, row0, col0;           /* this workgroup's first row and column */
uint a_first, b_first, c_first; /* this matrix' first elements */
uint a_at[LA], b_at[LB];        /* where the next fetches are, in vec4s */
vec4 a_next[LA], b_next[LB];

void tile_begin()
{
	tid = gl_LocalInvocationIndex;
	row0 = gl_WorkGroupID.y * BM;
	col0 = gl_WorkGroupID.x * BN;
	uint z = p.z0 + gl_WorkGroupID.z, z0 = z / p.dim1, z1 = z - z0 * p.dim1;
	a_first = p.a_base + z0 * p.a_s0 + z1 * p.a_s1;
	b_first = p.b_base + z0 * p.b_s0 + z1 * p.b_s1;
	c_first = p.c_base + z0 * p.c_s0 + z1 * p.c_s1;
}

/* Where fetch i of a piece is along m (n), and along k.  There are BM / 4 of them a k (TA), or BK / 4 a row. */
uint a_row(uint i)
{
	uint index = i * NT + tid;
	return TA != 0 ? index % (BM / 4u) * 4u : index / (BK / 4u);
}

uint a_k(uint i)
{
	uint index = i * NT + tid;
	return TA != 0 ? index / (BM / 4u) : index % (BK / 4u) * 4u;
}

uint b_col(uint i)
{
	uint index = i * NT + tid;
	return TB != 0 ? index / (BK / 4u) : index % (BN / 4u) * 4u;
}

uint b_k(uint i)
{
	uint index = i * NT + tid;
	return TB != 0 ? index % (BK / 4u) * 4u : index / (BN / 4u);
}

/* 4 elements that follow each other in memory; what lies outside is +0. */
vec4 scalar_a(uint row, uint k)
{
	vec4 x = vec4(0.0);
	uint at = a_first + row * p.a_row + k * p.a_col;
	[[unroll]] for (uint c = 0u; c < 4u; c++)
		if (TA != 0 ? row + c < p.m && k < p.k : row < p.m && k + c < p.k)
			x[c] = A[at + c];
	return x;
}

vec4 scalar_b(uint k, uint col)
{
	vec4 x = vec4(0.0);
	uint at = b_first + k * p.b_row + col * p.b_col;
	[[unroll]] for (uint c = 0u; c < 4u; c++)
		if (TB != 0 ? col < p.n && k + c < p.k : col + c < p.n && k < p.k)
			x[c] = B[at + c];
	return x;
}

/* Fetch i of the piece that starts at k0, which lies at vec4 `at`. */
void fetch_a(uint i, uint k0, uint at)
{
	a_next[i] = vec4(0.0);
	if (A_SCALAR)
		a_next[i] = scalar_a(row0 + a_row(i), k0 + a_k(i));
	else if (!TAIL || k0 + a_k(i) < p.k)
		a_next[i] = A4[at];
}

void fetch_b(uint i, uint k0, uint at)
{
	b_next[i] = vec4(0.0);
	if (B_SCALAR)
		b_next[i] = scalar_b(k0 + b_k(i), col0 + b_col(i));
	else if (!TAIL || k0 + b_k(i) < p.k)
		b_next[i] = B4[at];
}

/* The piece that starts at k0: go on to it, or stay at the last one. */
void fetch(uint k0, bool go)
{
	uint a_step = go ? BK * p.a_col >> 2 : 0u, b_step = go ? BK * p.b_row >> 2 : 0u;
	[[unroll]] for (uint i = 0u; i < LA; i++) {
		a_at[i] += a_step;
		fetch_a(i, k0, a_at[i]);
	}
	[[unroll]] for (uint i = 0u; i < LB; i++) {
		b_at[i] += b_step;
		fetch_b(i, k0, b_at[i]);
	}
}

/* The first piece; of rows and columns beyond the last, the last once more. */
void fetch_first()
{
	[[unroll]] for (uint i = 0u; i < LA; i++)
		a_at[i] = (a_first + min(row0 + a_row(i), p.m - (TA != 0 ? 4u : 1u)) * p.a_row + a_k(i) * p.a_col) >> 2;
	[[unroll]] for (uint i = 0u; i < LB; i++)
		b_at[i] = (b_first + min(col0 + b_col(i), p.n - (TB != 0 ? 1u : 4u)) * p.b_col + b_k(i) * p.b_row) >> 2;
	fetch(0u, false);
}

vec4 begin(uint row, uint col)
{
	vec4 x = vec4(0.0);
	uint at = c_first + row * p.c_row + col;
	if (row >= p.m || col >= p.n)
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
	for (uint c = 0u; c < 4u; c++)
		if (row < p.m && col + c < p.n)
			gemm_end(acc[c], c_first + row * p.c_row + col + c, col + c);
}
