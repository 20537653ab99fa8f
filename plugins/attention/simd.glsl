/*
 * simd.glsl - attention on a CPU driver, where a subgroup is a SIMD register and a workgroup a piece of a thread's loop.
 *
 * A workgroup is one subgroup of L = 4, 8 or 16 lanes, owns TM = 32 rows of one side (x) of one head, and goes through the other
 * side's rows (y) 64 at a time.  There is no shared memory and no barrier: a tile of 64 y is fetched once for all rows of x, to
 * registers, that is to the stack, and then ROWS rows of x at a time go over it, their accumulators in registers:
 *
 *     score(x, y) += A(x, d) B(y, d)     d ascending; a lane has all d of C = 64 / L of y
 *     acc(x, d)   += P(x, y) M(y, d)     y ascending; a lane has N vec4s of d of each y: lane, lane + L ...
 *
 * A and P come from a lane each, whose number is constant, as all is unrolled but the loop over the rows of x.  In that loop what
 * rows carry from tile to tile moves down by ROWS rows a turn, and is back in place after the last: a private array with an
 * index that is not constant is a gather and a scatter on lavapipe, lane by lane, and 22.3.6 compiles it for minutes.  (So no
 * unrolled loop has bounds that come from a loop around it: Mesa keeps such a loop.)  ROWS = L / 2 takes 0.95 of the time of
 * L / 4 with 16 lanes, 0.85 with 8, and 1 s more to compile.
 */
#extension GL_KHR_shader_subgroup_ballot : require

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint D4 = 16u;  /* vec4s of a row */
layout(constant_id = 2) const uint ROWS = 4u;
layout(constant_id = 3) const bool WIDE = false;    /* cpu_wide() */
layout(constant_id = 4) const bool UNIFORM = false; /* as in gemm's simd.glsl */
layout(constant_id = 5) const bool ADD_0 = false;   /* add to what the first, and the second gradient holds */
layout(constant_id = 6) const bool ADD_1 = false;

#define TM 32u
#define Y 64u
const uint L = gl_WorkGroupSize.x, C = Y / L, N = (D4 + L - 1u) / L;
const uint SCORES = ROWS * C, ACROSS = C * D4, ALONG = Y * N, ACC = ROWS * N * 4u, GROUPS = TM / ROWS;

uint lane = gl_SubgroupInvocationID;
uvec4 head = uvec4(attention_head(0), attention_head(1), attention_head(2), attention_head(3)); /* once: it divides */

/* The value of a lane whose number is constant. */
float from_lane(float x, uint l)
{
	if (UNIFORM)
		return subgroupBroadcast(x, l);
	return subgroupShuffle(x, l);
}

/* Row t of tensor s of this workgroup's head, and 4 of its elements, the v-th 4, as texels. */
uint texel_row(int s, uint t)
{
	return (head[s] + t * p.row[s]) >> 2;
}
#define FETCH(b, at, v) texelFetch(b, int((at) + (v)))

/* Vec4s of a row that a lane has, the n-th; where the row has ended, its last. */
uint along(uint n)
{
	return min(n * L + lane, D4 - 1u);
}

/* ROWS rows of a tensor from row t on, at most the last. */
#define FETCH_ROWS(x, b, s, t, rows) \
	[[unroll]] for (uint r = 0u; r < ROWS; r++) \
		[[unroll]] for (uint n = 0u; n < N; n++) \
			x[r * N + n] = FETCH(b, texel_row(s, min((t) + r, (rows) - 1u)), along(n));

/* 64 rows, a lane having Y_OF(c), c < C, and a lane having a part of each. */
#define FETCH_ACROSS(x, b, s, t, rows) \
	[[unroll]] for (uint c = 0u; c < C; c++) \
		[[unroll]] for (uint v = 0u; v < D4; v++) \
			x[c * D4 + v] = FETCH(b, texel_row(s, min((t) + Y_OF(c), (rows) - 1u)), v);
#define FETCH_ALONG(x, b, s, t, rows) \
	[[unroll]] for (uint y = 0u; y < Y; y++) \
		[[unroll]] for (uint n = 0u; n < N; n++) \
			x[y * N + n] = FETCH(b, texel_row(s, min((t) + y, (rows) - 1u)), along(n));

/* s[r C + c]: row r of x and Y_OF(c) */
#define SCORE(s, x, tile) \
	[[unroll]] for (uint i = 0u; i < SCORES; i++) \
		s[i] = 0.0; \
	[[unroll]] for (uint d4 = 0u; d4 < D4; d4++) \
		[[unroll]] for (uint d1 = 0u; d1 < 4u; d1++) \
			[[unroll]] for (uint r = 0u; r < ROWS; r++) { \
				float one = from_lane(x[r * N + d4 / L][d1], d4 % L); \
				[[unroll]] for (uint c = 0u; c < C; c++) \
					s[r * C + c] = s[r * C + c] + one * tile[c * D4 + d4][d1]; \
			}

/* acc[(r N + n) 4 + e] */
#define ACCUMULATE(acc, s, tile) \
	[[unroll]] for (uint y = 0u; y < Y; y++) \
		[[unroll]] for (uint r = 0u; r < ROWS; r++) { \
			float one = from_lane(s[r * C + C_OF(y)], LANE_OF(y)); \
			[[unroll]] for (uint i = 0u; i < N * 4u; i++) \
				acc[r * N * 4u + i] = acc[r * N * 4u + i] + one * tile[y * N + i / 4u][i % 4u]; \
		}

/* A gradient: add_NAME stores what it adds up to, or adds that to what is there. */
#define GRADIENT(b, name) \
	layout(binding = b) buffer name##_by4 { vec4 name##4[]; }; \
	layout(binding = b) buffer name##_by8 { u64vec2 name##8[]; }; \
	void add_##name(uint i, vec4 g, bool add) \
	{ \
		vec4 v = hlx_store(g); \
		if (add) \
			v = hlx_accum(name##4[i], g); \
		uvec4 w = floatBitsToUint(v); \
		if (WIDE) \
			name##8[i] = u64vec2(packUint2x32(w.xy), packUint2x32(w.zw)); \
		else \
			name##4[i] = v; \
	}

/* What rows carry, `size` of it a group of ROWS: the first group has had its turn, and what it then has comes behind the others. */
#define MOVE_DOWN(all, size) \
	[[unroll]] for (uint i = 0u; i < GROUPS - 1u; i++) \
		[[unroll]] for (uint j = 0u; j < (size); j++) \
			all[i * (size) + j] = all[(i + 1u) * (size) + j];
#define MOVE_BEHIND(all, next, size) \
	MOVE_DOWN(all, size) \
	[[unroll]] for (uint j = 0u; j < (size); j++) \
		all[(GROUPS - 1u) * (size) + j] = next[j];
