/*
 * layernorm_sums.comp - dgamma and dbeta of each batch slot: their terms, added in (sequence, block) order.
 *
 * terms: (slots, blocks of a slot, 2, d rounded up to 4)   dgamma, dbeta: slots runs of (d), stride elements apart
 *
 * As layernorm_params.comp, for GPUs: both at once, and a lane has one column, whose AHEAD terms it reads together; those past the end
 * repeat the last and count as +0, which changes no chain from +0.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 32) in;
layout(constant_id = 0) const uint AHEAD = 8u;
layout(push_constant) uniform Push {
	uint d_model, blocks, stride;
	uint accumulate; /* bit 0: go on from what dgamma holds, 1: dbeta */
};
layout(binding = 0) readonly restrict buffer Terms { float terms[]; };
layout(binding = 1) restrict buffer Dgamma { float dgamma[]; };
layout(binding = 2) restrict buffer Dbeta { float dbeta[]; };

void main()
{
	uint run = (d_model + 3u) / 4u * 4u, i = gl_GlobalInvocationID.x, slot = gl_WorkGroupID.y;
	bool is_beta = i >= run;
	uint column = is_beta ? i - run : i, to = slot * stride + column, at = slot * blocks * 2u * run + i, b = 0u;
	float acc = 0.0f;
	if (column >= d_model)
		return;
	if ((accumulate & (is_beta ? 2u : 1u)) != 0u)
		acc = is_beta ? dbeta[to] : dgamma[to];
	do {
		float t[AHEAD];
		[[unroll]] for (uint k = 0u; k < AHEAD; k++)
			t[k] = terms[at + min(b + k, blocks - 1u) * 2u * run];
		[[unroll]] for (uint k = 0u; k < AHEAD; k++)
			acc += b + k < blocks ? t[k] : 0.0f;
		b += AHEAD;
	} while (b < blocks);
	if (is_beta)
		dbeta[to] = acc;
	else
		dgamma[to] = acc;
}
