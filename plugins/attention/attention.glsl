/*
 * attention.glsl - what attention's kernels share: the push block, where things lie, who sees whom.
 *
 * Element d of row t of head z of a window, of tensor s: base[s] + (z / heads) s0[s] + (z % heads) s1[s] + t row[s] + d.
 */
#define ATTENTION_Q 0
#define ATTENTION_K 1
#define ATTENTION_V 2
#define ATTENTION_O 3

#define ATTENTION_PUSH \
	uint tq, tk, dh, heads; \
	int first, slope; /* query i sees the keys j < first + slope i, at most tk */ \
	float scale; \
	uint flags; \
	uvec4 base, row, s0, s1; /* of q, k, v, o */ \
	uint stat_base, z0;

#ifdef CPU_BUILD /* p is a variable, read where main() begins: see cpu.glsl */
layout(push_constant, std430) uniform Push { ATTENTION_PUSH } push;
struct Pushed { ATTENTION_PUSH };
Pushed p = Pushed(push.tq, push.tk, push.dh, push.heads, push.first, push.slope, push.scale, push.flags, push.base, push.row, push.s0,
	push.s1, push.stat_base, push.z0);
#else
layout(push_constant, std430) uniform Push { ATTENTION_PUSH } p;
#endif

#define ATTENTION_KEEP 1u
#define ATTENTION_ACCUM_0 2u
#define ATTENTION_ACCUM_1 4u
#define ATTENTION_SKIP_0 8u
#define ATTENTION_SKIP_1 16u

/*
 * This workgroup's head of the window's, and its block of rows.  Heads run first: so the longest blocks of all heads come before
 * the shorter ones, of which few are left when a device runs dry (forward of 24 heads of 4,096 on an H200: 6 % less).
 */
uint attention_z()
{
	return p.z0 + gl_WorkGroupID.x;
}

uint attention_block()
{
	return gl_WorkGroupID.y;
}

/* The first element of this workgroup's head of a tensor, and of its rows' statistics. */
uint attention_head(int s)
{
	uint z = attention_z();
	return p.base[s] + z / p.heads * p.s0[s] + z % p.heads * p.s1[s];
}

uint attention_stats()
{
	return p.stat_base + attention_z() * p.tq;
}

uint attention_seen(uint query)
{
	return uint(min(max(p.first + p.slope * int(query), 0), int(p.tk)));
}

bool attention_sees(uint query, uint key)
{
	return query < p.tq && key < attention_seen(query);
}

/* The first query that sees a key, when any does. */
uint attention_first(uint key)
{
	return uint(max(int(key) + 1 - p.first, 0)) * uint(p.slope);
}

/* Where the dS of a key and 4 queries is, in vec4s: (heads of the window, keys, queries), both padded to whole tiles. */
uint kept_place(uint key, uint query)
{
	uint keys = (p.tk + 63u) / 64u * 64u, groups = (p.tq + 63u) / 64u * 16u;
	return (gl_WorkGroupID.x * keys + key) * groups + (query >> 2);
}
