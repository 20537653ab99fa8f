/*
 * xent_terms.comp - the terms of the loss: one chain over 32 positions of a sequence.
 *
 * losses, targets: (sequences, positions)   terms: (sequences, blocks of 32 positions): sum, count
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
	uint sequences, positions, ignore;
};
layout(binding = 0) readonly restrict buffer Losses { float losses[]; };
layout(binding = 1) readonly restrict buffer Targets { uint targets[]; };
layout(binding = 2) writeonly restrict buffer Terms { vec2 terms[]; };

void main()
{
	uint blocks = (positions + 31u) / 32u, block = gl_GlobalInvocationID.x;
	if (block >= sequences * blocks)
		return;
	uint p = block % blocks * 32u, at = block / blocks * positions + p, end = at + min(positions - p, 32u);
	float sum = 0.0f;
	int count = 0;
	for (; at < end; at++) {
		sum += losses[at];
		count += targets[at] == ignore ? 0 : 1;
	}
	terms[block] = vec2(sum, float(count));
}
