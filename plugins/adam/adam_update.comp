#version 450
#extension GL_GOOGLE_include_directive : require
/*
 * Public: a step of Adam on num_params elements; grads is the mean gradient, beta1_t and beta2_t are beta^t, m and v the
 * averages themselves, not scaled and not flushed.  Any number of workgroups; ceil(num_params / 256) give
 * each invocation one element.
 */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#define ADAM_STORE(x) (x)
#include "adam_math.h"

layout(local_size_x = 256) in;
layout(push_constant) uniform Push {
	uint num_params;
	float lr, beta1, beta2, eps, beta1_t, beta2_t;
};
layout(binding = 0) restrict buffer Params { float params[]; };
layout(binding = 1) restrict readonly buffer Grads { float grads[]; };
layout(binding = 2) restrict buffer M { float m[]; };
layout(binding = 3) restrict buffer V { float v[]; };

void main()
{
	float bias1 = hlx_div(1.0f, 1.0f - beta1_t);
	float bias2 = hlx_div(1.0f, 1.0f - beta2_t);
	for (uint i = gl_GlobalInvocationID.x; i < num_params; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x) {
		float g = grads[i];
		float m1 = adam_average(m[i], g, beta1, 1.0f - beta1);
		float v1 = adam_average(v[i], hlx_mul(g, g), beta2, 1.0f - beta2);
		m[i] = m1;
		v[i] = v1;
		params[i] = adam_param(params[i], adam_update(m1, v1, bias1, bias2, eps), lr, 0.0f);
	}
}
