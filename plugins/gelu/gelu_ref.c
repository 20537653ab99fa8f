/*
 * gelu_ref.c - the definition of gelu: gelu_math.h, element by element.
 *
 * x, y, dx, dy: any shape, all the same     y = store(gelu(x))     dx = or += dy * gelu'(x), recomputed from x
 */
#include "plugins/flat.h"
#include "plugins/gelu/gelu.h"
#include "plugins/gelu/gelu_math.h"

#include <math.h>

int gelu_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const struct hlx_desc *dx = &node->desc[X], *dy = &node->desc[Y];
	const float *x = value[X];
	float *y = value[Y];
	(void)step;
	for (uint64_t i = 0; i < hlx_numel(dx); i++)
		y[strided_at(dy, i)] = hlx_store(gelu_value(x[strided_at(dx, i)]));
	return 0;
}

int gelu_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		const struct hlx_step *step)
{
	const struct hlx_desc *dx = &node->desc[X], *dy = &node->desc[Y];
	const float *x = value[X], *gy = grad[Y];
	float *gx = grad[X];
	(void)step;
	for (uint64_t i = 0; i < hlx_numel(dx) && node->grads >> X & 1; i++) {
		uint64_t at = strided_at(dx, i);
		float r = gelu_slope(x[at], gy[strided_at(dy, i)]);
		gx[at] = node->accum >> X & 1 ? hlx_accum(gx[at], r) : hlx_store(r);
	}
	return 0;
}

int gelu_ref64(const struct hlx_node *node, double *const value[])
{
	const struct hlx_desc *dx = &node->desc[X], *dy = &node->desc[Y];
	for (uint64_t i = 0; i < hlx_numel(dx); i++) {
		double x = value[X][strided_at(dx, i)];
		value[Y][strided_at(dy, i)] =
				x * 0.5 * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
	}
	return 0;
}
