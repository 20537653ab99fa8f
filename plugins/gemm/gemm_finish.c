/*
 * gemm_finish.c - a product that ends with what its neighbour does: the residual's add, gelu, or gelu's backward pass.
 *
 *     c = a W^T + bias; y = add x c        x1, proj
 *     c = a W^T + bias; y = gelu c         fc, act
 *     da = dc W; dx = gelu'(x) da          mlp's input, which gelu made of fc
 *
 * Of a product with a weight alone.  The neighbours are known by name, and by the order of their slots (add.c, gelu.c).
 */
#include "gemm.h"

#include <string.h>

enum { ADD_Y = 2, ADD_SLOTS };
enum { GELU_X, GELU_Y, GELU_SLOTS };
#define ALIGN (HLX_ALIGN / 4)

/* An element of the one has the index, from an aligned start, that it has in the other. */
static bool alike(const struct hlx_desc *a, const struct hlx_desc *b)
{
	if (a->dtype != HLX_F32 || b->dtype != HLX_F32 || a->rank != b->rank || (a->offset ^ b->offset) % ALIGN)
		return false;
	for (uint32_t i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i] || (a->dim[i] != 1 && a->stride[i] != b->stride[i]))
			return false;
	return true;
}

static bool all_alike(const struct hlx_desc *c, const struct hlx_node *next)
{
	for (uint32_t s = 0; s < next->n_slots; s++)
		if (!alike(c, &next->desc[s]))
			return false;
	return true;
}

static enum gemm_next next_of(const struct hlx_node *node, const struct hlx_finish *f, bool backward)
{
	bool add = !strcmp(f->op, "add") && f->node->n_slots == ADD_SLOTS;
	bool gelu = !strcmp(f->op, "gelu") && f->node->n_slots == GELU_SLOTS;

	if (!gemm_has_weight(node) || !all_alike(&node->desc[backward ? GEMM_A : GEMM_C], f->node))
		return GEMM_ALONE;
	if (backward)
		return gelu && f->slot == GEMM_A ? GEMM_NEXT_GELU_BACKWARD : GEMM_ALONE;
	if (gelu)
		return f->keep ? GEMM_NEXT_GELU_KEEP : GEMM_NEXT_GELU;
	return add && !f->keep ? GEMM_NEXT_ADD : GEMM_ALONE;
}

int gemm_finishes(const struct hlx_host *host, const struct hlx_node *node, const struct hlx_finish *f, bool backward)
{
	(void)host;
	return next_of(node, f, backward) == GEMM_ALONE ? HLX_ENOTSUP : 0;
}

static struct gemm_operand neighbour(const struct gemm_operand *c, const struct hlx_finish *f, unsigned slot, uint8_t what)
{
	struct gemm_operand o = *c;

	o.slot = (uint16_t)slot;
	o.what = what;
	o.base = f->node->desc[slot].offset;
	return o;
}

void gemm_finish_task(struct gemm_task *t, const struct hlx_node *node, bool backward)
{
	const struct hlx_finish *f = node->finish[backward];
	struct gemm_operand own = t->c;

	t->next = f ? next_of(node, f, backward) : GEMM_ALONE;
	switch (t->next) {
	case GEMM_NEXT_ADD:
		t->c = t->f = neighbour(&own, f, ADD_Y, HLX_NEXT_VALUE);
		t->e = neighbour(&own, f, 1 - f->slot, HLX_NEXT_VALUE);
		break;
	case GEMM_NEXT_GELU:
	case GEMM_NEXT_GELU_KEEP:
		t->c = t->e = neighbour(&own, f, GELU_Y, HLX_NEXT_VALUE);
		t->f = f->keep ? own : t->c;
		break;
	case GEMM_NEXT_GELU_BACKWARD:
		t->c = t->f = neighbour(&own, f, GELU_X, HLX_NEXT_GRAD);
		t->e = neighbour(&own, f, GELU_X, HLX_NEXT_VALUE);
		break;
	default:
		break;
	}
}

/* Unfinished sums are those of the task alone. */
uint32_t gemm_next_of(const struct gemm_task *t, const struct gemm_window *w)
{
	if (!t->next || w->k1 < t->k)
		return GEMM_ALONE;
	return t->next | (t->flags & GEMM_ADD_BIAS ? GEMM_NEXT_BIAS : 0);
}
