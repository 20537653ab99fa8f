/*
 * hlx/philox.h - random words that are a function: Philox4x32-10 (Salmon and others, 2011), one text, C11 and GLSL 450.
 *
 * A counter of four words and a key of two make four words, the same ones everywhere and in any order, so nothing random
 * has a state.  An op takes its key from the run's seed and from its node, and counts by what it draws for:
 *
 *     key      seed ^ node->key                            hlx_step.seed, hlx_node.key, low words first
 *     counter  place / 4, sequence, step low, step high    hlx_step.seq0 + the row of the batch, hlx_step.step
 *     word     place % 4                                   place: of the element in its sequence, in row-major order
 *
 * Then no bit depends on how the batch is split, on the device, or on what was drawn before.  To decide something of
 * probability p, compare a word with p 2^32 as integers.
 */
#ifndef HLX_PHILOX_H
#define HLX_PHILOX_H

#include "hlx/math.h"

#ifdef VULKAN /* GLSL */

#define HLX_WORDS4 uvec4
#define HLX_TO_WORDS4(x, y, z, w) uvec4(x, y, z, w)

uint hlx_mul_high(uint a, uint b)
{
	uint high, low;
	umulExtended(a, b, high, low);
	return high;
}

#else /* C */

struct hlx_words4 {
	uint32_t x, y, z, w;
};
#define HLX_WORDS4 struct hlx_words4
#define HLX_TO_WORDS4(x, y, z, w) ((struct hlx_words4){ x, y, z, w })

static inline uint32_t hlx_mul_high(uint32_t a, uint32_t b)
{
	return (uint32_t)((uint64_t)a * b >> 32);
}

#endif

/* Round i of ten, from 0: the key grows by two constants a round. */
HLX_FN HLX_WORDS4 hlx_philox_round(HLX_WORDS4 c, HLX_MATH_UINT key_lo, HLX_MATH_UINT key_hi, HLX_MATH_UINT i)
{
	return HLX_TO_WORDS4(hlx_mul_high(0xcd9e8d57u, c.z) ^ c.y ^ (key_lo + i * 0x9e3779b9u), 0xcd9e8d57u * c.z,
			hlx_mul_high(0xd2511f53u, c.x) ^ c.w ^ (key_hi + i * 0xbb67ae85u), 0xd2511f53u * c.x);
}

/* Written out: a driver may leave a loop a loop. */
HLX_FN HLX_WORDS4 hlx_philox4x32(HLX_WORDS4 counter, HLX_MATH_UINT key_lo, HLX_MATH_UINT key_hi)
{
	HLX_WORDS4 c = hlx_philox_round(counter, key_lo, key_hi, 0u);
	c = hlx_philox_round(c, key_lo, key_hi, 1u);
	c = hlx_philox_round(c, key_lo, key_hi, 2u);
	c = hlx_philox_round(c, key_lo, key_hi, 3u);
	c = hlx_philox_round(c, key_lo, key_hi, 4u);
	c = hlx_philox_round(c, key_lo, key_hi, 5u);
	c = hlx_philox_round(c, key_lo, key_hi, 6u);
	c = hlx_philox_round(c, key_lo, key_hi, 7u);
	c = hlx_philox_round(c, key_lo, key_hi, 8u);
	return hlx_philox_round(c, key_lo, key_hi, 9u);
}

#endif
