/*
 * heads_ref.c - the definition of heads and unheads: which element is which.
 *
 * heads:   y[b][h][t][i] = x[b][t][(part * H + h) * dh + i]
 * unheads: y[b][t][h * dh + i] = x[b][h][t][i]
 *
 * One of x and y is a view of the other, so that is true of the storage already, of gradients too (of heads the
 * part of x's gradient that y covers), and the references of forward and backward have nothing to do.  ref64 copies,
 * which changes nothing where its tensors share their storage and is right where they do not.
 */
#include "plugins/heads/heads.h"

int heads_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	(void)node, (void)value, (void)step;
	return 0;
}

int heads_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		const struct hlx_step *step)
{
	(void)node, (void)value, (void)grad, (void)step;
	return 0;
}

/* Copies between x (batch, seq, columns from `first` on) and y (batch, heads, seq, dh), into `to_heads` ? y : x. */
static void copy64(const struct hlx_desc *flat, double *x, uint64_t first, const struct hlx_desc *split, double *y,
		bool to_heads)
{
	const uint64_t *n = split->dim, *s = split->stride;
	for (uint64_t i = 0; i < hlx_numel(split); i++) {
		uint64_t c = i % n[3], t = i / n[3] % n[2], h = i / n[3] / n[2] % n[1], b = i / n[3] / n[2] / n[1];
		double *f = x + b * flat->stride[0] + t * flat->stride[1] + (first + h * n[3] + c) * flat->stride[2];
		double *g = y + b * s[0] + h * s[1] + t * s[2] + c * s[3];
		if (to_heads)
			*g = *f;
		else
			*f = *g;
	}
}

int heads_ref64(const struct hlx_node *node, double *const value[])
{
	const struct heads_attrs *a = node->attrs;
	const struct hlx_desc *y = &node->desc[Y];
	copy64(&node->desc[X], value[X], (uint64_t)a->part * y->dim[1] * y->dim[3], y, value[Y], true);
	return 0;
}

int unheads_ref64(const struct hlx_node *node, double *const value[])
{
	copy64(&node->desc[Y], value[Y], 0, &node->desc[X], value[X], false);
	return 0;
}
