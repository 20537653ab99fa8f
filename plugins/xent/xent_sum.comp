/*
 * xent_sum.comp - the loss of each batch slot: a term is the chain over 32 positions of a sequence, and the terms are added in
 * (sequence, block) order.
 *
 * losses, targets: (sequences, positions)   loss: slots runs of (2): sum, count; stride pairs apart
 *
 * A workgroup is a slot, and a lane makes the term of every LANES-th of its blocks.  All that a lane reads is under way together.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 64, local_size_x_id = 0) in;
const uint LANES = gl_WorkGroupSize.x;
layout(push_constant) uniform Push {
	uint positions, ignore;
	uint blocks, stride; /* of a slot */
	uint accumulate;     /* go on from what loss holds */
};
layout(binding = 0) readonly restrict buffer Losses { float losses[]; };
layout(binding = 1) readonly restrict buffer Targets { uint targets[]; };
layout(binding = 2) restrict buffer Loss { vec2 loss[]; };

shared vec2 terms[LANES];

vec2 block_term(uint block)
{
	uint in_sequence = (positions + 31u) / 32u, p = block % in_sequence * 32u;
	uint at = block / in_sequence * positions + p, n = min(positions - p, 32u);
	float l[32], sum = 0.0f;
	uint target[32];
	int count = 0;
	[[unroll]] for (uint i = 0u; i < 32u; i++) {
		l[i] = losses[at + min(i, n - 1u)];
		target[i] = targets[at + min(i, n - 1u)];
	}
	[[unroll]] for (uint i = 0u; i < 32u; i++) {
		sum += i < n ? l[i] : 0.0f;
		count += i < n && target[i] != ignore ? 1 : 0;
	}
	return vec2(sum, float(count));
}

/* A block past the end counts as +0, which changes no chain from +0. */
void main()
{
	uint slot = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;
	vec2 acc = vec2(0.0f);
	if (accumulate != 0u)
		acc = loss[slot * stride];
	for (uint first = 0u; first < blocks; first += LANES) {
		vec2 term = vec2(0.0f);
		if (first + lane < blocks)
			term = block_term(slot * blocks + first + lane);
		terms[lane] = term;
		barrier();
		[[unroll]] for (uint i = 0u; i < LANES; i++)
			acc += terms[i];
		barrier();
	}
	if (lane == 0u)
		loss[slot * stride] = acc;
}
