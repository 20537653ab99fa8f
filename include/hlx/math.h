/*
 * hlx/math.h - the arithmetic of portable kernels and of their references: one text, C11 and GLSL 450.
 *
 * Only + - *, compare, select and integer operations, so that every IEEE machine returns the same bits, whether it
 * keeps denormals or flushes them.  Nothing here relies on `precise`: a kernel's float operations are decorated
 * NoContraction when it is built, and C is built with -std=c11 -ffp-contract=off.
 *
 * The values that arise in a program are 0 or multiples of 2^-123, because operands in memory are 0 or at least 2^-50
 * (hlx_store) and products of two values 0 or at least 2^-100 (hlx_mul).  For these, and in fact for every float
 * that is not a denormal, nothing below depends on denormals: each function says why, and tests/check_math.c tries it.
 * -0 counts as +0.  A NaN stays one (of the functions below hlx_accum, always the NaN 0x7fc00000).
 *
 * Worst error of all floats in the domain, in units of the last place (1/2 is correct rounding): rcp and div 0.501, sqrt
 * 0.750, log 0.834, exp 0.991, rsqrt 0.996, tanh 1.331.
 *
 * Constants that are not short binary fractions are bit patterns: no compiler gets to round them.
 */
#ifndef HLX_MATH_H
#define HLX_MATH_H

#ifdef VULKAN /* GLSL */

#define HLX_FN
#define HLX_MATH_BOOL bool
#define HLX_MATH_UINT uint
#define HLX_MATH_INT int
#define HLX_TO_UINT(x) uint(x)
#define HLX_TO_INT(x) int(x)
#define HLX_TO_FLOAT(x) float(x)
#define hlx_bits(x) floatBitsToUint(x)
#define hlx_float(u) uintBitsToFloat(u)

#else /* C */

#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __FAST_MATH__
#error "hlx/math.h: build without -ffast-math and -Ofast: they change bits"
#endif
#if !defined(FLT_EVAL_METHOD) || FLT_EVAL_METHOD != 0
#error "hlx/math.h: float must be computed as float (on x86: -msse2 -mfpmath=sse, and -std=c11)"
#endif
#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "hlx/math.h: little-endian hosts only"
#endif
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define HLX_FN static inline
#define HLX_MATH_BOOL bool
#define HLX_MATH_UINT uint32_t
#define HLX_MATH_INT int32_t
#define HLX_TO_UINT(x) ((uint32_t)(x))
#define HLX_TO_INT(x) ((int32_t)(x))
#define HLX_TO_FLOAT(x) ((float)(x)) /* of an int, |x| <= 2^24 */

HLX_FN uint32_t hlx_bits(float x)
{
	uint32_t u;
	memcpy(&u, &x, sizeof u);
	return u;
}

HLX_FN float hlx_float(uint32_t u)
{
	float x;
	memcpy(&x, &u, sizeof x);
	return x;
}

#endif

#define HLX_BITS_MAG 0x7fffffffu  /* all but the sign */
#define HLX_BITS_INF 0x7f800000u
#define HLX_BITS_NAN 0x7fc00000u
#define HLX_BITS_2M50 0x26800000u  /* 2^-50 */
#define HLX_BITS_2M100 0x0d800000u /* 2^-100 */
#define HLX_BITS_2P100 0x71800000u /* 2^100 */

HLX_FN HLX_MATH_BOOL hlx_bits_finite(HLX_MATH_UINT bits)
{
	return (bits & HLX_BITS_INF) != HLX_BITS_INF;
}

HLX_FN HLX_MATH_BOOL hlx_bits_nan(HLX_MATH_UINT bits)
{
	return (bits & HLX_BITS_MAG) > HLX_BITS_INF;
}

HLX_FN HLX_MATH_BOOL hlx_is_finite(float x)
{
	return hlx_bits_finite(hlx_bits(x));
}

/* What every op does to what it writes: |x| < 2^-50 becomes +0, and so does -0; NaN and infinity stay. */
HLX_FN float hlx_store(float x)
{
	return (hlx_bits(x) & HLX_BITS_MAG) < HLX_BITS_2M50 ? 0.0f : x;
}

/* a * b, and +0 where |a * b| < 2^-100: a denormal product and its flushed twin both become +0. */
HLX_FN float hlx_mul(float a, float b)
{
	float p = a * b;
	return (hlx_bits(p) & HLX_BITS_MAG) < HLX_BITS_2M100 ? 0.0f : p;
}

/* A gradient in memory and that of one more reader. */
HLX_FN float hlx_accum(float prev, float r)
{
	return hlx_store(prev + hlx_store(r));
}

/* x with its mantissa cut to 12 bits: a product of two such is exact. */
HLX_FN float hlx_cut12(float x)
{
	return hlx_float(hlx_bits(x) & 0xfffff000u);
}

/*
 * m / d for m in [1, 2) and d in [1, 2^64), no edge handled.  y is 1/d: a seed from the bits, a first step whose two
 * constants spread its error evenly (1.1e-4), and one of Newton's.  Then q = m y, cut, so that m - q d comes out exact
 * from two products, and last q + (m - q d) y, 0.5004 ulp.
 * Denormals: the smallest thing, the remainder, is a multiple of 2^-35; times y that is 0 or >= 2^-100.
 */
HLX_FN float hlx_div_core(float m, float d)
{
	float y = hlx_float(0x7eb50400u - hlx_bits(d));
	y = y * (hlx_float(0x403256a3u) - hlx_float(0x3ff87216u) * (d * y)); /* 2.78653789, 1.94098163 */
	y = y * (2.0f - d * y);
	float q = hlx_cut12(m * y);
	float hi = hlx_cut12(d);
	float r = (m - q * hi) - q * (d - hi);
	return q + r * y;
}

HLX_FN float hlx_mantissa(HLX_MATH_UINT bits)
{
	return hlx_float((bits & 0x007fffffu) | 0x3f800000u);
}

/*
 * 1/a; |a| is clamped to [2^-125, 2^100] first, and 0 (as a denormal, which may be flushed) is +2^-125.
 * Denormals: it is 1 / mantissa, in (0.5, 1], times an exact power of two, >= 2^-101 in the end.
 */
HLX_FN float hlx_rcp(float a)
{
	HLX_MATH_UINT b = hlx_bits(a) & HLX_BITS_MAG;
	HLX_MATH_UINT neg = b < 0x00800000u ? 0u : hlx_bits(a) ^ b;
	HLX_MATH_UINT c = b < 0x01000000u ? 0x01000000u : b;
	c = c > HLX_BITS_2P100 ? HLX_BITS_2P100 : c;
	float y = hlx_div_core(1.0f, hlx_mantissa(c)) * hlx_float((254u - (c >> 23u)) << 23u);
	return hlx_float(b > HLX_BITS_INF ? HLX_BITS_NAN : hlx_bits(y) | neg);
}

/*
 * n / a, and +0 where the quotient is below 2^-100.  A divisor of 0 (or denormal) is +2^-126; an operand that is not
 * finite gives NaN; overflow gives infinity.
 * Denormals: the division is one of mantissas, so that the remainder of a small dividend, which would be
 * denormal, does not exist; the exponent comes in last, as a power of two.  That product is exact, or below 2^-100 and
 * replaced by +0; where the factor itself would be denormal it is raised to 2^-126, with the same end.
 */
HLX_FN float hlx_div(float n, float a)
{
	HLX_MATH_UINT nb = hlx_bits(n) & HLX_BITS_MAG;
	HLX_MATH_UINT ab = hlx_bits(a) & HLX_BITS_MAG;
	HLX_MATH_UINT neg = (hlx_bits(n) ^ (ab < 0x00800000u ? 0u : hlx_bits(a))) & 0x80000000u;
	HLX_MATH_UINT db = ab < 0x00800000u ? 0x00800000u : ab;
	float q = hlx_div_core(hlx_mantissa(nb), hlx_mantissa(db));
	q = q + q; /* in (1, 4): the quotient is q 2^(e - 127), and 2^128 is written as infinity is */
	HLX_MATH_INT e = HLX_TO_INT(nb >> 23u) - HLX_TO_INT(db >> 23u) + 126;
	e = e < 1 ? 1 : (e > 255 ? 255 : e);
	HLX_MATH_UINT z = hlx_bits(q * hlx_float(HLX_TO_UINT(e) << 23u));
	z = (z < HLX_BITS_2M100 || nb < 0x00800000u) ? 0u : z | neg;
	return hlx_float((nb >= HLX_BITS_INF || ab >= HLX_BITS_INF) ? HLX_BITS_NAN : z);
}

/*
 * 1/sqrt(x) for x in [2^-100, 2^100], no edge handled: seed, a first step with spread error (6.5e-4), then
 * y += y (r + 3/2 r^2) with r = (1 - x y^2) / 2, y cut so that y^2 is exact.
 * Denormals: y is in [2^-50, 2^50], y^2 and x in [2^-101, 2^101], r is 0 or >= 2^-25: nothing is below 2^-102.
 */
HLX_FN float hlx_rsqrt_core(float x)
{
	float y = hlx_float(0x5f1ffff9u - (hlx_bits(x) >> 1u));
	float h = 0.5f * x;
	float r = y * y;
	r = x * r;
	r = hlx_float(0x3fd748f4u) - hlx_float(0x3f343637u) * r; /* 1.68191385, 0.703952253 */
	y = hlx_cut12(y * r);
	r = 0.5f - h * (y * y);
	r = r * (1.0f + 1.5f * r);
	return y + y * r;
}

HLX_FN float hlx_sqrt_clamp(float x)
{
	x = x > hlx_float(HLX_BITS_2M100) ? x : hlx_float(HLX_BITS_2M100);
	return x < hlx_float(HLX_BITS_2P100) ? x : hlx_float(HLX_BITS_2P100);
}

/* 1/sqrt(x), x clamped to [2^-100, 2^100] first; so 0 and what is negative give 2^50. */
HLX_FN float hlx_rsqrt(float x)
{
	float y = hlx_rsqrt_core(hlx_sqrt_clamp(x));
	return hlx_bits_nan(hlx_bits(x)) ? hlx_float(HLX_BITS_NAN) : y;
}

/*
 * sqrt(x); x above 2^100 is 2^100; below 2^-100, with 0 and what is negative, the root is +0 (hlx_store would make
 * it that).
 * Denormals: x - s^2 is a multiple of 2^-124 (s^2 may round below 2^-100, no further), the last product >= 2^-76.
 */
HLX_FN float hlx_sqrt(float x)
{
	float c = hlx_sqrt_clamp(x);
	float y = hlx_rsqrt_core(c);
	float s = c * y;
	float r = c - s * s;
	s = s + (0.5f * y) * r;
	s = x < hlx_float(HLX_BITS_2M100) ? 0.0f : s;
	return hlx_bits_nan(hlx_bits(x)) ? hlx_float(HLX_BITS_NAN) : s;
}

/*
 * e^x; exactly +0 for x < -34, and e^88 for x > 88.  x = k ln 2 + r, ln 2 in two pieces of which the first has 9 bits,
 * so that k times it is exact; then e^r by a polynomial, and k goes into the exponent.  The sum with 1.5 2^23 leaves k
 * in the low bits of its mantissa, and shifting them up by 23 drops everything else.
 * Denormals: with k != 0, r is a multiple of 2^-36 and everything is >= 2^-76.  With k = 0, r = x: products with a tiny
 * r (r^2, once |r| < 2^-63) vanish, kept or flushed, in a sum with something 2^24 times as large.
 */
HLX_FN float hlx_exp(float x)
{
	float c = x > -34.0f ? x : -34.0f;
	c = c < 88.0f ? c : 88.0f;
	float t = c * hlx_float(0x3fb8aa3bu) + 12582912.0f; /* log2(e) */
	HLX_MATH_UINT scale = (hlx_bits(t) << 23u) + 0x3f800000u;
	float k = t - 12582912.0f;
	float r = c - k * 0.693359375f;
	r = r - k * hlx_float(0xb95e8083u); /* ln 2 - 0.693359375 */
	float p = hlx_float(0x39506967u);
	p = p * r + hlx_float(0x3ab743ceu);
	p = p * r + hlx_float(0x3c088908u);
	p = p * r + hlx_float(0x3d2aa9c1u);
	p = p * r + hlx_float(0x3e2aaaaau);
	p = p * r + 0.5f;
	p = p * (r * r) + r;
	p = p + 1.0f;
	p = p * hlx_float(scale);
	p = x < -34.0f ? 0.0f : p;
	return hlx_bits_nan(hlx_bits(x)) ? hlx_float(HLX_BITS_NAN) : p;
}

/*
 * ln x; x below 2^-126, with 0 and what is negative, is 2^-126; +infinity stays.  x = 2^e m, m in [sqrt(1/2), sqrt(2)),
 * f = m - 1, a polynomial in f.
 * Denormals: f is 0 or >= 2^-24, f^3 times the polynomial >= 2^-74, so every sum is a multiple of 2^-98.
 */
HLX_FN float hlx_log(float x)
{
	HLX_MATH_UINT b = hlx_bits(x);
	HLX_MATH_UINT c = (b < 0x00800000u || b > HLX_BITS_INF) ? 0x00800000u : b;
	HLX_MATH_INT e = HLX_TO_INT(c >> 23u) - 126;
	float m = hlx_float((c & 0x007fffffu) | 0x3f000000u);
	HLX_MATH_BOOL low = m < hlx_float(0x3f3504f3u); /* sqrt(1/2) */
	float f = (low ? m + m : m) - 1.0f;
	float k = HLX_TO_FLOAT(low ? e - 1 : e);
	float z = f * f;
	float p = hlx_float(0x3d9021bbu);
	p = p * f + hlx_float(0xbdebd1b8u);
	p = p * f + hlx_float(0x3def251au);
	p = p * f + hlx_float(0xbdfe5d4fu);
	p = p * f + hlx_float(0x3e11e9bfu);
	p = p * f + hlx_float(0xbe2aae50u);
	p = p * f + hlx_float(0x3e4cceacu);
	p = p * f + hlx_float(0xbe7ffffcu);
	p = p * f + hlx_float(0x3eaaaaaau);
	float y = (f * z) * p;
	y = y + k * hlx_float(0xb95e8083u);
	y = y - 0.5f * z;
	y = f + y;
	y = y + k * 0.693359375f;
	y = b == HLX_BITS_INF ? x : y;
	return hlx_bits_nan(b) ? hlx_float(HLX_BITS_NAN) : y;
}

/*
 * tanh x: a polynomial below 0.625, else 1 - 2 / (e^2|x| + 1); +-1 from 15 on.
 * Denormals: products with a tiny |x| (z = x^2 below 2^-63, z x below 2^-42) vanish, kept or flushed, in a sum with a
 * constant or with |x| itself, 2^24 times as large; the other branch is far from them.
 */
HLX_FN float hlx_tanh(float x)
{
	float a = hlx_float(hlx_bits(x) & HLX_BITS_MAG);
	a = a < 15.0f ? a : 15.0f;
	float z = a * a;
	float p = hlx_float(0xbbbaf0eau);
	p = p * z + hlx_float(0x3ca9134eu);
	p = p * z + hlx_float(0xbd5c1e2du);
	p = p * z + hlx_float(0x3e088393u);
	p = p * z + hlx_float(0xbeaaaa99u);
	float s = (p * z) * a + a;
	float y = 1.0f - 2.0f * hlx_div_core(1.0f, hlx_exp(a + a) + 1.0f);
	y = a < 0.625f ? s : y;
	y = x < 0.0f ? -y : y;
	return hlx_bits_nan(hlx_bits(x)) ? hlx_float(HLX_BITS_NAN) : y;
}

/*
 * The state hash.  Element number index of a tensor, holding bits, adds (mod 2^32) one word to each of two sums:
 *     lo = hlx_hash_lo(hlx_hash_base(key, index >> 32), index, bits),  hi = hlx_hash_hi(lo, key)
 * with the tensor's 64-bit key.  Sums have no order, so any split over invocations and devices gives the same hash;
 * with all else equal lo is a bijection of bits, so no change of one element goes unseen.
 */
HLX_FN HLX_MATH_UINT hlx_hash_mix(HLX_MATH_UINT h)
{
	h = (h ^ (h >> 16u)) * 0x85ebca6bu;
	h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
	return h ^ (h >> 16u);
}

HLX_FN HLX_MATH_UINT hlx_hash_base(HLX_MATH_UINT key_lo, HLX_MATH_UINT key_hi, HLX_MATH_UINT index_hi)
{
	return hlx_hash_mix(key_lo ^ hlx_hash_mix(key_hi ^ hlx_hash_mix(index_hi + 0x9e3779b9u)));
}

HLX_FN HLX_MATH_UINT hlx_hash_lo(HLX_MATH_UINT base, HLX_MATH_UINT index_lo, HLX_MATH_UINT bits)
{
	return hlx_hash_mix(bits ^ (base + index_lo * 0x9e3779b1u));
}

HLX_FN HLX_MATH_UINT hlx_hash_hi(HLX_MATH_UINT lo, HLX_MATH_UINT key_hi)
{
	HLX_MATH_UINT h = (lo + key_hi) * 0x2c1b3c6du;
	h = (h ^ (h >> 15u)) * 0x297a2d39u;
	return h ^ (h >> 16u);
}

#endif
