/* dropout.glsl - what is dropped, and how the rest is scaled; DROPOUT_STEP: the binding behind the others. */
#ifndef FLAT_ANY
#define FLAT_PUSH uint first_seq, first_place; /* where the window begins */
#endif
#include "../flat.glsl"
#include "hlx/philox.h"

layout(constant_id = 3) const bool whole = true; /* sequences of whole groups: an invocation's four words are one block */

layout(binding = DROPOUT_STEP) uniform Step {
	uint size, train;
	uvec2 number, seed;
	uint seq0, n_seq, position;
	float lr;
	uvec2 pad;
	uvec2 key; /* the node's and the seed */
	uint threshold;
	float scale;
	uint per_seq, inverse;
} ONCE_BLOCK(step);
ONCE(uvec2, step, number)
ONCE(uvec2, step, key)
ONCE(uint, step, threshold)
ONCE(float, step, scale)
ONCE(uint, step, per_seq)
ONCE(uint, step, inverse)
ONCE(uint, step, seq0)

#ifdef FLAT_ANY
const uint first_seq = 0u;
const uint first_place = 0u;
#else
ONCE(uint, flat_push, first_seq)
ONCE(uint, flat_push, first_place)
#endif

/*
 * The words of the block that holds element e, counted from the start of the sequence in which the window begins, and the
 * element's place.  The quotient is e / per_seq or 1 less: drivers for CPUs divide a lane at a time.
 */
uvec4 block(uint e, out uint place)
{
	uint seq = hlx_mul_high(e, inverse);
	place = e - seq * per_seq;
	if (place >= per_seq) {
		place -= per_seq;
		seq++;
	}
	return hlx_philox4x32(uvec4(place / 4u, seq0 + first_seq + seq, number), key.x, key.y);
}

uint word(uint e)
{
	uint place;
	uvec4 words = block(e, place);
	return words[place % 4u];
}

vec4 drop(uint i, vec4 x)
{
	uint e = first_place + 4u * i;
	uint place;
	uvec4 words = whole ? block(e, place) : uvec4(word(e), word(e + 1u), word(e + 2u), word(e + 3u));
	return hlx_select(greaterThanEqual(words, uvec4(threshold)), hlx_store(x * scale), vec4(0.0f));
}
