/*
 * simt.glsl - C = A B on a GPU: BM x BN of C a workgroup, TM x TN of it an invocation, in registers; BK of k at a time
 * through shared memory, in two buffers: while one piece is multiplied the next is kept in the other, and the one after
 * that is on its way from memory.
 *
 * piece[buffer], in vec4s:  | a[k][row / 4]  BK x BM / 4 | b[k][column / 4]  BK x BN / 4 |
 *
 * An operand whose memory runs along k (A of (m, k), B of (n, k)) is written across, a scalar at a time.  So that the
 * writes of 32 lanes fall into 32 banks, its vec4 number v of row k is at v ^ (k / 4 * (32 / BK)): up to 9 % over a padded
 * row.  32 lanes cover LM x LN invocations, whose rows and columns come in groups of 4, LM and LN groups apart: reads of
 * a and b are then broadcasts or neighbours.
 *
 * Beyond m and n the pieces hold the last rows and columns once more, whose products are not stored; beyond k they hold
 * +0: acc + 0 * 0 = acc.  So only a TAIL (k is no multiple of BK) costs a comparison a fetch.
 *
 * FMA (device tier): each product joins its sum unrounded, and SPLIT invocations share an output: each takes BK / SPLIT
 * of every piece's k, and a tree over shared memory adds what they have, in the same order each time.
 *
 * NEXT: it ends with a neighbour's work.  gelu, written out for each of an invocation's accumulators, would be 100 KiB
 * that run once; so what the product alone would store is stored, and read again, two vec4 a turn, by a short loop.
 */
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BM = 128u;
layout(constant_id = 2) const uint BN = 128u;
layout(constant_id = 3) const uint BK = 8u;
layout(constant_id = 4) const uint TM = 8u;
layout(constant_id = 5) const uint TN = 8u;
layout(constant_id = 6) const uint FORM = 0u;
#ifdef FMA
layout(constant_id = 7) const uint SPLIT = 1u;
#define MULTIPLY_ADD(x, y, acc) fma(vec4(x), y, acc)
#define WIDE true
#else
const uint SPLIT = 1u;
#define MULTIPLY_ADD(x, y, acc) (acc + x * y)
#define WIDE (TM * TN == 16u)
#endif

/* When the next piece is kept and the one after it fetched: before a piece's products (EARLY), or amid them and without
 * a branch, the last piece once more at the end (MID).  Neither: fetched before, kept after them. */
const bool EARLY = (FORM & 16u) != 0u;
const bool MID = (FORM & 32u) != 0u;
/* The operands of one k are read from shared memory before the products of the k before it. */
const bool AHEAD = (FORM & 128u) != 0u;

/* WIDE: pairs of lanes share a row group, which helps where reads of shared memory limit (fma: 4 %). */
const uint LM = WIDE ? 8u : 4u;
const uint LN = 32u / LM;
const uint PART = BM / TM * (BN / TN); /* invocations that cover C's tile once */
const uint NT = PART * SPLIT;          /* = local_size_x */
const uint SA = BM / 4u;
const uint SB = BN / 4u;
const uint LA = BM * BK / 4u / NT; /* fetches an invocation */
const uint LB = BN * BK / 4u / NT;
const uint GM = TM / 4u;
const uint GN = TN / 4u;
const uint STEPS = BK / SPLIT; /* of k an invocation and piece */
const uint SIZE = BK * (SA + SB);
const uint TREE = BM * BN / 4u * (SPLIT / 2u);

#include "tile.glsl"

const uint ROOM = 2u * SIZE > TREE ? 2u * SIZE : TREE;
shared vec4 piece[ROOM];

uint u0, ar, br;                /* this invocation's first k of a piece, and groups of rows and columns */
vec4 a[2][GM], b[2][GN];        /* operands of an even and of an odd k */

/* Of an operand that is written across, k being a multiple of 4 or k & 3 of no matter. */
uint swizzle(uint k)
{
	return k / 4u * (32u / BK);
}

void keep(uint buf)
{
	[[unroll]] for (uint i = 0u; i < LA; i++) {
		uint r = a_row(i), at = buf * SIZE + a_k(i) * SA;
		if (TA != 0)
			piece[at + (r >> 2)] = a_next[i];
		else
			[[unroll]] for (uint c = 0u; c < 4u; c++)
				piece[at + c * SA + ((r >> 2) ^ swizzle(a_k(i)))][r & 3u] = a_next[i][c];
	}
	[[unroll]] for (uint i = 0u; i < LB; i++) {
		uint r = b_col(i), at = buf * SIZE + BK * SA + b_k(i) * SB;
		if (TB == 0)
			piece[at + (r >> 2)] = b_next[i];
		else
			[[unroll]] for (uint c = 0u; c < 4u; c++)
				piece[at + c * SB + ((r >> 2) ^ swizzle(b_k(i)))][r & 3u] = b_next[i][c];
	}
}

/*
 * Where group i of this invocation is, its first being at base: base + i step, swizzled by s.  As s < 8, and base has no
 * bit of step's but where there is one group, the parts that differ from i to i are literals.
 */
uint place(uint base, uint step_, uint groups, uint i, uint s)
{
	return step_ == 8u || groups == 1u ? (base ^ s) + i * step_ : (base ^ (s & 3u)) + (i * step_ ^ (s & 4u));
}

void read(uint buf, uint u)
{
	uint at = buf * SIZE + (u0 + u) * SA, bt = buf * SIZE + BK * SA + (u0 + u) * SB;
	[[unroll]] for (uint i = 0u; i < GM; i++)
		a[u & 1u][i] = piece[at + place(ar, LM, GM, i, TA != 0 ? 0u : swizzle(u0) ^ swizzle(u))];
	[[unroll]] for (uint j = 0u; j < GN; j++)
		b[u & 1u][j] = piece[bt + place(br, LN, GN, j, TB == 0 ? 0u : swizzle(u0) ^ swizzle(u))];
}

#ifdef NEXT
#include "simt_next.glsl"
#endif

/* Accumulator i: 4 columns of a row. */
#define FOR_ACC(i) [[unroll]] for (uint i = 0u; i < TM * GN; i++)
#define ROW(i) (row0 + (ar + (i / GN >> 2) * LM) * 4u + (i / GN & 3u))
#define COL(i) (col0 + (br + i % GN * LN) * 4u)
#define AT(i) ((c_first + ROW(i) * p.c_row + COL(i)) >> 2)

void main()
{
	tile_begin();

	/* this invocation's share of k, and its first groups of 4 rows and columns; the next ones are LM and LN further */
	uint share = tid / PART, warp = tid % PART >> 5u, across = BN / (LN * TN);
	uint lm = WIDE ? tid >> 1 & 7u : tid >> 3 & 3u, ln = WIDE ? tid & 1u | tid >> 3 & 2u : tid & 7u;
	u0 = share * STEPS;
	ar = warp / across * (LM * GM) + lm;
	br = warp % across * (LN * GN) + ln;

	fetch_first();
	keep(0u);
	if ((EARLY || MID) && BK < p.k)
		fetch(BK, true);
	vec4 acc[TM * GN];
	FOR_ACC(i)
		acc[i] = vec4(0.0);
	if ((p.flags & GEMM_CONTINUE) != 0u && share == 0u)
		FOR_ACC(i)
			acc[i] = begin(ROW(i), COL(i));
	barrier();

	uint buf = 0u;
	[[dont_unroll]] for (uint k = BK; k < p.k + BK; k += BK) {
		bool one = k < p.k, two = k + BK < p.k; /* more pieces */
		if (!EARLY && !MID && one)
			fetch(k, true);
		[[unroll]] for (uint u = 0u; u < STEPS; u++) {
			if ((EARLY && u == 0u) || (MID && u == STEPS / 2u)) {
				if (MID || one)
					keep(buf ^ 1u);
				if (MID || two)
					fetch(k + BK, two);
			}
			if (!AHEAD || u == 0u)
				read(buf, u);
			if (AHEAD && u + 1u < STEPS)
				read(buf, u + 1u);
			FOR_ACC(i)
				acc[i] = MULTIPLY_ADD(a[u & 1u][i / GN >> 2][i / GN & 3u], b[u & 1u][i % GN], acc[i]);
		}
		buf ^= 1u;
		if (!EARLY && !MID && one)
			keep(buf);
		barrier();
	}

#ifdef FMA
	[[unroll]] for (uint n = SPLIT / 2u; n > 0u; n >>= 1) {
		if (share >= n && share < 2u * n)
			FOR_ACC(i)
				piece[((share - n) * TM * GN + i) * PART + tid % PART] = acc[i];
		barrier();
		if (share < n)
			FOR_ACC(i)
				acc[i] += piece[(share * TM * GN + i) * PART + tid % PART];
		barrier();
	}
	if (share > 0u)
		return;
#endif
	bool part = EDGE && (C_SCALAR || row0 + BM > p.m || col0 + BN > p.n);
#ifdef NEXT
	if (part)
		FOR_ACC(i)
			part_alone(acc[i], ROW(i), COL(i));
	else if (IS_ADD)
		FOR_ACC(i)
			C4[AT(i)] = gemm_next(result(acc[i], COL(i)), E4[AT(i)]);
	else if (IS_KEEP)
		FOR_ACC(i)
			F4[AT(i)] = result(acc[i], COL(i));
	else
		FOR_ACC(i)
			C4[AT(i)] = result(acc[i], COL(i));
	[[dont_unroll]] for (uint i = 0u; !IS_ADD && i < TM * GN; i += 2u) {
		uint j = i + 1u;
		if (part) {
			part_next(ROW(i), COL(i));
			part_next(ROW(j), COL(j));
		} else {
			next(AT(i), AT(j));
		}
	}
#else
	/* Each instruction here runs once, cold: one short loop of these costs 4 to 10 us less than their sum in one. */
	if (part)
		FOR_ACC(i)
			end(acc[i], ROW(i), COL(i));
	else if ((p.flags & GEMM_RAW) != 0u)
		FOR_ACC(i)
			C4[AT(i)] = acc[i];
	else if ((p.flags & GEMM_ACCUM) != 0u)
		FOR_ACC(i)
			C4[AT(i)] = hlx_accum(C4[AT(i)], acc[i]);
	else if ((p.flags & GEMM_ADD_BIAS) != 0u)
		FOR_ACC(i)
			C4[AT(i)] = hlx_store(acc[i] + bias4[(p.bias_base + COL(i)) >> 2]);
	else
		FOR_ACC(i)
			C4[AT(i)] = hlx_store(acc[i]);
#endif
}
