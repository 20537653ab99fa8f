/*
 * xent_terms.comp - the loss of each batch slot: the terms of xent_block.comp, added in (sequence, block) order.
 *
 * terms: (slots, blocks of a slot, 2): loss, count   loss: slots runs of (2): sum, count; stride pairs apart
 *
 * A workgroup is a slot.  A block past the end counts as +0, which changes no chain from +0.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

const uint LANES = 64u;
layout(local_size_x = LANES) in;
layout(push_constant) uniform Push {
	uint blocks, stride; /* of a slot */
	uint accumulate;     /* go on from what loss holds */
};
layout(binding = 0) readonly restrict buffer Terms { vec2 terms[]; };
layout(binding = 1) restrict buffer Loss { vec2 loss[]; };

shared vec2 of_block[LANES];

void main()
{
	uint slot = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;
	vec2 acc = vec2(0.0f);
	if (accumulate != 0u)
		acc = loss[slot * stride];
	for (uint first = 0u; first < blocks; first += LANES) {
		uint b = first + lane;
		of_block[lane] = mix(vec2(0.0f), terms[slot * blocks + min(b, blocks - 1u)], bvec2(b < blocks));
		barrier();
		[[unroll]] for (uint i = 0u; i < LANES; i++)
			acc += of_block[i];
		barrier();
	}
	if (lane == 0u)
		loss[slot * stride] = acc;
}
