/*
 * norm_tensors.comp - the sum of squares of each tensor: the chain over its blocks, ascending.
 *
 * squares: (blocks)   table: (tensors + 1) the first block of each tensor and the end   sums: (tensors)
 *
 * A workgroup is one lane, and a lane a tensor.  32 loads are under way at a time: their latency, not the adds', is
 * what a chain over 40,000 blocks would wait for on a GPU.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 1) in;
layout(push_constant) uniform Push {
	uint first; /* tensor of workgroup 0 */
};
layout(binding = 0) readonly restrict buffer Squares { float squares[]; };
layout(binding = 1) readonly restrict buffer Table { uint table[]; };
layout(binding = 2) writeonly restrict buffer Sums { float sums[]; };

#define CHAIN_DATA squares
#include "chain.glsl"

void main()
{
	uint t = first + gl_WorkGroupID.x;
	sums[t] = chain(table[t], table[t + 1u]);
}
