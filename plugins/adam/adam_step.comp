#version 450
#extension GL_GOOGLE_include_directive : require
/*
 * A step of Adam on n elements of the arena, n a multiple of 64, shared out as in flat.h; adam_ref.c defines it.
 */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#define ADAM_STORE(x) hlx_store(x)
#include "adam_math.h"

layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint n, turns;
};
layout(binding = 0) restrict buffer Param { vec4 param[]; };
layout(binding = 1) restrict readonly buffer Grad { vec4 grad[]; };
layout(binding = 2) restrict buffer M { vec4 m4[]; };
layout(binding = 3) restrict buffer V { vec4 v4[]; };
layout(binding = 4) restrict readonly buffer Flags { uint flags[]; };
layout(binding = 5) restrict readonly buffer Loss { float loss[]; };
layout(binding = 6) restrict readonly buffer Norm { float norm[]; };
layout(binding = 7) uniform Step {
	uint size, train;
	uvec2 number, seed;
	uint seq0, n_seq, position;
	float lr;
	uvec2 pad;
	float beta1, rest1, beta2, rest2;
	float bias1, bias2, eps, weight_decay;
	float grad_clip;
};

void element(inout float p, inout float m, inout float v, float gradient, float factor, float decay)
{
	float g = adam_gradient(gradient, factor);
	m = adam_average(m, g, beta1, rest1);
	v = adam_average(v, hlx_mul(g, g), beta2, rest2);
	p = adam_param(p, adam_update(m, v, bias1, bias2, eps), lr, decay);
}

void main()
{
	float factor = adam_factor(loss[1], norm[0], grad_clip);
	uint lane = gl_LocalInvocationID.x;
	uint base = gl_WorkGroupID.x * turns * gl_WorkGroupSize.x;
	for (uint t = 0u; t < turns; t++, base += gl_WorkGroupSize.x)
		if (base + lane < n / 4u) {
			uint i = base + lane;
			float decay = weight_decay;
			if (weight_decay > 0.0f && (flags[i / 16u] & 1u) != 0u)
				decay = 0.0f;
			vec4 g = grad[i], p = param[i], m = m4[i], v = v4[i];
			element(p.x, m.x, v.x, g.x, factor, decay);
			element(p.y, m.y, v.y, g.y, factor, decay);
			element(p.z, m.z, v.z, g.z, factor, decay);
			element(p.w, m.w, v.w, g.w, factor, decay);
			param[i] = p;
			m4[i] = m;
			v4[i] = v;
		}
}
