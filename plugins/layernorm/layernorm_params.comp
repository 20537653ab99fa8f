/*
 * layernorm_params.comp - dgamma or dbeta of each batch slot: its terms, added in (sequence, block) order.
 *
 * terms: (slots, blocks of a slot, 2, d rounded up to 4)   grad: slots runs of (d), stride elements apart
 *
 * A lane owns 4 columns of one slot: x workgroups of 64 such lanes (specialization constant 1), y slots.  It reads AHEAD terms before it adds them, as
 * their loads then wait together; those past the end repeat the last and count as +0, which changes no chain from +0.
 * grad is written without a store's flush: it is a partial sum.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 64, local_size_x_id = 1) in;
layout(constant_id = 0) const uint AHEAD = 8u;
layout(push_constant) uniform Push {
	uint d_model, blocks, stride;
	uint which;      /* 0: dgamma, 1: dbeta */
	uint accumulate; /* go on from what grad holds */
};
layout(binding = 0) readonly restrict buffer Terms { vec4 terms[]; };
layout(binding = 1) restrict buffer Grad { float grad[]; };

void main()
{
	uint groups = (d_model + 3u) / 4u, g = gl_GlobalInvocationID.x, slot = gl_WorkGroupID.y;
	if (g >= groups)
		return;
	uint to = slot * stride + 4u * g, n = min(d_model - 4u * g, 4u);
	vec4 acc = vec4(0.0f);
	for (uint i = 0u; i < n && accumulate != 0u; i++)
		acc[i] = grad[to + i];
	uint at = (slot * blocks * 2u + which) * groups + g;
	uint b = 0u;
	do {
		vec4 t[AHEAD];
		[[unroll]] for (uint i = 0u; i < AHEAD; i++)
			t[i] = terms[at + min(b + i, blocks - 1u) * 2u * groups];
		[[unroll]] for (uint i = 0u; i < AHEAD; i++)
			acc += mix(vec4(0.0f), t[i], bvec4(b + i < blocks));
		b += AHEAD;
	} while (b < blocks);
	for (uint i = 0u; i < n; i++)
		grad[to + i] = acc[i];
}
