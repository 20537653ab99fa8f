/*
 * norm_total.comp - the chain over tensors, and the norm of the mean gradient.
 *
 * sums: (tensors)   loss: (2) sum, count   norm: (2) norm, sum of squares
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x = 1) in;
layout(push_constant) uniform Push {
	uint tensors;
};
layout(binding = 0) readonly restrict buffer Sums { float sums[]; };
layout(binding = 1) readonly restrict buffer Loss { float loss[]; };
layout(binding = 2) writeonly restrict buffer Norm { float norm[]; };

#define CHAIN_DATA sums
#include "chain.glsl"

void main()
{
	float total = chain(0u, tensors), count = loss[1];
	float inv = count > 0.0f ? hlx_div(1.0f, count) : 0.0f;
	norm[0] = hlx_store(hlx_mul(hlx_sqrt(total), inv));
	norm[1] = hlx_store(total);
}
