/*
 * hlx/tree.h - the fixed order of sums, for references in C.  Kernels have it in hlx.glsl.
 *
 * A row's sum: virtual lane i of 64 adds elements i, i + 64, i + 128 ... ascending, from +0; then the lanes are halved,
 * v[i] += v[i + w] for w = 32, 16, 8, 4, 2, 1.  Zeros appended to a row change no bit.
 */
#ifndef HLX_TREE_H
#define HLX_TREE_H

#include <stddef.h>

#include "hlx/math.h"

struct hlx_tree64 {
	float v[64];
};

static inline void hlx_tree64_init(struct hlx_tree64 *t)
{
	for (int i = 0; i < 64; i++)
		t->v[i] = 0.0f;
}

/* The term of element i, in ascending order of i (of those that share a lane). */
static inline void hlx_tree64_add(struct hlx_tree64 *t, size_t i, float term)
{
	t->v[i % 64] += term;
}

/* The sum; t is used up. */
static inline float hlx_tree64_finish(struct hlx_tree64 *t)
{
	for (int w = 32; w; w /= 2)
		for (int i = 0; i < w; i++)
			t->v[i] += t->v[i + w];
	return t->v[0];
}

/* sum of x[0..n) */
static inline float hlx_row_sum(const float *x, size_t n)
{
	struct hlx_tree64 t;
	hlx_tree64_init(&t);
	for (size_t i = 0; i < n; i++)
		hlx_tree64_add(&t, i, x[i]);
	return hlx_tree64_finish(&t);
}

/* sum of x[i] * y[i] */
static inline float hlx_row_dot(const float *x, const float *y, size_t n)
{
	struct hlx_tree64 t;
	hlx_tree64_init(&t);
	for (size_t i = 0; i < n; i++)
		hlx_tree64_add(&t, i, hlx_mul(x[i], y[i]));
	return hlx_tree64_finish(&t);
}

/* the largest of x[0..n), n > 0; any order gives it (but for the sign of a zero) */
static inline float hlx_row_max(const float *x, size_t n)
{
	float m = x[0];
	for (size_t i = 1; i < n; i++)
		m = x[i] > m ? x[i] : m;
	return m;
}

/*
 * The tree over batch slots: p[i] += p[i + w] for w = 1, 2, 4 ...  p[s * stride] is slot s's sum, slots a power of two;
 * the result is left in p[0], not flushed.
 */
static inline float hlx_slot_sum(float *p, size_t slots, size_t stride)
{
	for (size_t w = 1; w < slots; w *= 2)
		for (size_t i = 0; i + w < slots; i += 2 * w)
			p[i * stride] += p[(i + w) * stride];
	return p[0];
}

#endif
