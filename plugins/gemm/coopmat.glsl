/*
 * coopmat.glsl - C = A B in fp32 on a GPU's matrix units, which multiply fp16 and add in fp32.  Tier device.
 *
 * Each element of A and B is two fp16 numbers, x = (hi + lo) 2^-s: 22 bits and two signs.  a b is hi lo + lo hi + hi hi; what is
 * left out, lo lo, and what lo cannot hold is 2^-24 of a b at most, as if the product had been rounded.  s is such that the largest
 * of A's (B's) first piece is 2^11 to 2^12; an element 2^-14 of that, or less, has as many bits as are left down to 2^-36 of it.
 * If a later piece has an element of 2^15 or more, then s is less from there on, and the sums so far move.  Matrix units cut off
 * where fp32 rounds: so they add up a piece's BK terms alone, and an fp32 addition joins that to the sum.
 *
 * BM x BN of C a workgroup, WM x WN a subgroup of LANES, as many matrices of M x N; pieces of BK of k through shared memory, in two
 * buffers: while one is multiplied the next is kept in the other, and the one after that is on its way from memory.
 *
 * piece[buffer], in 4 fp16s:  | A | B |, each in the order in which it lies in memory; a row of it is  | hi | lo | 16 bytes |, so that
 * 16 bytes of each of 8 rows fall into 32 banks.
 */
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#define HLX_MATRIX_ID 8
#include "matrix.glsl"
const uint M = HLX_MATRIX_M, N = HLX_MATRIX_N, K = HLX_MATRIX_K;

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint BM = 128u;
layout(constant_id = 2) const uint BN = 128u;
layout(constant_id = 3) const uint BK = 16u;
layout(constant_id = 4) const uint WM = 64u;
layout(constant_id = 5) const uint WN = 32u;
layout(constant_id = 6) const uint FORM = 0u;
layout(constant_id = 7) const uint LANES = 32u;

const uint ACROSS = BN / WN;
const uint NT = BM / WM * ACROSS * LANES; /* = local_size_x */
const uint LA = BM * BK / 4u / NT;        /* fetches an invocation */
const uint LB = BN * BK / 4u / NT;
const uint FM = WM / M;
const uint FN = WN / N;
const uint STEPS = BK / K;

#include "tile.glsl"

/* in 4 fp16s: what hi or lo of a row takes, and a row */
const uint HALF_A = (TA != 0 ? BM : BK) / 4u, ROW_A = 2u * HALF_A + 2u;
const uint HALF_B = (TB != 0 ? BK : BN) / 4u, ROW_B = 2u * HALF_B + 2u;
const uint PART_A = ROW_A * (TA != 0 ? BK : BM);
const uint SIZE = PART_A + ROW_B * (TB != 0 ? BN : BK);
/* the end: M rows of a subgroup's sums, in pairs of floats, a row 16 bytes longer than it is */
const uint ROW_C = WN / 2u + 2u;
const uint PART_C = ROW_C * M;
const uint ENDS = PART_C * (BM / WM) * ACROSS;
const uint ROOM = 2u * SIZE > ENDS ? 2u * SIZE : ENDS;

shared uvec2 piece[ROOM];
/* bits of the largest magnitudes of A and B that there was no room for, so far; of pieces in either buffer, as one subgroup may
 * be a piece ahead of another */
shared uint top[2][2];

#define BITS_LEAST 81u /* 2^-46: a larger scale than 2^60 is of no use, as no tensor holds less than 2^-50 */
#define ROOM_ABOVE 3u  /* binary digits */
uint a_bits, b_bits;   /* exponent bits of the largest magnitudes for which there is room */
float a_scale, b_scale, a_most, b_most;

void set_scale(uint buf)
{
	uint a_top = top[buf][0] >> 23, b_top = top[buf][1] >> 23;
	if (a_top > a_bits)
		a_bits = min(a_top + ROOM_ABOVE, 255u);
	if (b_top > b_bits)
		b_bits = min(b_top + ROOM_ABOVE, 255u);
	a_scale = uintBitsToFloat(268u - a_bits << 23);
	b_scale = uintBitsToFloat(268u - b_bits << 23);
}

float largest(vec4 x, float y)
{
	return max(max(max(y, abs(x.x)), max(abs(x.y), abs(x.z))), abs(x.w));
}

/*
 * x rounded to 11 bits, by integers: NVIDIA's compiler (580.159) takes unpackHalf2x16(packHalf2x16(x)) for x, and what is then left
 * for lo is 0.
 */
vec4 high(vec4 x)
{
	return uintBitsToFloat((floatBitsToUint(x) + 0x1000u) & 0xffffe000u);
}

void keep_at(uint at, uint half_, vec4 x)
{
	vec4 hi = high(x), lo = x - hi;
	piece[at] = uvec2(packHalf2x16(hi.xy), packHalf2x16(hi.zw));
	piece[at + half_] = uvec2(packHalf2x16(lo.xy), packHalf2x16(lo.zw));
}

/* Fetch i of A's (B's) piece into shared memory. */
void keep_a(uint buf, uint i)
{
	uint at = TA != 0 ? a_k(i) * ROW_A + a_row(i) / 4u : a_row(i) * ROW_A + a_k(i) / 4u;
	a_most = largest(a_next[i], a_most);
	keep_at(buf * SIZE + at, HALF_A, a_next[i] * a_scale);
}

void keep_b(uint buf, uint i)
{
	uint at = TB != 0 ? b_col(i) * ROW_B + b_k(i) / 4u : b_k(i) * ROW_B + b_col(i) / 4u;
	b_most = largest(b_next[i], b_most);
	keep_at(buf * SIZE + PART_A + at, HALF_B, b_next[i] * b_scale);
}

void keep(uint buf)
{
	[[unroll]] for (uint i = 0u; i < LA; i++)
		keep_a(buf, i);
	[[unroll]] for (uint i = 0u; i < LB; i++)
		keep_b(buf, i);
}

/* From memory, any piece: a_at and b_at stay at the first. */
void fetch_piece(uint k0)
{
	[[unroll]] for (uint i = 0u; i < LA; i++)
		fetch_a(i, k0, a_at[i] + (k0 * p.a_col >> 2));
	[[unroll]] for (uint i = 0u; i < LB; i++)
		fetch_b(i, k0, b_at[i] + (k0 * p.b_row >> 2));
}

uint a_place(uint i, uint s)
{
	return TA != 0 ? s * K * ROW_A + i * (M / 4u) : i * M * ROW_A + s * (K / 4u);
}

uint b_place(uint j, uint s)
{
	return TB != 0 ? j * N * ROW_B + s * (K / 4u) : s * K * ROW_B + j * (N / 4u);
}

#ifdef NEXT
#include "coopmat_next.glsl"
#else
/* 4 columns of a row of C. */
void finish(vec4 acc, uint row, uint col)
{
	uint at = (c_first + row * p.c_row + col) >> 2;
	if (EDGE && (C_SCALAR || row >= p.m || col + 4u > p.n))
		end(acc, row, col);
	else if ((p.flags & GEMM_RAW) != 0u)
		C4[at] = acc;
	else if ((p.flags & GEMM_ACCUM) != 0u)
		C4[at] = hlx_accum(C4[at], acc);
	else if ((p.flags & GEMM_ADD_BIAS) != 0u)
		C4[at] = hlx_store(acc + bias4[(p.bias_base + col) >> 2]);
	else
		C4[at] = hlx_store(acc);
}
#endif

/* Into the first buffer; the next one is on its way. */
void first_piece()
{
	a_bits = b_bits = BITS_LEAST;
	a_most = b_most = 0.0;
	if (tid < 4u)
		top[tid >> 1][tid & 1u] = 0u;
	fetch_first();
	barrier();
	[[unroll]] for (uint i = 0u; i < LA; i++)
		a_most = largest(a_next[i], a_most);
	[[unroll]] for (uint i = 0u; i < LB; i++)
		b_most = largest(b_next[i], b_most);
	uint a_new = subgroupMax(floatBitsToUint(a_most)), b_new = subgroupMax(floatBitsToUint(b_most));
	if (gl_SubgroupInvocationID == 0u) {
		atomicMax(top[0][0], a_new);
		atomicMax(top[0][1], b_new);
	}
	barrier();
	set_scale(0u);
	keep(0u);
	if (BK < p.k)
		fetch_piece(BK);
}

/* Whether there was none for an element, any invocation's, of the piece that has been kept; it is there for all then. */
bool lacks_room(uint buf)
{
	uint a_new = floatBitsToUint(a_most), b_new = floatBitsToUint(b_most);
	if (a_new >> 23 > a_bits || b_new >> 23 > b_bits) {
		atomicMax(top[buf][0], a_new);
		atomicMax(top[buf][1], b_new);
	}
	barrier();
	return top[buf][0] >> 23 > a_bits || top[buf][1] >> 23 > b_bits;
}

/* Keeps the piece at k once more, at a scale with room for it; returns what the sums so far are to be multiplied by. */
float make_room(uint buf, uint k)
{
	uint before = a_bits + b_bits;
	barrier();
	set_scale(buf);
	uint digits = a_bits + b_bits - before;
	fetch_piece(k);
	keep(buf);
	if (k + BK < p.k)
		fetch_piece(k + BK);
	barrier();
	return uintBitsToFloat((digits < 127u ? 127u - digits : 0u) << 23);
}

/* M rows of a subgroup's sums, which its invocations have just put at c_base. */
void finish_rows(uint c_base, uint first_row, uint first_col)
{
	subgroupMemoryBarrierShared();
	subgroupBarrier();
	[[dont_unroll]] for (uint q = gl_SubgroupInvocationID; q < M * WN / 4u; q += LANES) {
		uint r = q / (WN / 4u), c = q % (WN / 4u), row = first_row + r, col = first_col + 4u * c;
		uvec2 x = piece[c_base + r * ROW_C + 2u * c], y = piece[c_base + r * ROW_C + 2u * c + 1u];
		vec4 sum = vec4(uintBitsToFloat(x), uintBitsToFloat(y));
		if ((p.flags & GEMM_CONTINUE) != 0u)
			sum += begin(row, col);
		finish(sum, row, col);
	}
	subgroupMemoryBarrierShared();
	subgroupBarrier();
}

/*
 * No vote and no election in the loop: for those NVIDIA's compiler keeps a mask of who is active, by MATCH, for 15 % of the time.
 * At the end the lesser scale is undone first, so that a huge A and a tiny B do not overflow on the way.
 */
void main()
{
	tile_begin();
	uint a_warp = gl_SubgroupID / ACROSS * WM, b_warp = gl_SubgroupID % ACROSS * WN; /* its first row and column */
	uint a_base = TA != 0 ? a_warp / 4u : a_warp * ROW_A;
	uint b_base = PART_A + (TB != 0 ? b_warp * ROW_B : b_warp / 4u);
	first_piece();
	hlx_matrix_c acc[FM * FN];
	[[unroll]] for (uint i = 0u; i < FM * FN; i++)
		acc[i] = hlx_matrix_of(0.0);
	barrier();

	[[dont_unroll]] for (uint k = BK, buf = 0u; k < p.k + BK; k += BK, buf ^= 1u) {
		uint at = buf * SIZE, other = buf ^ 1u;
		if (k < p.k)
			keep(other);
		if (k + BK < p.k)
			fetch_piece(k + BK);
		hlx_matrix_b b_hi[STEPS * FN], b_lo[STEPS * FN];
		[[unroll]] for (uint s = 0u; s < STEPS; s++)
			[[unroll]] for (uint j = 0u; j < FN; j++) {
				b_hi[s * FN + j] = hlx_matrix_load_b(piece[at + b_base + b_place(j, s)], uint(TB), ROW_B);
				b_lo[s * FN + j] = hlx_matrix_load_b(piece[at + b_base + HALF_B + b_place(j, s)], uint(TB), ROW_B);
			}
		[[unroll]] for (uint i = 0u; i < FM; i++) {
			hlx_matrix_a a_hi[STEPS], a_lo[STEPS];
			[[unroll]] for (uint s = 0u; s < STEPS; s++) {
				a_hi[s] = hlx_matrix_load_a(piece[at + a_base + a_place(i, s)], uint(TA), ROW_A);
				a_lo[s] = hlx_matrix_load_a(piece[at + a_base + HALF_A + a_place(i, s)], uint(TA), ROW_A);
			}
			hlx_matrix_c sum[FN];
			[[unroll]] for (uint j = 0u; j < FN; j++)
				sum[j] = hlx_matrix_of(0.0);
			[[unroll]] for (uint s = 0u; s < STEPS; s++) {
				[[unroll]] for (uint j = 0u; j < FN; j++)
					sum[j] = hlx_matrix_multiply_add(a_lo[s], b_hi[s * FN + j], sum[j]);
				[[unroll]] for (uint j = 0u; j < FN; j++)
					sum[j] = hlx_matrix_multiply_add(a_hi[s], b_lo[s * FN + j], sum[j]);
				[[unroll]] for (uint j = 0u; j < FN; j++)
					sum[j] = hlx_matrix_multiply_add(a_hi[s], b_hi[s * FN + j], sum[j]);
			}
			[[unroll]] for (uint j = 0u; j < FN; j++)
				acc[i * FN + j] = hlx_matrix_add(acc[i * FN + j], sum[j]);
		}
		if (lacks_room(other)) {
			float down = make_room(other, k);
			[[unroll]] for (uint i = 0u; i < FM * FN; i++)
				acc[i] = hlx_matrix_times(acc[i], down);
		}
	}

	float up_first = uintBitsToFloat(min(a_bits, b_bits) - 14u << 23), up_then = uintBitsToFloat(max(a_bits, b_bits) - 14u << 23);
	uint c_base = gl_SubgroupID * PART_C;
	[[unroll]] for (uint i = 0u; i < FM; i++) {
		[[unroll]] for (uint j = 0u; j < FN; j++)
			hlx_matrix_store(piece[c_base + j * (N / 2u)], hlx_matrix_times(hlx_matrix_times(acc[i * FN + j], up_first),
					 up_then), HLX_MATRIX_ROWS, ROW_C);
		finish_rows(c_base, row0 + a_warp + i * M, col0 + b_warp);
	}
}
