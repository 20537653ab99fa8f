/*
 * gelu.glsl - gelu_math.h with four elements side by side, and * for hlx_mul: none of these products is below 2^-124, and
 * hlx_store, which is to follow, makes +0 of what is below 2^-50.  With |c| in [2^-50, 16]:
 *
 *     c2 >= 2^-100, C3 c2 and D3 c2 >= 2^-104 (next to C1 they vanish), c (C1 + ...) >= 2^-50, all of them or 0;
 *     e, r, e r as there; the sum with t cancels only near x = -0.75, where it is a multiple of 2^-28, and is
 *     a multiple of 2^-74 anywhere else: with dy >= 2^-50, 2^-124.
 */
#include "gelu_math.h"

vec4 gelu_clamp(vec4 x)
{
	x = hlx_select(greaterThan(x, vec4(16.0f)), vec4(16.0f), x);
	return hlx_select(lessThan(x, vec4(-16.0f)), vec4(-16.0f), x);
}

vec4 gelu_e(vec4 w)
{
	return hlx_exp_down(hlx_float(hlx_bits(w) | 0x80000000u));
}

vec4 gelu_value(vec4 x)
{
	vec4 c = gelu_clamp(x);
	vec4 w = c * (GELU_C1 + c * c * GELU_C3);
	vec4 e = gelu_e(w);
	vec4 r = hlx_div_core(vec4(1.0f), 1.0f + e);
	return x * hlx_select(lessThan(w, vec4(0.0f)), e * r, r);
}

vec4 gelu_slope(vec4 x, vec4 dy)
{
	vec4 c = gelu_clamp(x), c2 = c * c;
	vec4 w = c * (GELU_C1 + c2 * GELU_C3);
	vec4 e = gelu_e(w);
	vec4 r = hlx_div_core(vec4(1.0f), 1.0f + e);
	vec4 er = e * r;
	vec4 t = c * (GELU_C1 + c2 * GELU_D3) * (er * r);
	return dy * (hlx_select(lessThan(w, vec4(0.0f)), er, r) + t);
}
