/*
 * adam_step.glsl - a step of Adam on n elements of the arena, n a multiple of 64; adam_ref.c defines it.
 *
 * The arithmetic is adam_math.h's with four elements side by side, and * for hlx_mul in (1 - beta) G and (1 - beta) G^2:
 * 1 - beta >= 2^-20, and G and hlx_mul(G, G) are 0 or >= 2^-100, so no product is a denormal; and one below 2^-100 does not
 * show, as next to beta m >= 2^-74 it is less than half a place, and next to anything smaller the sum is stored as +0.
 */
#include "../flat.glsl"
#define ADAM_STORE(x) hlx_store(x)
#include "adam_math.h"

FLAT_INOUT(0, 8, param)
FLAT_IN(1, grad)
FLAT_INOUT(2, 9, m)
FLAT_INOUT(3, 10, v)
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
} ONCE_BLOCK(step);
ONCE(float, step, lr)
ONCE(float, step, beta1)
ONCE(float, step, rest1)
ONCE(float, step, beta2)
ONCE(float, step, rest2)
ONCE(float, step, bias1)
ONCE(float, step, bias2)
ONCE(float, step, eps)
ONCE(float, step, weight_decay)
ONCE(float, step, grad_clip)

vec4 gradient(vec4 grad, float factor)
{
	vec4 g = grad * factor, most = vec4(ADAM_LIMIT);
	g = hlx_select(greaterThan(g, most), most, g);
	return hlx_select(lessThan(g, -most), -most, g);
}

void main()
{
	float factor = adam_factor(loss[1], norm[0], grad_clip);
	FLAT_EACH(i,
		uint flag = flags[i / 16u];
		if ((flag & 2u) == 0u) {
			float decay = weight_decay;
			if (weight_decay > 0.0f && (flag & 1u) != 0u)
				decay = 0.0f;
			vec4 g = gradient(read_grad(i), factor);
			vec4 p = read_param(i);
			vec4 m = hlx_store(beta1 * read_m(i) + rest1 * g);
			vec4 v = hlx_store(beta2 * read_v(i) + rest2 * hlx_mul(g, g));
			vec4 u = hlx_div(m * bias1, hlx_sqrt(v * bias2) + eps);
			write_param(i, hlx_store(p - hlx_mul(u + decay * p, lr)));
			write_m(i, m);
			write_v(i, v);
		}
	)
}
