/*
 * hlx.glsl - what portable kernels share: hlx/math.h, its vec4 forms, the grid of row kernels and their fixed tree.
 *
 *     #version 450
 *     #extension GL_GOOGLE_include_directive : require
 *     #include "hlx.glsl"
 *
 * A workgroup is one subgroup of HLX_LANES = 4, 8, 16, 32 or 64 invocations, or several of 16 or more: specialization
 * constant 0, which is local_size_x.  A kernel with another layout defines HLX_OWN_LAYOUT before the include, and has no rows.
 *
 * Rows.  HLX_G = min(HLX_LANES, 16) lanes own a row, so a workgroup owns HLX_ROWS = HLX_LANES / HLX_G rows at a time.  A
 * row is read in groups of 4 elements: group g is elements 4g to 4g + 3.  It belongs to lane g % HLX_G, and
 * is added to that lane's acc[g / HLX_G % HLX_J], HLX_J = 16 / HLX_G.  So component c of acc[j] in lane l is virtual lane
 * 4 HLX_G j + 4 l + c of the 64 that define the order of a row's sum (hlx/tree.h), whatever HLX_LANES is:
 *
 *     bits of the virtual lane    5 4 3 2 1 0        HLX_LANES = 4: j j l l c c    8: j l l l c c    16, 32, 64: l l l l c c
 *
 *     HLX_FOR_ROWS(row, rows) {               // as many turns in every lane, so that shuffles stay uniform;
 *             vec4 acc[4] = HLX_ZEROS;        // rows past the end take part, with zeros
 *             HLX_FOR_GROUPS(g, cols,         // 16 groups a turn, in all lanes of a row together
 *                     acc[HLX_AT] += hlx_tail(load(row, g), g, row < rows ? cols : 0u);
 *             )                               // HLX_AT is a literal: nothing to unroll
 *             float sum = hlx_row_tree(acc);  // the same bits in every lane of the row
 *     } HLX_NEXT_ROWS(row, rows);
 *
 * Both loops test at their end, and so have one turn at least: lavapipe runs the body of a loop that tests at its start once
 * more, with every lane masked, which is a quarter of a row of 256.
 *
 *     vec4 kept[HLX_KEPT_SIZE(KEEP)];         // a row in registers: KEEP, a specialization constant, turns of it, or 0
 *     HLX_FOR_KEPT(g, KEEP, cols,             // HLX_FOR_GROUPS, unrolled where KEEP is not 0; then cols <= 64 KEEP
 *             vec4 v = load(row, g);
 *             if (KEEP > 0u)
 *                     kept[HLX_KEPT] = v;     // the place of this group, then a constant
 *     )
 *
 * HLX_PUBLIC: the same rows for any device, whatever its subgroups: a workgroup is the 16 lanes of one row, which exchange
 * through shared memory.  Slow on CPU drivers, where barrier() is.
 *
 * Loops: a row costs ceil(cols / 64) turns, and a workgroup sees ceil(rows / (HLX_ROWS gl_NumWorkGroups.x)) rows.
 */
#ifndef HLX_GLSL
#define HLX_GLSL

#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require

#include "hlx/math.h"

/* vec4 and vec2 forms */

/* Magnitudes are compared as floats: a NaN is not less, and a denormal is, kept or flushed.  On an H200 that is two instructions
 * of its slower pipe instead of the three of the bits' comparison. */
vec4 hlx_store(vec4 x)
{
	return mix(x, vec4(0.0f), lessThan(abs(x), vec4(hlx_float(HLX_BITS_2M50))));
}

vec4 hlx_mul(vec4 a, vec4 b)
{
	vec4 p = a * b;
	return mix(p, vec4(0.0f), lessThan(abs(p), vec4(hlx_float(HLX_BITS_2M100))));
}

vec4 hlx_mul(vec4 a, float b)
{
	return hlx_mul(a, vec4(b));
}

vec4 hlx_accum(vec4 prev, vec4 r)
{
	return hlx_store(prev + hlx_store(r));
}

vec4 hlx_select(bvec4 c, vec4 a, vec4 b)
{
	return mix(b, a, c);
}

vec2 hlx_store(vec2 x)
{
	return mix(x, vec2(0.0f), lessThan(abs(x), vec2(hlx_float(HLX_BITS_2M50))));
}

vec2 hlx_mul(vec2 a, vec2 b)
{
	vec2 p = a * b;
	return mix(p, vec2(0.0f), lessThan(abs(p), vec2(hlx_float(HLX_BITS_2M100))));
}

vec2 hlx_accum(vec2 prev, vec2 r)
{
	return hlx_store(prev + hlx_store(r));
}

/*
 * Written out, where a CPU driver's time goes: hlx/math.h's text with four elements side by side, so that four chains of
 * dependent operations are under way at a time (1.5 x on lavapipe, which keeps the order that it is given).
 */
vec4 hlx_cut12(vec4 x)
{
	return hlx_float(hlx_bits(x) & 0xfffff000u);
}

vec4 hlx_div_core(vec4 m, vec4 d)
{
	vec4 y = hlx_float(0x7eb50400u - hlx_bits(d));
	y = y * (hlx_float(0x403256a3u) - hlx_float(0x3ff87216u) * (d * y));
	y = y * (2.0f - d * y);
	vec4 q = hlx_cut12(m * y);
	vec4 hi = hlx_cut12(d);
	vec4 r = (m - q * hi) - q * (d - hi);
	return q + r * y;
}

vec4 hlx_mantissa(uvec4 bits)
{
	return hlx_float((bits & 0x007fffffu) | 0x3f800000u);
}

vec4 hlx_div(vec4 n, vec4 a)
{
	uvec4 nb = hlx_bits(n) & HLX_BITS_MAG, ab = hlx_bits(a) & HLX_BITS_MAG;
	bvec4 tiny = lessThan(ab, uvec4(0x00800000u));
	uvec4 neg = (hlx_bits(n) ^ mix(hlx_bits(a), uvec4(0u), tiny)) & 0x80000000u;
	uvec4 db = max(ab, uvec4(0x00800000u));
	vec4 q = hlx_div_core(hlx_mantissa(nb), hlx_mantissa(db));
	q = q + q;
	ivec4 e = clamp(ivec4(nb >> 23u) - ivec4(db >> 23u) + 126, 1, 255);
	uvec4 z = hlx_bits(q * hlx_float(uvec4(e) << 23u));
	z = mix(z | neg, uvec4(0u), lessThan(z, uvec4(HLX_BITS_2M100)));
	z = mix(z, uvec4(0u), lessThan(nb, uvec4(0x00800000u)));
	return hlx_float(mix(z, uvec4(HLX_BITS_NAN), greaterThanEqual(max(nb, ab), uvec4(HLX_BITS_INF))));
}

vec4 hlx_rsqrt_core(vec4 x)
{
	vec4 y = hlx_float(0x5f1ffff9u - (hlx_bits(x) >> 1u));
	vec4 h = 0.5f * x;
	vec4 r = y * y;
	r = x * r;
	r = hlx_float(0x3fd748f4u) - hlx_float(0x3f343637u) * r;
	y = hlx_cut12(y * r);
	r = 0.5f - h * (y * y);
	r = r * (1.0f + 1.5f * r);
	return y + y * r;
}

vec4 hlx_keep_nan(vec4 x, vec4 y)
{
	return hlx_select(greaterThan(hlx_bits(x) & HLX_BITS_MAG, uvec4(HLX_BITS_INF)), vec4(hlx_float(HLX_BITS_NAN)), y);
}

vec4 hlx_sqrt(vec4 x)
{
	vec4 least = vec4(hlx_float(HLX_BITS_2M100)), most = vec4(hlx_float(HLX_BITS_2P100));
	vec4 c = hlx_select(greaterThan(x, least), x, least);
	c = hlx_select(lessThan(c, most), c, most);
	vec4 y = hlx_rsqrt_core(c);
	vec4 s = c * y;
	vec4 r = c - s * s;
	s = s + (0.5f * y) * r;
	return hlx_keep_nan(x, hlx_select(lessThan(x, least), vec4(0.0f), s));
}

/* hlx_exp where x <= 0, or is a NaN: then some NaN.  Beyond, anything.  Below -34 the last line drops what comes out. */
vec4 hlx_exp_down(vec4 x)
{
	vec4 t = x * hlx_float(0x3fb8aa3bu) + 12582912.0f;
	uvec4 scale = (hlx_bits(t) << 23u) + 0x3f800000u;
	vec4 k = t - 12582912.0f;
	vec4 r = x - k * 0.693359375f;
	r = r - k * hlx_float(0xb95e8083u);
	vec4 p = vec4(hlx_float(0x39506967u));
	p = p * r + hlx_float(0x3ab743ceu);
	p = p * r + hlx_float(0x3c088908u);
	p = p * r + hlx_float(0x3d2aa9c1u);
	p = p * r + hlx_float(0x3e2aaaaau);
	p = p * r + 0.5f;
	p = p * (r * r) + r;
	p = p + 1.0f;
	p = p * hlx_float(scale);
	return hlx_select(lessThan(x, vec4(-34.0f)), vec4(0.0f), p);
}

vec4 hlx_exp(vec4 x)
{
	vec4 c = hlx_select(lessThan(x, vec4(88.0f)), x, vec4(88.0f));
	return hlx_keep_nan(x, hlx_exp_down(c));
}

#define HLX_VEC4_FORM(f) vec4 f(vec4 x) { return vec4(f(x.x), f(x.y), f(x.z), f(x.w)); }
HLX_VEC4_FORM(hlx_rcp)
HLX_VEC4_FORM(hlx_rsqrt)
HLX_VEC4_FORM(hlx_log)
HLX_VEC4_FORM(hlx_tanh)

/* By comparison: the built-in max may drop a NaN or not. */
float hlx_max(float a, float b)
{
	return a > b ? a : b;
}

vec4 hlx_max(vec4 a, vec4 b)
{
	return mix(b, a, greaterThan(a, b));
}

/* x is group g of a run of n elements: those at n and beyond become `fill`, or +0 where there is none. */
vec4 hlx_tail(vec4 x, uint g, uint n, float fill)
{
	return mix(vec4(fill), x, lessThan(uvec4(4u * g) + uvec4(0u, 1u, 2u, 3u), uvec4(n)));
}

vec4 hlx_tail(vec4 x, uint g, uint n)
{
	return hlx_tail(x, g, n, 0.0f);
}

#ifndef HLX_OWN_LAYOUT

#ifdef HLX_PUBLIC

layout(local_size_x = 16) in;
const uint HLX_G = 16u;
const uint HLX_J = 1u;
const uint HLX_ROWS = 1u;
#define hlx_lane gl_LocalInvocationIndex

shared vec4 hlx_exchange[16];

vec4 hlx_shuffle_xor(vec4 v, uint mask)
{
	hlx_exchange[hlx_lane] = v;
	barrier();
	vec4 r = hlx_exchange[hlx_lane ^ mask];
	barrier();
	return r;
}

float hlx_shuffle_xor(float v, uint mask)
{
	return hlx_shuffle_xor(vec4(v), mask).x;
}

#else

layout(local_size_x_id = 0) in;
const uint HLX_LANES = gl_WorkGroupSize.x;
const uint HLX_G = HLX_LANES < 16u ? HLX_LANES : 16u;
const uint HLX_J = 16u / HLX_G;
const uint HLX_ROWS = HLX_LANES / HLX_G;
#define hlx_lane gl_SubgroupInvocationID
#define hlx_shuffle_xor subgroupShuffleXor

#endif

#define HLX_ZEROS vec4[4](vec4(0.0f), vec4(0.0f), vec4(0.0f), vec4(0.0f))
#define HLX_LOWEST uintBitsToFloat(0xff800000u) /* -infinity: where a row's maximum starts */

/* This lane in its workgroup, subgroup by subgroup. */
uint hlx_lane_index()
{
#ifdef HLX_PUBLIC
	return hlx_lane;
#else
	uint subgroup = gl_SubgroupID, lanes = gl_SubgroupSize, lane = hlx_lane;
	return HLX_G < 16u ? lane : subgroup * lanes + lane;
#endif
}

/* Rows that a subgroup does side by side. */
uint hlx_rows_beside()
{
#ifdef HLX_PUBLIC
	return 1u;
#else
	uint lanes = gl_SubgroupSize;
	return HLX_G < 16u ? 1u : lanes / 16u;
#endif
}

/* This lane among the HLX_G of its row, and its row among the HLX_ROWS of the workgroup. */
uint hlx_row_lane()
{
	return hlx_lane % HLX_G;
}

uint hlx_row_index()
{
	return hlx_lane_index() / HLX_G;
}

#define HLX_FOR_ROWS(row, rows) \
	uint hlx_base = gl_WorkGroupID.x * HLX_ROWS; \
	uint row = hlx_base + hlx_row_index(); \
	do
#define HLX_NEXT_ROWS(row, rows) \
	while ((row += gl_NumWorkGroups.x * HLX_ROWS, (hlx_base += gl_NumWorkGroups.x * HLX_ROWS) < (rows)))

#define HLX_GROUPS(g, body) { \
		uint g = 16u * hlx_turn + hlx_row_lane(); \
		{ const uint HLX_AT = 0u; body } \
		if (HLX_J > 1u) { g += HLX_G; { const uint HLX_AT = 1u; body } } \
		if (HLX_J > 2u) { \
			g += HLX_G; { const uint HLX_AT = 2u; body } \
			g += HLX_G; { const uint HLX_AT = 3u; body } \
		} \
	}

/* body for every group g of a row, HLX_AT being the accumulator that takes it. */
#define HLX_FOR_GROUPS(g, cols, body) { \
		uint hlx_turn = 0u; \
		do \
			HLX_GROUPS(g, body) \
		while (++hlx_turn * 64u < (cols)); \
	}

#define HLX_KEPT (hlx_turn * HLX_J + HLX_AT)
#define HLX_KEPT_SIZE(keep) (((keep) > 0u ? (keep) : 1u) * HLX_J)
#define HLX_FOR_KEPT(g, keep, cols, body) \
	if ((keep) > 0u) { \
		[[unroll]] for (uint hlx_turn = 0u; hlx_turn < (keep); ++hlx_turn) \
			if (hlx_turn * 64u < (cols)) \
				HLX_GROUPS(g, body) \
	} else { \
		HLX_FOR_GROUPS(g, cols, body) \
	}

/* A row in chunks of `size` turns, body for each: HLX_EACH(g, size, ...) then goes through its groups, unrolled, HLX_KEPT being
 * the place of each in the chunk.  g may lie past the row's end.  Where the row is kept, it is one chunk. */
#define HLX_FOR_CHUNKS(keep, size, cols, body) { \
		uint hlx_first = 0u; \
		do { \
			body \
			hlx_first += (size); \
		} while ((keep) == 0u && hlx_first * 64u < (cols)); \
	}
#define HLX_EACH(g, size, body) \
	[[unroll]] for (uint hlx_turn = 0u; hlx_turn < (size); ++hlx_turn) \
		HLX_GROUPS(hlx_group, uint g = 16u * hlx_first + hlx_group; body)

/* HLX_FOR_KEPT where rows are kept, and else nothing: loads that are to be under way together. */
#define HLX_IF_KEPT(g, keep, cols, body) \
	if ((keep) > 0u) \
		[[unroll]] for (uint hlx_turn = 0u; hlx_turn < (keep); ++hlx_turn) \
			if (hlx_turn * 64u < (cols)) \
				HLX_GROUPS(g, body)

/* The sum of the row's 64 virtual lanes: halved over j in registers, over l by shuffles, then over c. */
float hlx_row_tree(vec4 acc[4])
{
	vec4 v = acc[0];
	if (HLX_J == 4u)
		v = (acc[0] + acc[2]) + (acc[1] + acc[3]);
	else if (HLX_J == 2u)
		v = acc[0] + acc[1];
	if (HLX_G > 8u)
		v += hlx_shuffle_xor(v, 8u);
	if (HLX_G > 4u)
		v += hlx_shuffle_xor(v, 4u);
	v += hlx_shuffle_xor(v, 2u);
	v += hlx_shuffle_xor(v, 1u);
	vec2 h = v.xy + v.zw;
	return h.x + h.y;
}

/* The row's maximum, from each lane's (any number of its groups put together with hlx_max). */
float hlx_row_max(vec4 v)
{
	vec2 h = vec2(hlx_max(v.x, v.z), hlx_max(v.y, v.w));
	float m = hlx_max(h.x, h.y);
	if (HLX_G > 8u)
		m = hlx_max(m, hlx_shuffle_xor(m, 8u));
	if (HLX_G > 4u)
		m = hlx_max(m, hlx_shuffle_xor(m, 4u));
	m = hlx_max(m, hlx_shuffle_xor(m, 2u));
	return hlx_max(m, hlx_shuffle_xor(m, 1u));
}

#endif

#endif
