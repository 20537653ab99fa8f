/*
 * strided.glsl - elementwise ops on tensors that are not dense, element by element: the twin of flat.h.  An invocation
 * takes elements gl_GlobalInvocationID.x, + as many as there are invocations, and so on.
 */
#ifndef STRIDED_GLSL
#define STRIDED_GLSL

struct strided_map {
	uint first, stride[4];
};

layout(push_constant) uniform Push {
	uint n, accum, dim[3];
	strided_map at[3];
};

uint strided_at(uint i, uint k)
{
	uint a = at[k].first + i % dim[2] * at[k].stride[3];
	i /= dim[2];
	a += i % dim[1] * at[k].stride[2];
	i /= dim[1];
	return a + i % dim[0] * at[k].stride[1] + i / dim[0] * at[k].stride[0];
}

#endif
