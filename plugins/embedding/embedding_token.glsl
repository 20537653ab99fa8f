/*
 * dtoken[slot][id] += for each sequence of the slot, the chain of dy over the places that hold id.  A workgroup looks
 * at `turns` positions of a slot, and where an id is there for the first time, follows its links.  A lane owns a
 * column: gl_WorkGroupID.y is the block of columns, z the slot.  Rows of ids that do not occur are not touched.
 * Columns and strides count REALs.  With WINDOWS > 1 a binding does not hold the slot's dy, and it comes in up to 4.
 */
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "embedding_links.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint WINDOWS = 1u;
layout(push_constant) uniform Push {
	uint row0, positions, columns, turns; /* row0: of the first slot here, among all positions */
	uint first, count, stride;            /* grad's window: ids first to first + count - 1; slot to slot */
	uint dy0, window;                     /* where dy's windows start in their bindings; positions of each */
};
layout(binding = 0) restrict readonly buffer Tokens { uint tokens[]; };
layout(binding = 1) restrict readonly buffer Links { uint links[]; };
layout(binding = 2) restrict readonly buffer DY { REAL dy[]; };
layout(binding = 3) restrict readonly buffer DYB { REAL dyb[]; };
layout(binding = 4) restrict readonly buffer DYC { REAL dyc[]; };
layout(binding = 5) restrict readonly buffer DYD { REAL dyd[]; };
layout(binding = 6) restrict buffer Grad { REAL grad[]; };

REAL load(uint p, uint column)
{
	if (WINDOWS == 1u)
		return dy[dy0 + p * columns + column];
	uint i = dy0 + p % window * columns + column;
	switch (p / window) {
	case 0u:
		return dy[i];
	case 1u:
		return dyb[i];
	case 2u:
		return dyc[i];
	default:
		return dyd[i];
	}
}

void follow(uint p, uint link, uint at, uint column)
{
	uint slot = gl_WorkGroupID.z * positions;
	REAL sum = grad[at], term = REAL(0.0f);
	bool last = false;
	while (!last) {
		term += load(slot + p, column);
		last = (link & LINK_NONE) == LINK_NONE;
		if (last || (link & LINK_APART) != 0u) {
			sum += term;
			term = REAL(0.0f);
		}
		if (!last) {
			p = link & LINK_NONE;
			link = links[row0 + slot + p];
		}
	}
	grad[at] = sum;
}

void main()
{
	uint slot = gl_WorkGroupID.z, column = gl_WorkGroupID.y * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	for (uint k = 0u; k < turns; k++) {
		uint p = gl_WorkGroupID.x * turns + k;
		if (p >= positions)
			break;
		uint link = links[row0 + slot * positions + p];
		if ((link & LINK_BEFORE) != 0u)
			continue;
		uint id = tokens[row0 + slot * positions + p] - first;
		if (id < count && column < columns)
			follow(p, link, slot * stride + id * columns + column, column);
	}
}
