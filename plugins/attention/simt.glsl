/*
 * simt.glsl - what attention's GPU kernels are made of.  A workgroup owns X = 4 W R rows of one side (x) and goes through the
 * other side's rows (y) 64 at a time.  Two products in registers, both chains over shared memory, 16 terms at a time in
 * two buffers, so that the next piece is on its way from memory while this one is used:
 *
 *     tile(x, y) += A(x, d) B(y, d)      scores and dP: d ascending
 *     acc(x, d)  += P(y, x) M(y, d)      o, dq, dk, dv: y ascending; P is a tile that went through shared memory
 *
 *     invocation: rows (i + 8 g) * 4 + 0 ... 3 of X, g < R;  columns 4 j + 0 ... 3 of 64 y;  (j + 16 n) * 4 + 0 ... 3 of d, n < N
 *
 * 32 invocations that follow each other have 8 i and 4 j, pairs of them the same i: so fewer reads of shared memory differ (on an
 * H200 forward and dk with dv take 0.98 and 0.96 of their time, fma's 0.89), and where one is above the diagonal, all often are.  Then
 * they have nothing to add.
 *
 * What lies outside of a tensor is +0, which changes no chain.  SCALAR: rows do not start at multiples of 16 bytes, or end
 * inside one.  EDGE: SCALAR, or something lies outside.
 *
 * FMA (device tier): each product joins its sum unrounded, exp is the device's, and nothing is flushed on the way.
 */
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint R = 2u;
layout(constant_id = 2) const uint N = 1u;
layout(constant_id = 3) const bool SCALAR = false;
layout(constant_id = 4) const bool EDGE = true;

#ifdef FMA
#define MULTIPLY_ADD(x, y, acc) fma(vec4(x), y, acc)
#define EXP(x) exp(x)
#define EXP_DOWN(x) exp(x)
#define STORE(x) (x)
#else
#define MULTIPLY_ADD(x, y, acc) (acc + x * y)
#define EXP(x) hlx_exp(x)
#define EXP_DOWN(x) hlx_exp_down(x)
#define STORE(x) hlx_store(x)
#endif

const uint NT = gl_WorkGroupSize.x, W = NT / 16u;
const uint X = 4u * W * R, TILE = 4u * R, ACC = TILE * N; /* rows of X; rows, vec4s an invocation */
const uint SX = W * R, SY = 16u;                          /* vec4s from one d to the next, and from one y of P */
const uint BUFFERS = N > 2u ? 1u : 2u; /* d_head above 128: what is left of 48 KiB */
const uint RB = 256u / NT, RM = 256u * N / NT, RP = 16u * SX / NT; /* fetches an invocation; R of A */

/*
 * Shared memory, in vec4s; little of it, so that many workgroups share a multiprocessor (with A and B beside P, backward took
 * 1.2 times as long on an H200):
 *
 *     scores       | A, B: 16 (SX + SY), BUFFERS times |
 *     accumulate   | P: 64 SX        | M: 256 N, BUFFERS times |
 *     PIECEWISE    | P: 16 SX | M: 256 N |, BUFFERS times         P from memory, simt_dq_kept.glsl
 */
const uint PIECE_AB = 16u * (SX + SY), PIECE_M = 256u * N;
const uint PIECES = 64u * SX;
const uint ROOM_AB = BUFFERS * PIECE_AB, ROOM_PM = PIECES + BUFFERS * PIECE_M;
const uint PIECE_PM = 16u * SX + PIECE_M;
#ifdef PIECEWISE
shared vec4 room[BUFFERS * PIECE_PM];
#else
shared vec4 room[ROOM_AB > ROOM_PM ? ROOM_AB : ROOM_PM];
#endif

/*
 * So that 32 writes fall into 32 banks, vec4 v of row d of A and B is at v ^ swizzle_d(d), that of row y of P at
 * v ^ swizzle_y(y / 4).  Both are below 8, which i + 8 g leaves to i, and of a sum of different bits what they are of each.
 */
uint swizzle_d(uint d)
{
	return d / 4u * 2u;
}

uint swizzle_y(uint group)
{
	return (group & 1u) << 2 | (group >> 1 & 3u);
}

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
uvec4 head;         /* where its head of each tensor starts */
uvec2 near;         /* none of its rows of X sees y < near.x or y >= near.y, nor is seen */

void begin()
{
	index = gl_LocalInvocationIndex;
	xi = index / 128u * 8u * R + (index >> 1 & 7u);
	yj = (index >> 5 & 3u) * 4u + (index & 1u | index >> 3 & 2u);
	head = uvec4(attention_head(0), attention_head(1), attention_head(2), attention_head(3));
}

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
	uint at = head[s] + t * p.row[s] + d;

	if (EDGE && (t >= (s == ATTENTION_Q || s == ATTENTION_O ? p.tq : p.tk) || d >= p.dh))
		return x;
	if (!SCALAR)
		return fetch4(s, at >> 2);
	[[unroll]] for (uint c = 0u; c < 4u; c++)
		if (d + c < p.dh)
			x[c] = fetch1(s, at + c);
	return x;
}

/* A piece on its way from memory: 16 of d of A and B, or 16 rows of M. */
vec4 ra[R], rb[RB], rm[RM];

void fetch_ab(int a, uint x0, int b, uint y0, uint d0)
{
	uint row = index >> 2, d = d0 + (index & 3u) * 4u;

	[[unroll]] for (uint n = 0u; n < R; n++)
		ra[n] = fetch(a, x0 + row + NT / 4u * n, d);
	[[unroll]] for (uint n = 0u; n < RB; n++)
		rb[n] = fetch(b, y0 + row + NT / 4u * n, d);
}

void fetch_m(int m, uint y0)
{
	[[unroll]] for (uint n = 0u; n < RM; n++) {
		uint at = n * NT + index;
		rm[n] = fetch(m, y0 + at / (16u * N), at % (16u * N) * 4u);
	}
}

/* 4 values of d of a row into 4 rows of d. */
void keep_across(uint first, uint stride, uint row, vec4 x)
{
	uint d = (index & 3u) * 4u;
	[[unroll]] for (uint c = 0u; c < 4u; c++)
		room[first + (d + c) * stride + (row >> 2 ^ swizzle_d(d))][row & 3u] = x[c];
}

void keep_ab(uint first)
{
	uint row = index >> 2;

	[[unroll]] for (uint n = 0u; n < R; n++)
		keep_across(first, SX, row + NT / 4u * n, ra[n]);
	[[unroll]] for (uint n = 0u; n < RB; n++)
		keep_across(first + 16u * SX, SY, row + NT / 4u * n, rb[n]);
}

/* Does any of this invocation's rows see any of n rows of y, or may any be seen? */
bool is_near(uint y, uint n)
{
	return y + n > near.x && y < near.y;
}

/* t = rows x0 ... of A times rows y0 ... of B; t[4 g + r][c]: row r of group g, column c.  The first piece has been fetched.
 * Ends with a barrier. */
void scores(out vec4 t[TILE], int a, uint x0, int b, uint y0)
{
	uint first = 0u;
	bool some = is_near(y0 + 4u * yj, 4u);

	[[unroll]] for (uint i = 0u; i < TILE; i++)
		t[i] = vec4(0.0);
	[[dont_unroll]] for (uint d0 = 0u; d0 < p.dh; d0 += 16u) {
		keep_ab(first);
		barrier();
		if (d0 + 16u < p.dh)
			fetch_ab(a, x0, b, y0, d0 + 16u);
		if (some)
			[[unroll]] for (uint u = 0u; u < 16u; u++) {
				vec4 xs[R], ys = room[first + 16u * SX + u * SY + (yj ^ swizzle_d(u))];
				[[unroll]] for (uint g = 0u; g < R; g++)
					xs[g] = room[first + u * SX + (xi ^ swizzle_d(u)) + 8u * g];
				[[unroll]] for (uint i = 0u; i < TILE; i++)
					t[i] = MULTIPLY_ADD(xs[i >> 2][i & 3u], ys, t[i]);
			}
		if (BUFFERS == 1u)
			barrier();
		first = PIECE_AB * (BUFFERS - 1u) - first;
	}
	barrier();
}

/* The tile becomes P, seen by all after the next barrier. */
void keep_tile(vec4 t[TILE])
{
	[[unroll]] for (uint g = 0u; g < R; g++)
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			room[(4u * yj + c) * SX + (xi ^ swizzle_y(yj)) + 8u * g] =
				vec4(t[4u * g][c], t[4u * g + 1u][c], t[4u * g + 2u][c], t[4u * g + 3u][c]);
}

/* acc += P times rows y0 ... of M, of which `count` matter.  The first piece has been fetched.  Ends with a barrier. */
void accumulate(inout vec4 acc[ACC], int m, uint y0, uint count)
{
	uint first = PIECES;

	[[dont_unroll]] for (uint u0 = 0u; u0 < count; u0 += 16u) {
		[[unroll]] for (uint n = 0u; n < RM; n++)
			room[first + n * NT + index] = rm[n];
		barrier();
		if (u0 + 16u < count)
			fetch_m(m, y0 + u0 + 16u);
		if (is_near(y0 + u0, 16u))
			[[unroll]] for (uint u = 0u; u < 16u; u++) {
				uint row = (u0 + u) * SX + (xi ^ swizzle_y(u0 >> 2) ^ swizzle_y(u >> 2));
				vec4 xs[R], ms[N];
				[[unroll]] for (uint g = 0u; g < R; g++)
					xs[g] = room[row + 8u * g];
				[[unroll]] for (uint n = 0u; n < N; n++)
					ms[n] = room[first + u * 16u * N + yj + 16u * n];
				[[unroll]] for (uint i = 0u; i < TILE; i++)
					[[unroll]] for (uint n = 0u; n < N; n++)
						acc[i * N + n] = MULTIPLY_ADD(xs[i >> 2][i & 3u], ms[n], acc[i * N + n]);
			}
		if (BUFFERS == 1u)
			barrier();
		first = 2u * PIECES + PIECE_M * (BUFFERS - 1u) - first;
	}
	barrier();
}

uint tile_row(uint i)
{
	return (xi + 8u * (i >> 2)) * 4u + (i & 3u);
}
