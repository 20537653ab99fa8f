/*
 * simd.glsl - C = A B on a CPU driver, where a subgroup is a SIMD register and a workgroup a piece of a thread's loop.
 *
 * A workgroup is one subgroup of HLX_LANES = 4, 8 or 16 lanes and owns 32 rows x 4 HLX_LANES columns of C: a lane has 4
 * neighbouring columns of all 32 rows.  (16 rows: 6 % slower, as A and B are fetched more often.)  For each KU of k it
 *     fetches A and B whole, 16 bytes a lane: texel fetches where the driver has them for large buffers (a call of
 *     some 17 cycles on lavapipe, against a loop over the lanes for a storage buffer), which spill every register;
 *     then works 4 rows at a time, their 16 accumulators staying in registers for all KU products of the chain
 *     (1.35 x over one k at a time), A's elements coming from a lane each by a shuffle with a constant index, or a broadcast.
 * KU = 4 and 16 are 15 % slower (more spilling; more code than the instruction cache holds), fetches of A between the rows'
 * products 5 to 10 %.  16 lanes take 0.85 x (lavapipe 22) and 0.74 x (26) the time of 8: half as much is fetched and spilled, and
 * fetches are a third to a half of all.  The loop tests at its end: lavapipe runs the body after a test at the start once more,
 * with every lane masked.
 *
 *     A stored (m, k)      lane l holds row HLX_LANES i + l, 4 values of k a fetch
 *     A stored (k, m), TA  lane l holds k + l % KU, 4 rows a fetch; of 16 lanes the upper 8 the next 4
 *     B stored (k, n)      4 columns of one k a fetch
 *     B stored (n, k), TB  4 values of k of one column
 *
 * What the shape does not need is left out by specialization:  EDGE: m, n or k end inside a tile (indices are clamped,
 * and both operands are +0 beyond k, which changes no chain).  A_SCALAR, B_SCALAR, C_SCALAR: rows do not start
 * at multiples of 16 bytes.  GO_ON: GEMM_CONTINUE.  ADD: GEMM_ACCUM.
 * UNIFORM: what is the same in all lanes is worked out once (caps.uniform), as lavapipe 25 and 26 do, which make a loop of a
 * shuffle of 16 lanes; 22 makes one of a broadcast.
 *
 * Modules with NEXT end with a neighbour's work: with TB those of a forward pass, else gelu's backward pass.  Which, is known
 * when they run alone: a further kernel costs 0.6 s of compiling.
 */
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_ballot : require

layout(constant_id = 1) const bool EDGE = false;
layout(constant_id = 2) const bool A_SCALAR = false;
layout(constant_id = 3) const bool B_SCALAR = false;
layout(constant_id = 4) const bool C_SCALAR = false;
layout(constant_id = 5) const bool GO_ON = false;
layout(constant_id = 6) const bool ADD = false;
layout(constant_id = 7) const bool UNIFORM = false;

#ifdef SIMD_SSBO
layout(std430, binding = 0) readonly buffer A_ { float A[]; };
layout(std430, binding = 1) readonly buffer B_ { float B[]; };
layout(std430, binding = 0) readonly buffer A4_ { vec4 A4[]; };
layout(std430, binding = 1) readonly buffer B4_ { vec4 B4[]; };
#define FETCH_A(i) A4[(i) >> 2]
#define FETCH_B(i) B4[(i) >> 2]
#else
layout(binding = 0) uniform samplerBuffer A4;
layout(binding = 1) uniform samplerBuffer B4;
layout(std430, binding = 5) readonly buffer A_ { float A[]; };
layout(std430, binding = 6) readonly buffer B_ { float B[]; };
#define FETCH_A(i) texelFetch(A4, int((i) >> 2))
#define FETCH_B(i) texelFetch(B4, int((i) >> 2))
#endif
layout(std430, binding = 2) buffer C4_ { vec4 C4[]; };
layout(std430, binding = 2) buffer CW_ { uint CW[]; };
layout(std430, binding = 3) readonly buffer Bias4 { vec4 bias4[]; };
layout(std430, binding = 4) readonly buffer D4_ { vec4 D4[]; };

#define TM 32
#define ROWS 4 /* at a time: with 2 and 8 no faster */
#define L int(HLX_LANES)

/* The value of a lane whose number is constant. */
#ifdef SIMD_SSBO
#define from_lane subgroupShuffle /* with the condition SwiftShader compiles for minutes */
#else
float from_lane(float x, uint lane)
{
	if (UNIFORM)
		return subgroupBroadcast(x, lane);
	return subgroupShuffle(x, lane);
}
#endif

#if TA
#define KU (L < 8 ? L : 8)
#define AROWS (4 * (L / KU)) /* rows a fetch */
#define A_COUNT (TM / AROWS)
#define A_AT(i, u) from_lane(a[(i) / AROWS][(i) % 4], uint((i) % AROWS / 4 * KU + (u)))
#else
#define KU 8
#define A_COUNT (TM / L * (KU / 4))
#define A_AT(i, u) from_lane(a[(i) / L * (KU / 4) + (u) / 4][(u) % 4], uint((i) % L))
#endif
#if TB
#define B_COUNT KU /* 4 columns, KU / 4 fetches each */
#define B_AT(j, u) b[(j) * (KU / 4) + (u) / 4][(u) % 4]
#else
#define B_COUNT KU
#define B_AT(j, u) b[u][j]
#endif

/* Where matrix z of each operand starts. */
uint a_first, b_first, c_first;

/* 4 elements of op(A) from (i, k): along m if TA, else along k. */
vec4 load_a(uint i, uint k)
{
	uint last = p.k - 1u;
	if (A_SCALAR) {
		vec4 x;
#if TA
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			x[c] = A[a_first + min(k, last) * p.a_col + min(i + c, p.m - 1u)];
		return k <= last ? x : vec4(0.0);
#else
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			x[c] = k + c <= last ? A[a_first + min(i, p.m - 1u) * p.a_row + min(k + c, last)] : 0.0;
		return x;
#endif
	}
#if TA
	if (!EDGE)
		return FETCH_A(a_first + k * p.a_col + i);
	vec4 x = FETCH_A(a_first + min(k, last) * p.a_col + min(i, p.m - 4u));
#else
	if (!EDGE)
		return FETCH_A(a_first + i * p.a_row + k);
	vec4 x = FETCH_A(a_first + min(i, p.m - 1u) * p.a_row + min(k, p.k - 4u));
#endif
	return k <= last ? x : vec4(0.0);
}

/* 4 elements of op(B) from (k, j): along k if TB, else along n. */
vec4 load_b(uint k, uint j)
{
	uint last = p.k - 1u;
	if (B_SCALAR) {
		vec4 x;
#if TB
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			x[c] = k + c <= last ? B[b_first + min(j, p.n - 1u) * p.b_col + min(k + c, last)] : 0.0;
		return x;
#else
		[[unroll]] for (uint c = 0u; c < 4u; c++)
			x[c] = B[b_first + min(k, last) * p.b_row + min(j + c, p.n - 1u)];
		return k <= last ? x : vec4(0.0);
#endif
	}
#if TB
	if (!EDGE)
		return FETCH_B(b_first + j * p.b_col + k);
	vec4 x = FETCH_B(b_first + min(j, p.n - 1u) * p.b_col + min(k, p.k - 4u));
#else
	if (!EDGE)
		return FETCH_B(b_first + k * p.b_row + j);
	vec4 x = FETCH_B(b_first + min(k, last) * p.b_row + min(j, p.n - 4u));
#endif
	return k <= last ? x : vec4(0.0);
}

/*
 * Reads a word of each line of the tile of C, so that the stores at the end do not wait for one line after another; 0, which
 * no compiler knows.  (tiny's products on 8 lanes: 0.87 x the time on lavapipe 22.3.6, 0.93 x on 26.2.6, 1.05 x on 25.0.7.
 * Right before the stores: 0.99 x, 0.94 x.)
 */
uint touch(uint row0, uint lane)
{
	uint lines = HLX_LANES / 4u, col0 = gl_WorkGroupID.x * HLX_LANES * 4u, x = 0u;
	if (UNIFORM) {
		[[unroll]] for (uint i = 0u; i < TM; i++)
			[[unroll]] for (uint j = 0u; j < lines; j++)
				x |= CW[c_first + min(row0 + i, p.m - 1u) * p.c_row + min(col0 + j * 16u, p.n - 1u)];
	} else {
		[[unroll]] for (uint i = 0u; i < TM / 4u; i++) {
			uint t = i * HLX_LANES + lane, row = row0 + t / lines, col = col0 + t % lines * 16u;
			x |= CW[c_first + min(row, p.m - 1u) * p.c_row + min(col, p.n - 1u)];
		}
	}
	return x & p.flags & 0x80000000u;
}

vec4 begin(uint row, uint col)
{
	uint at = c_first + row * p.c_row + col;
	vec4 x = vec4(0.0);
	if (C_SCALAR) {
		for (uint c = 0u; c < 4u; c++)
			x[c] = D[c_first + min(row, p.m - 1u) * p.c_row + min(col + c, p.n - 1u)];
	} else if (!EDGE) {
		x = D4[at >> 2];
	} else {
		x = D4[(c_first + min(row, p.m - 1u) * p.c_row + min(col, p.n - 4u)) >> 2];
	}
	return x;
}

/* The bias of columns col ... col + 3; where there is none the binding holds something else. */
vec4 load_bias(uint col)
{
	vec4 x = vec4(0.0);
	bool any = (p.flags & GEMM_ADD_BIAS) != 0u;
	if (C_SCALAR) {
		for (uint c = 0u; c < 4u; c++)
			x[c] = bias[any ? p.bias_base + min(col + c, p.n - 1u) : 0u];
	} else {
		x = bias4[any ? (p.bias_base + min(col, p.n - 4u)) >> 2 : 0u];
	}
	return any ? x : vec4(0.0);
}

vec4 finish4(vec4 acc, vec4 add, vec4 old)
{
	vec4 r = hlx_store(acc + add);
	if (ADD)
		r = hlx_accum(old, acc);
	return (p.flags & GEMM_RAW) != 0u ? acc : r;
}

#ifdef NEXT
#include "simd_next.glsl"
#else
void end(vec4 acc, vec4 add, uint row, uint col)
{
	uint at = c_first + row * p.c_row + col;
	if (C_SCALAR) {
		for (uint c = 0u; c < 4u; c++)
			if (row < p.m && col + c < p.n) {
				float old = 0.0;
				if (ADD)
					old = C[at + c];
				C[at + c] = gemm_finish(acc[c], add[c], old);
			}
		return;
	}
	if (EDGE && (row >= p.m || col >= p.n))
		return;
	vec4 old = vec4(0.0);
	if (ADD)
		old = C4[at >> 2];
	C4[at >> 2] = finish4(acc, add, old);
}
#endif

void main()
{
	uint lane = gl_SubgroupInvocationID, row0 = gl_WorkGroupID.y * TM;
	uint col = (gl_WorkGroupID.x * HLX_LANES + lane) * 4u;
	uint z = p.z0 + gl_WorkGroupID.z, z0 = z / p.dim1, z1 = z - z0 * p.dim1;
	a_first = p.a_base + z0 * p.a_s0 + z1 * p.a_s1;
	b_first = p.b_base + z0 * p.b_s0 + z1 * p.b_s1;
	c_first = p.c_base + z0 * p.c_s0 + z1 * p.c_s1;

	c_first += touch(row0, lane);

	float acc[TM][4]; /* scalars: a vec4 that a loop carries costs lavapipe twice the moves */
	[[unroll]] for (int i = 0; i < TM; i++) {
		vec4 x = vec4(0.0);
		if (GO_ON)
			x = begin(row0 + i, col);
		[[unroll]] for (int j = 0; j < 4; j++)
			acc[i][j] = x[j];
	}

	uint k = 0u;
	do {
		vec4 a[A_COUNT], b[B_COUNT];
#if TA
		[[unroll]] for (int i = 0; i < A_COUNT; i++)
			a[i] = load_a(row0 + AROWS * i + lane / KU * 4u, k + lane % KU);
#else
		[[unroll]] for (int i = 0; i < TM / L; i++)
			[[unroll]] for (int v = 0; v < KU / 4; v++)
				a[i * (KU / 4) + v] = load_a(row0 + i * L + lane, k + 4 * v);
#endif
#if TB
		[[unroll]] for (int j = 0; j < 4; j++)
			[[unroll]] for (int v = 0; v < KU / 4; v++)
				b[j * (KU / 4) + v] = load_b(k + 4 * v, col + j);
#else
		[[unroll]] for (int u = 0; u < KU; u++)
			b[u] = load_b(k + u, col);
#endif
		[[unroll]] for (int g = 0; g < TM / ROWS; g++)
			[[unroll]] for (int u = 0; u < KU; u++)
				[[unroll]] for (int r = 0; r < ROWS; r++) {
					int i = g * ROWS + r;
					float x = A_AT(i, u);
					[[unroll]] for (int j = 0; j < 4; j++)
						acc[i][j] = acc[i][j] + x * B_AT(j, u);
				}
		k += KU;
	} while (k < p.k);

	vec4 add = load_bias(col);
	/* Rolled: a store is a loop over the lanes on lavapipe, and to compile 32 of them takes 1 s longer (25.0.7). */
	vec4 rows[TM];
	[[unroll]] for (int i = 0; i < TM; i++)
		rows[i] = vec4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]);
#if defined(NEXT) && TB
	/* Two loops, of which one has no turn: lavapipe runs both sides of a condition. */
	uint adds = WORK == 1u ? TM : 0u;
	[[dont_unroll]] for (uint i = 0u; i < adds; i++)
		end(rows[i], add, row0 + i, col, true);
	[[dont_unroll]] for (uint i = adds; i < TM; i++)
		end(rows[i], add, row0 + i, col, false);
#elif defined(NEXT)
	[[dont_unroll]] for (uint i = 0u; i < TM; i++)
		end(rows[i], add, row0 + i, col, false);
#else
	[[dont_unroll]] for (uint i = 0u; i < TM; i++)
		end(rows[i], add, row0 + i, col);
#endif
}
