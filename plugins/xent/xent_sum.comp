/*
 * xent_sum.comp - the loss of each batch slot: its terms, added in (sequence, block) order.
 *
 * terms: (slots, blocks of a slot): sum, count   loss: slots runs of (2), stride pairs apart
 *
 * A lane is a slot.  Four terms are read before they are added, as four loads then wait for memory together.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
	uint slots, blocks, stride;
	uint accumulate; /* go on from what loss holds */
};
layout(binding = 0) readonly restrict buffer Terms { vec2 terms[]; };
layout(binding = 1) restrict buffer Loss { vec2 loss[]; };

void main()
{
	uint slot = gl_GlobalInvocationID.x, at = slot * blocks, i = 0u;
	if (slot >= slots)
		return;
	vec2 acc = vec2(0.0f);
	if (accumulate != 0u)
		acc = loss[slot * stride];
	for (; i + 4u <= blocks; i += 4u) {
		vec2 a = terms[at + i], b = terms[at + i + 1u], c = terms[at + i + 2u], d = terms[at + i + 3u];
		acc = (((acc + a) + b) + c) + d;
	}
	for (; i < blocks; i++)
		acc += terms[at + i];
	loss[slot * stride] = acc;
}
