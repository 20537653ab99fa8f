/*
 * slots.glsl - the body of the kernels that add the batch slots of a gradient.
 *
 * part0 ... part7: (n), one slot's partial sums each   out: (n)   squares: (ceil(n / 1024))
 *
 * A "row" is a block of 1,024 elements.  The sums of up to 8 slots are added as the tree P[i] += P[i + w], w = 1, 2, 4.
 */
#ifdef HLX_PUBLIC
#define SLOTS_ID 0
#else
#define SLOTS_ID 1
#endif
#define ROWS_VEC_ID 2
#include "hlx.glsl"
#include "../rows.glsl"

layout(constant_id = SLOTS_ID) const uint slots = 1u; /* 1, 2, 4 or 8 */
layout(push_constant) uniform Push {
	uint n;
	uint first;        /* out starts here, else it is added to */
	uint last;         /* out is complete: flush, and sum squares */
	uint first_square; /* where in squares block 0 goes */
} ONCE_BLOCK(push);
ONCE(uint, push, n)
ONCE(uint, push, first_square)
#ifdef ROWS_TEXEL /* a branch costs lavapipe both of its sides */
layout(constant_id = 3) const uint first = 1u;
layout(constant_id = 4) const uint last = 1u;
#define PART(i) \
	layout(binding = i) uniform samplerBuffer part##i; \
	vec4 read_part##i(uint g) \
	{ \
		return texelFetch(part##i, int(g)); \
	}
#else
#define PART(i) \
	layout(binding = i) readonly restrict buffer Part##i { vec4 data##i[]; }; \
	vec4 read_part##i(uint g) \
	{ \
		return data##i[g]; \
	}
#endif
PART(0)
PART(1)
PART(2)
PART(3)
PART(4)
PART(5)
PART(6)
PART(7)
ROWS_INOUT(8, 10, out)
layout(binding = 9) writeonly restrict buffer Squares { float squares[]; };

/* A run of partial sums is padded to whole vec4s: only what lies beyond those needs care. */
vec4 slot_tree(uint g)
{
	uint i = min(g, (n - 1u) / 4u);
	vec4 t = read_part0(i);
	if (slots > 1u)
		t = t + read_part1(i);
	if (slots > 2u)
		t = t + (read_part2(i) + read_part3(i));
	if (slots > 4u)
		t = t + ((read_part4(i) + read_part5(i)) + (read_part6(i) + read_part7(i)));
	return t;
}

void main()
{
	uint blocks = (n + 1023u) / 1024u;
	HLX_FOR_ROWS(block, blocks) {
		uint end = block < blocks ? n : 0u;
		vec4 sum[4] = HLX_ZEROS;
		HLX_FOR_GROUPS(i, 1024u,
			uint g = 256u * block + i;
			vec4 t = slot_tree(g);
			if (first == 0u)
				t = read_out(0u, g, n) + t;
			if (last != 0u)
				t = hlx_store(t);
			write_out(0u, g, n, end, t);
			sum[HLX_AT] += hlx_tail(hlx_mul(t, t), g, end);
		)
		float s = hlx_row_tree(sum);
		if (last != 0u && hlx_row_lane() == 0u && end > 0u)
			squares[first_square + block] = s;
	} HLX_NEXT_ROWS(block, blocks);
}
