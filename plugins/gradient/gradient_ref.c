/*
 * gradient_ref.c - the definitions of slots and norm, which end a gradient.
 *
 * partial: S runs of (n)   out: (n)   squares: (ceil(n / 1024))
 *
 *     t          = P[0] after P[i] += P[i + w], w = 1, 2, 4 ... over the S runs, for each element
 *     out        = t, or out + t where this is not the parameter's first use; unflushed until the last use:
 *     out        = store(out);  squares[b] = tree(out * out) over elements 1024 b to 1024 b + 1023
 *
 * squares: (blocks)   table: (tensors + 1), the first block of each tensor and the end   loss: (2) sum, count
 *
 *     total   = chain over tensors of (chain over the tensor's blocks), both from +0, ascending
 *     norm[0] = store(hlx_sqrt(total) * hlx_div(1, count)), of the mean gradient; 0 where count is 0
 *     norm[1] = store(total)
 *
 * tree is the row sum of hlx/tree.h, * is hlx_mul.
 */
#include "hlx/tree.h"
#include "plugins/gradient/gradient.h"

/* P[i] += P[i + w], w = 1, 2, 4 ...: the upper half's sum is the last to be added. */
static float slot_tree(const float *p, uint64_t stride, uint32_t slots)
{
	uint32_t half = slots / 2;
	return half ? slot_tree(p, stride, half) + slot_tree(p + half * stride, stride, half) : *p;
}

int slots_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const struct slots_attrs *attrs = node->attrs;
	uint64_t n = hlx_numel(&node->desc[OUT]);
	const float *partial = value[PARTIAL];
	float *out = value[OUT], *squares = value[SQUARES];
	(void)step;
	for (uint64_t i = 0; i < n; i++) {
		float t = slot_tree(partial + i, hlx_slot_stride(&node->desc[PARTIAL]), node->slots);
		t = attrs->first ? t : out[i] + t;
		out[i] = attrs->last ? hlx_store(t) : t;
	}
	for (uint64_t i = 0; i < n && attrs->last; i += GRADIENT_BLOCK, squares++)
		*squares = hlx_row_dot(out + i, out + i, n - i < GRADIENT_BLOCK ? n - i : GRADIENT_BLOCK);
	return 0;
}

int norm_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	uint64_t tensors = hlx_numel(&node->desc[NORM_TABLE]) - 1;
	const float *squares = value[NORM_SQUARES], *loss = value[NORM_LOSS];
	const uint32_t *table = value[NORM_TABLE];
	float *norm = value[NORM_OUT], total = 0.0f;
	(void)step;
	for (uint64_t t = 0; t < tensors; t++) {
		float sum = 0.0f;
		for (uint32_t b = table[t]; b < table[t + 1]; b++)
			sum += squares[b];
		total += sum;
	}
	float inv = loss[1] > 0.0f ? hlx_div(1.0f, loss[1]) : 0.0f;
	norm[0] = hlx_store(hlx_mul(hlx_sqrt(total), inv));
	norm[1] = hlx_store(total);
	return 0;
}
