/*
 * hlx.glsl - what portable kernels share: hlx/math.h, its vec4 forms, the grid of row kernels and their fixed tree.
 *
 *     #version 450
 *     #extension GL_GOOGLE_include_directive : require
 *     #include "hlx.glsl"
 *
 * A workgroup is one subgroup of HLX_LANES = 4, 8, 16, 32 or 64 invocations: specialization constant 0, which is
 * local_size_x.  A kernel with another layout defines HLX_OWN_LAYOUT before the include, and has no rows.
 *
 * Rows.  HLX_G = min(HLX_LANES, 16) lanes own a row, so a workgroup owns HLX_ROWS = HLX_LANES / HLX_G rows at a time.  A
 * row is read in groups of 4 elements: group g is elements 4g to 4g + 3.  It belongs to lane g % HLX_G, and
 * is added to that lane's acc[g / HLX_G % HLX_J], HLX_J = 16 / HLX_G.  So component c of acc[j] in lane l is virtual lane
 * 4 HLX_G j + 4 l + c of the 64 that define the order of a row's sum (hlx/tree.h), whatever HLX_LANES is:
 *
 *     bits of the virtual lane    5 4 3 2 1 0        HLX_LANES = 4: j j l l c c    8: j l l l c c    16, 32, 64: l l l l c c
 *
 *     #define ADD(j) acc[j] += hlx_tail(load(row, hlx_group(t, j)), hlx_group(t, j), row < rows ? cols : 0u);
 *     HLX_FOR_ROWS(row, rows) {               // as many turns in every lane, so that shuffles stay uniform;
 *             vec4 acc[4] = HLX_ACC_ZERO;     // rows past the end take part, with zeros
 *             HLX_FOR_TURNS(t, cols) {        // 16 groups a turn, in all lanes of a row together
 *                     HLX_EACH_ACC(ADD)       // ADD(0u) ADD(1u) ... HLX_J of them: literals, nothing to unroll
 *             }
 *             float sum = hlx_row_tree(acc);  // the same bits in every lane of the row
 *     }
 *
 * Loops: a row costs ceil(cols / 64) turns, and a workgroup sees ceil(rows / (HLX_ROWS gl_NumWorkGroups.x)) rows.
 */
#ifndef HLX_GLSL
#define HLX_GLSL

#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_shuffle : require

#include "hlx/math.h"

/* vec4 forms */

vec4 hlx_store(vec4 x)
{
	return mix(x, vec4(0.0f), lessThan(hlx_bits(x) & HLX_BITS_MAG, uvec4(HLX_BITS_2M50)));
}

vec4 hlx_mul(vec4 a, vec4 b)
{
	vec4 p = a * b;
	return mix(p, vec4(0.0f), lessThan(hlx_bits(p) & HLX_BITS_MAG, uvec4(HLX_BITS_2M100)));
}

vec4 hlx_mul(vec4 a, float b)
{
	return hlx_mul(a, vec4(b));
}

vec4 hlx_accum(vec4 prev, vec4 r)
{
	return hlx_store(prev + hlx_store(r));
}

vec4 hlx_div(vec4 n, vec4 a)
{
	return vec4(hlx_div(n.x, a.x), hlx_div(n.y, a.y), hlx_div(n.z, a.z), hlx_div(n.w, a.w));
}

#define HLX_VEC4_FORM(f) vec4 f(vec4 x) { return vec4(f(x.x), f(x.y), f(x.z), f(x.w)); }
HLX_VEC4_FORM(hlx_rcp)
HLX_VEC4_FORM(hlx_sqrt)
HLX_VEC4_FORM(hlx_rsqrt)
HLX_VEC4_FORM(hlx_exp)
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

layout(local_size_x_id = 0) in;
const uint HLX_LANES = gl_WorkGroupSize.x;
const uint HLX_G = HLX_LANES < 16u ? HLX_LANES : 16u;
const uint HLX_J = 16u / HLX_G;
const uint HLX_ROWS = HLX_LANES / HLX_G;

#define HLX_ACC_ZERO vec4[4](vec4(0.0f), vec4(0.0f), vec4(0.0f), vec4(0.0f))
#define HLX_LOWEST uintBitsToFloat(0xff800000u) /* -infinity: where a row's maximum starts */

/* This lane among the HLX_G of its row, and its row among the HLX_ROWS of the workgroup. */
uint hlx_row_lane()
{
	return gl_SubgroupInvocationID % HLX_G;
}

uint hlx_row_index()
{
	return gl_SubgroupInvocationID / HLX_G;
}

#define HLX_FOR_ROWS(row, rows) \
	for (uint hlx_base = gl_WorkGroupID.x * HLX_ROWS, row = hlx_base + hlx_row_index(); hlx_base < (rows); \
	     hlx_base += gl_NumWorkGroups.x * HLX_ROWS, row = hlx_base + hlx_row_index())

#define HLX_FOR_TURNS(t, cols) for (uint t = 0u; t * 64u < (cols); ++t)

/* The group that acc[j] takes in turn t. */
uint hlx_group(uint t, uint j)
{
	return 16u * t + HLX_G * j + hlx_row_lane();
}

#define HLX_EACH_ACC(DO) \
	DO(0u) \
	if (HLX_J > 1u) { \
		DO(1u) \
		if (HLX_J > 2u) { \
			DO(2u) \
			DO(3u) \
		} \
	}

/* The sum of the row's 64 virtual lanes: halved over j in registers, over l by shuffles, then over c. */
float hlx_row_tree(vec4 acc[4])
{
	vec4 v = acc[0];
	if (HLX_J == 4u)
		v = (acc[0] + acc[2]) + (acc[1] + acc[3]);
	else if (HLX_J == 2u)
		v = acc[0] + acc[1];
	if (HLX_G > 8u)
		v += subgroupShuffleXor(v, 8u);
	if (HLX_G > 4u)
		v += subgroupShuffleXor(v, 4u);
	v += subgroupShuffleXor(v, 2u);
	v += subgroupShuffleXor(v, 1u);
	vec2 h = v.xy + v.zw;
	return h.x + h.y;
}

/* The row's maximum, from each lane's (any number of its groups put together with hlx_max). */
float hlx_row_max(vec4 v)
{
	vec2 h = vec2(hlx_max(v.x, v.z), hlx_max(v.y, v.w));
	float m = hlx_max(h.x, h.y);
	if (HLX_G > 8u)
		m = hlx_max(m, subgroupShuffleXor(m, 8u));
	if (HLX_G > 4u)
		m = hlx_max(m, subgroupShuffleXor(m, 4u));
	m = hlx_max(m, subgroupShuffleXor(m, 2u));
	return hlx_max(m, subgroupShuffleXor(m, 1u));
}

#endif

#endif
