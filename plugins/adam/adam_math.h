/*
 * adam_math.h - Adam of one element, one text for the reference and the kernels.  ADAM_STORE(x) is what memory does to
 * m and v.
 *
 * Inside hlxt everything is Adam of G = 2^32 g, g the mean gradient, with 2^32 eps: m holds 2^32 and v 2^64 times what
 * Adam's do, and the update is the same.  Without that, v is lost to hlx_store as soon as (1 - beta2) g^2 < 2^-50, which
 * is |g| < 9.4e-7 with beta2 = 0.999, while m lives on, and the update becomes m / eps: against Adam in double, 5,000
 * steps of gradients near 1e-6 were off by up to 60 lr (and 1e-8 to 1e-6 is what large models have).  With it, v is lost
 * below |g| = 2.2e-16, far below eps = 1e-8, and gradients from 1e-14 to 1e2 were off by at most 2e-5 lr.
 * |G| is clamped to 2^49 (|g| to 131,072), so that v stays within the domain of hlx_sqrt.
 *
 * A plain * stands where both factors are 0 or >= 2^-50: what memory holds, and scalars, which the host flushes as if they
 * were stored.  There it is hlx_mul without its compare and select.
 */
#ifndef ADAM_MATH_H
#define ADAM_MATH_H

#include "hlx/math.h"

#define ADAM_SCALE hlx_float(0x4f800000u) /* 2^32 */
#define ADAM_LIMIT hlx_float(0x58000000u) /* 2^49 */

/* What makes G of the gradient of the summed loss; norm is that of the mean gradient, clip 0 for none. */
HLX_FN float adam_factor(float count, float norm, float clip)
{
	float scale = hlx_div(ADAM_SCALE, count > 0.0f ? count : 1.0f);
	float c = hlx_div(clip, norm + hlx_float(0x358637bdu)); /* 1e-6 */
	return hlx_store(clip > 0.0f && c < 1.0f ? hlx_mul(scale, c) : scale);
}

HLX_FN float adam_gradient(float grad, float factor)
{
	float g = grad * factor;
	g = g > ADAM_LIMIT ? ADAM_LIMIT : g;
	return g < -ADAM_LIMIT ? -ADAM_LIMIT : g;
}

/* beta m + (1 - beta) g, for v with g^2 */
HLX_FN float adam_average(float m, float g, float beta, float rest)
{
	return ADAM_STORE(beta * m + hlx_mul(rest, g));
}

/* bias1, bias2: 1 / (1 - beta^t) */
HLX_FN float adam_update(float m, float v, float bias1, float bias2, float eps)
{
	return hlx_div(m * bias1, hlx_sqrt(v * bias2) + eps);
}

HLX_FN float adam_param(float p, float update, float lr, float decay)
{
	return hlx_store(p - hlx_mul(lr, update + decay * p));
}

#endif
