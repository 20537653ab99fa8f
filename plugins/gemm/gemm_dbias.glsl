/*
 * gemm_dbias.glsl - dbias (slots, n): run y adds, in order, the terms of blocks first ... first + count of slot y.
 * A block is 32 rows of one sequence of seq rows, the last one short; its term is the chain from +0 over its rows.
 *
 * A lane owns 4 columns (VEC; rows start at multiples of 16 bytes) or one.  AHEAD loads are in flight; those past
 * a block's end repeat its last row and count as +0, which changes no chain from +0.  Loops test at their end: see
 * simd.glsl.
 */
layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint VEC = 1u;
layout(constant_id = 2) const uint AHEAD = 8u;

layout(push_constant, std430) uniform Push {
	uint n, row, seq, blocks, first, count, base, slot_rows, slot_stride, go_on;
} p;
#ifdef DBIAS_TEXEL
layout(binding = 0) uniform samplerBuffer dc4;
#define LOAD(at) texelFetch(dc4, int((at) >> 2))
#else
layout(std430, binding = 0) restrict readonly buffer In { float dc[]; };
layout(std430, binding = 0) restrict readonly buffer In4 { vec4 dc4[]; };
#define LOAD(at) (VEC != 0u ? dc4[(at) >> 2] : vec4(dc[at], 0.0, 0.0, 0.0))
#endif
layout(std430, binding = 1) buffer Out { float dbias[]; };

/* The block of len rows from at on. */
vec4 term_of(uint at, uint len)
{
	vec4 term = vec4(0.0);
	uint r = 0u;
	do {
		vec4 x[AHEAD];
		[[unroll]] for (uint i = 0u; i < AHEAD; i++)
			x[i] = LOAD(at + min(r + i, len - 1u) * p.row);
		[[unroll]] for (uint i = 0u; i < AHEAD; i++)
			term = term + (r + i < len ? x[i] : vec4(0.0));
		r += AHEAD;
	} while (r < len);
	return term;
}

void main()
{
	uint width = VEC != 0u ? 4u : 1u;
	uint col = gl_GlobalInvocationID.x * width, slot = gl_WorkGroupID.y;
	uint out_at = slot * p.slot_stride + col;
	vec4 acc = vec4(0.0);

	if (col >= p.n)
		return;
	if (p.go_on != 0u)
		for (uint i = 0u; i < width; i++)
			acc[i] = dbias[out_at + i];
	uint q = p.first % p.blocks, b = 0u;
	uint at = p.base + (slot * p.slot_rows + p.first / p.blocks * p.seq + q * 32u) * p.row + col;
	do {
		uint len = min(32u, p.seq - q * 32u);
		acc = acc + term_of(at, len);
		at += len * p.row;
		q = q + 1u < p.blocks ? q + 1u : 0u;
		b++;
	} while (b < p.count);
	for (uint i = 0u; i < width; i++)
		dbias[out_at + i] = acc[i];
}
