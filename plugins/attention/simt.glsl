/*
 * simt.glsl - what attention's GPU kernels are made of.  A workgroup of 128 owns X = 32 R rows of one side (x) and goes through
 * the other side's rows (y) 64 at a time.  Two products in registers, both chains over shared memory, 16 terms at a time in
 * two buffers, so that the next piece is on its way from memory while this one is used:
 *
 *     tile(x, y) += A(x, d) B(y, d)      scores and dP: d ascending
 *     acc(x, d)  += P(y, x) M(y, d)      o, dq, dk, dv: y ascending; P is a tile that went through shared memory
 *
 *     invocation: rows (i + 8 g) * 4 + 0 ... 3 of X, g < R;  columns 4 j + 0 ... 3 of 64 y;  (j + 16 n) * 4 + 0 ... 3 of d, n < N
 *     i = index % 8, j = index / 8: neighbours read and write neighbouring vec4s of P
 *
 * What lies outside of a tensor is +0, which changes no chain.  SCALAR: rows do not start at multiples of 16 bytes, or end
 * inside one.
 */
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 128) in;
layout(constant_id = 0) const uint R = 2u;
layout(constant_id = 1) const uint N = 1u;
layout(constant_id = 2) const bool SCALAR = false;

const uint X = 32u * R, TILE = 4u * R, ACC = TILE * N; /* ... rows, vec4s an invocation */
const uint SX = 8u * R + 1u; /* vec4s from one d to the next: a column's 4 writes fall into different banks */
const uint SY = 17u;
const uint SP = 8u * R;
const uint PIECE_AB = 16u * (SX + SY), PIECE_M = 256u * N;
const uint PIECE = PIECE_AB > PIECE_M ? PIECE_AB : PIECE_M;
const uint BUFFERS = N > 2u ? 1u : 2u; /* d_head above 128: what is left of 48 KiB */

shared vec4 piece[BUFFERS * PIECE];
shared vec4 tile_p[64u * SP];

layout(std430, binding = 0) readonly buffer Q_ { float q1[]; };
layout(std430, binding = 0) readonly buffer Q4_ { vec4 q4[]; };
layout(std430, binding = 1) readonly buffer K_ { float k1[]; };
layout(std430, binding = 1) readonly buffer K4_ { vec4 k4[]; };
layout(std430, binding = 2) readonly buffer V_ { float v1[]; };
layout(std430, binding = 2) readonly buffer V4_ { vec4 v4[]; };
#ifdef BACKWARD
layout(std430, binding = 3) readonly buffer O_ { float o1[]; };
layout(std430, binding = 3) readonly buffer O4_ { vec4 o4[]; };
#endif

uint index, xi, yj; /* this invocation, its i and j */

float fetch1(int s, uint at)
{
	if (s == ATTENTION_Q)
		return q1[at];
	if (s == ATTENTION_K)
		return k1[at];
#ifdef BACKWARD
	if (s == ATTENTION_O)
		return o1[at];
#endif
	return v1[at];
}

vec4 fetch4(int s, uint at)
{
	if (s == ATTENTION_Q)
		return q4[at];
	if (s == ATTENTION_K)
		return k4[at];
#ifdef BACKWARD
	if (s == ATTENTION_O)
		return o4[at];
#endif
	return v4[at];
}

/* 4 elements of a row, from d on. */
vec4 fetch(int s, uint t, uint d)
{
	vec4 x = vec4(0.0);
	uint at = attention_head(s) + t * p.row[s] + d;

	if (t >= (s == ATTENTION_Q || s == ATTENTION_O ? p.tq : p.tk) || d >= p.dh)
		return x;
	if (!SCALAR)
		return fetch4(s, at >> 2);
	[[unroll]] for (uint c = 0u; c < 4u; c++)
		if (d + c < p.dh)
			x[c] = fetch1(s, at + c);
	return x;
}

/* 4 values of d of a row into 4 rows of d. */
void keep_across(uint first, uint stride, uint row, uint d, vec4 x)
{
	[[unroll]] for (uint c = 0u; c < 4u; c++)
		piece[first + (d + c) * stride + (row >> 2)][row & 3u] = x[c];
}

/* t += rows x0 ... of A times rows y0 ... of B; t[4 g + r][c]: row r of group g, column c.  Ends with a barrier. */
void scores(inout vec4 t[TILE], int a, uint x0, int b, uint y0)
{
	vec4 ra[R], rb[2];
	uint buf = 0u, row = index >> 2, d = (index & 3u) * 4u;

	[[dont_unroll]] for (uint d0 = 0u;; d0 += 16u) {
		/* d0: the piece to fetch; the one before is used meanwhile */
		bool more = d0 < p.dh;
		if (more) {
			[[unroll]] for (uint n = 0u; n < R; n++)
				ra[n] = fetch(a, x0 + row + 32u * n, d0 + d);
			[[unroll]] for (uint n = 0u; n < 2u; n++)
				rb[n] = fetch(b, y0 + row + 32u * n, d0 + d);
		}
		if (d0 > 0u) {
			uint fa = buf * PIECE, fb = fa + 16u * SX;
			[[unroll]] for (uint u = 0u; u < 16u; u++) {
				vec4 xs[R], ys = piece[fb + u * SY + yj];
				[[unroll]] for (uint g = 0u; g < R; g++)
					xs[g] = piece[fa + u * SX + xi + 8u * g];
				[[unroll]] for (uint i = 0u; i < 4u * R; i++)
					t[i] = t[i] + xs[i >> 2][i & 3u] * ys;
			}
			if (BUFFERS == 1u)
				barrier();
			buf = (buf + 1u) % BUFFERS;
		}
		if (!more)
			break;
		[[unroll]] for (uint n = 0u; n < R; n++)
			keep_across(buf * PIECE, SX, row + 32u * n, d, ra[n]);
		[[unroll]] for (uint n = 0u; n < 2u; n++)
			keep_across(buf * PIECE + 16u * SX, SY, row + 32u * n, d, rb[n]);
		barrier();
	}
	barrier();
}

/* The tile becomes P, seen by all after the next barrier. */
void keep_tile(vec4 t[TILE])
{
	[[unroll]] for (uint g = 0u; g < R; g++)
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			tile_p[(4u * yj + c) * SP + xi + 8u * g] =
				vec4(t[4u * g][c], t[4u * g + 1u][c], t[4u * g + 2u][c], t[4u * g + 3u][c]);
}

/* acc += P times rows y0 ... of M, of which `count` matter.  Ends with a barrier. */
void accumulate(inout vec4 acc[ACC], int m, uint y0, uint count)
{
	vec4 rm[2u * N];
	uint buf = 0u;

	[[dont_unroll]] for (uint u0 = 0u;; u0 += 16u) {
		bool more = u0 < count;
		if (more)
			[[unroll]] for (uint n = 0u; n < 2u * N; n++) {
				uint at = n * 128u + index;
				rm[n] = fetch(m, y0 + u0 + at / (16u * N), at % (16u * N) * 4u);
			}
		if (u0 > 0u) {
			uint first = buf * PIECE, tile = (u0 - 16u) * SP + xi;
			[[unroll]] for (uint u = 0u; u < 16u; u++) {
				vec4 xs[R], ms[N];
				[[unroll]] for (uint g = 0u; g < R; g++)
					xs[g] = tile_p[tile + u * SP + 8u * g];
				[[unroll]] for (uint n = 0u; n < N; n++)
					ms[n] = piece[first + u * 16u * N + yj + 16u * n];
				[[unroll]] for (uint i = 0u; i < 4u * R; i++)
					[[unroll]] for (uint n = 0u; n < N; n++)
						acc[i * N + n] = acc[i * N + n] + xs[i >> 2][i & 3u] * ms[n];
			}
			if (BUFFERS == 1u)
				barrier();
			buf = (buf + 1u) % BUFFERS;
		}
		if (!more)
			break;
		[[unroll]] for (uint n = 0u; n < 2u * N; n++)
			piece[buf * PIECE + n * 128u + index] = rm[n];
		barrier();
	}
	barrier();
}

uint tile_row(uint i)
{
	return (xi + 8u * (i >> 2)) * 4u + (i & 3u);
}
