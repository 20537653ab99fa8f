/*
 * add_ref.c - the definition of add.
 *
 * a, b, y: any shape, all the same     y = store(a + b)     da = or += dy     db = or += dy
 *
 * What a gradient takes from dy is in memory already, so nothing is flushed but the sum with what was there.
 */
#include "plugins/add/add.h"
#include "plugins/flat.h"

#include "hlx/math.h"

int add_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const struct hlx_desc *d = node->desc;
	const float *a = value[A], *b = value[B];
	float *y = value[Y];
	(void)step;
	for (uint64_t i = 0; i < hlx_numel(&d[Y]); i++)
		y[strided_at(&d[Y], i)] = hlx_store(a[strided_at(&d[A], i)] + b[strided_at(&d[B], i)]);
	return 0;
}

int add_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		const struct hlx_step *step)
{
	const float *dy = grad[Y];
	(void)value, (void)step;
	for (int s = A; s <= B; s++) {
		float *g = grad[s];
		for (uint64_t i = 0; i < hlx_numel(&node->desc[s]) && node->grads >> s & 1; i++) {
			uint64_t at = strided_at(&node->desc[s], i);
			float r = dy[strided_at(&node->desc[Y], i)];
			g[at] = node->accum >> s & 1 ? hlx_accum(g[at], r) : r;
		}
	}
	return 0;
}

int add_ref64(const struct hlx_node *node, double *const value[])
{
	const struct hlx_desc *d = node->desc;
	for (uint64_t i = 0; i < hlx_numel(&d[Y]); i++)
		value[Y][strided_at(&d[Y], i)] = value[A][strided_at(&d[A], i)] + value[B][strided_at(&d[B], i)];
	return 0;
}
