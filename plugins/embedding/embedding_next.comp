#version 450
#extension GL_GOOGLE_include_directive : require
/*
 * links: (S, positions), of each position of a batch slot where its id is next:
 *     bits 0 to 29  the next position in the slot with the same id; all ones: there is none
 *     bit 30        this is not the first
 *     bit 31        the next is in another sequence
 * A lane owns a position and looks at all of its slot's, 4 at a time where a slot has a multiple of 4.  gl_WorkGroupID.y is
 * the slot.
 */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "embedding_links.glsl"

layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint positions, seq_len;
};
layout(binding = 0) restrict readonly buffer Tokens4 { uvec4 tokens4[]; };
layout(binding = 0) restrict readonly buffer Tokens { uint tokens[]; };
layout(binding = 1) restrict writeonly buffer Links { uint links[]; };

void main()
{
	uint base = gl_WorkGroupID.y * positions;
	uint p = gl_GlobalInvocationID.x;
	uint id = tokens[base + min(p, positions - 1u)];
	uint before = 0u, next = LINK_NONE;
	if (positions % 4u == 0u) {
		for (uint j = 0u; j < positions; j += 4u) {
			uvec4 at = uvec4(j) + uvec4(0u, 1u, 2u, 3u);
			uvec4 hit = mix(uvec4(LINK_NONE), at, equal(tokens4[(base + j) / 4u], uvec4(id)));
			uvec4 after = mix(uvec4(LINK_NONE), hit, greaterThan(hit, uvec4(p)));
			before |= min(min(hit.x, hit.y), min(hit.z, hit.w)) < p ? LINK_BEFORE : 0u;
			next = min(next, min(min(after.x, after.y), min(after.z, after.w)));
		}
	} else {
		for (uint j = 0u; j < positions; j++) {
			bool same = tokens[base + j] == id;
			before |= same && j < p ? LINK_BEFORE : 0u;
			next = min(next, same && j > p ? j : LINK_NONE);
		}
	}
	uint apart = next / seq_len != p / seq_len ? LINK_APART : 0u;
	if (p < positions)
		links[base + p] = next | before | apart;
}
