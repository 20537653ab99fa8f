/*
 * adam_ref.c - the definition of adam.
 *
 * param, grad, m, v: the arena's (n)   flags: (n / 64)   loss: sum, count   norm: of the mean gradient, sum of squares
 *
 *     G = grad * (2^32 / count), times grad_clip / (norm + 1e-6) where that is below 1 and grad_clip above 0, within
 *         +-2^49; count 0 counts as 1
 *     m = store(beta1 m + (1 - beta1) G)       v = store(beta2 v + (1 - beta2) G^2)
 *     u = (m bias1) / (sqrt(v bias2) + 2^32 eps)
 *     param = store(param - lr (u + weight_decay param)), without weight_decay where flags say so; frozen
 *     elements stay as they are
 *
 * Every * is hlx_mul, / hlx_div and sqrt hlx_sqrt; lr is the step's.  The scalars are computed in double, rounded once
 * and flushed like what is stored.  The powers of two cancel: adam_math.h says why they are there.  So a
 * checkpoint's m is 2^32 and its v 2^64 times what other programs call exp_avg and exp_avg_sq.
 */
#include "plugins/adam/adam.h"

#define ADAM_STORE(x) hlx_store(x)
#include "plugins/adam/adam_math.h"

/* beta^t by repeated squaring, 0 below 2^-50 */
static double power(double beta, uint64_t t)
{
	double r = 1.0;
	for (; t; t >>= 1, beta = beta * beta)
		r = t & 1 ? r * beta : r;
	return r < 1.0 / (1ull << 50) ? 0.0 : r;
}

struct adam_scalars adam_scalars(const struct hlx_node *node, const struct hlx_step *step)
{
	const struct adam_attrs *a = node->attrs;
	return (struct adam_scalars){
		.beta1 = hlx_store((float)a->beta1),
		.rest1 = (float)(1.0 - a->beta1),
		.beta2 = hlx_store((float)a->beta2),
		.rest2 = (float)(1.0 - a->beta2),
		.bias1 = (float)(1.0 / (1.0 - power(a->beta1, step->step))),
		.bias2 = (float)(1.0 / (1.0 - power(a->beta2, step->step))),
		.eps = (float)(a->eps * 4294967296.0),
		.weight_decay = hlx_store((float)a->weight_decay),
		.grad_clip = hlx_store((float)a->grad_clip),
	};
}

int adam_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const struct adam_scalars s = adam_scalars(node, step);
	const float *grad = value[GRAD];
	const uint32_t *flags = value[FLAGS];
	float *p = value[PARAM], *m = value[M], *v = value[V];
	float factor = adam_factor(((float *)value[LOSS])[1], ((float *)value[NORM])[0], s.grad_clip);
	for (uint64_t i = 0; i < hlx_numel(&node->desc[PARAM]); i++) {
		float g = adam_gradient(grad[i], factor);
		if (flags[i / ADAM_SEGMENT] & ADAM_FROZEN)
			continue;
		m[i] = adam_average(m[i], g, s.beta1, s.rest1);
		v[i] = adam_average(v[i], hlx_mul(g, g), s.beta2, s.rest2);
		p[i] = adam_param(p[i], adam_update(m[i], v[i], s.bias1, s.bias2, s.eps), step->lr,
				flags[i / ADAM_SEGMENT] & ADAM_NODECAY ? 0.0f : s.weight_decay);
	}
	return 0;
}
