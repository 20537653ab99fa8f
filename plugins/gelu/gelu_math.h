/*
 * gelu_math.h - gelu of one element, one text for the reference and the kernels.
 *
 *     x * 0.5 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))  =  x * sigma(w),  w = 2 sqrt(2/pi) * (x + 0.044715 x^3)
 *
 * because (1 + tanh(w / 2)) / 2 = 1 / (1 + e^-w) = sigma(w).  This form keeps its relative precision for negative x, where
 * 1 + tanh cancels (at x = -4 all but 10 bits), and saves half of the tanh.  Its derivative is
 *
 *     sigma(w) + x * w' * sigma(w) * sigma(-w),  w' = 2 sqrt(2/pi) * (1 + 3 * 0.044715 x^2)
 *
 * |w| passes 34, where e^-|w| is 0, before |x| = 7, so clamping x to +-16 inside w and w' changes no bit and keeps
 * x^3 finite.  Denormals: x is 0 or >= 2^-50; e, r and s lie in [2^-50, 1], or are 0; other products are hlx_mul's.
 */
#ifndef GELU_MATH_H
#define GELU_MATH_H

#include "hlx/math.h"

#define GELU_C1 hlx_float(0x3fcc422au) /* 2 sqrt(2/pi) */
#define GELU_C3 hlx_float(0x3d922279u) /* 2 sqrt(2/pi) * 0.044715 */
#define GELU_D3 hlx_float(0x3e5b33b6u) /* three times that */

HLX_FN float gelu_clamp(float x)
{
	x = x > 16.0f ? 16.0f : x;
	return x < -16.0f ? -16.0f : x;
}

HLX_FN float gelu_w(float c, float c2)
{
	return hlx_mul(c, GELU_C1 + hlx_mul(GELU_C3, c2));
}

/* e^-|w| */
HLX_FN float gelu_e(float w)
{
	return hlx_exp(hlx_float(hlx_bits(w) | 0x80000000u));
}

/* Not yet flushed. */
HLX_FN float gelu_value(float x)
{
	float c = gelu_clamp(x);
	float w = gelu_w(c, hlx_mul(c, c));
	float e = gelu_e(w);
	float r = hlx_div_core(1.0f, 1.0f + e);
	return hlx_mul(x, w < 0.0f ? e * r : r);
}

/* dx, not yet flushed. */
HLX_FN float gelu_slope(float x, float dy)
{
	float c = gelu_clamp(x);
	float c2 = hlx_mul(c, c);
	float w = gelu_w(c, c2);
	float e = gelu_e(w);
	float r = hlx_div_core(1.0f, 1.0f + e);
	float er = e * r;
	float t = hlx_mul(hlx_mul(c, GELU_C1 + hlx_mul(GELU_D3, c2)), er * r);
	return hlx_mul(dy, (w < 0.0f ? er : r) + t);
}

#endif
