/*
 * dposition[slot][t] = or += dy over sequences of the slot, ascending: element i of n of these rows for all of them.
 * gl_WorkGroupID.y is the slot; elements and strides count REALs.
 */
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint n, sequences, sequence, turns; /* sequence: from one to the next in dy */
	uint stride, accum, dy0;            /* stride: slot to slot of grad; dy0: where dy starts in its binding */
};
layout(binding = 0) restrict readonly buffer DY { REAL dy[]; };
layout(binding = 1) restrict buffer Grad { REAL grad[]; };

void main()
{
	uint slot = gl_WorkGroupID.y;
	uint i = gl_WorkGroupID.x * turns * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	for (uint k = 0u; k < turns; k++, i += gl_WorkGroupSize.x) {
		if (i >= n)
			continue;
		uint to = slot * stride + i;
		REAL sum = REAL(0.0f);
		if (accum != 0u)
			sum = grad[to];
		for (uint b = 0u; b < sequences; b++)
			sum += dy[dy0 + (slot * sequences + b) * sequence + i];
		grad[to] = sum;
	}
}
