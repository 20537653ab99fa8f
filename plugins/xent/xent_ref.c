/*
 * xent_ref.c - the definition of xent, the cross-entropy of a softmax with a target index.
 *
 * logits, dlogits: (rows, vocab)   targets: (rows)   loss: S runs of (2): sum, count
 *
 *     m = max x, from -FLT_MAX      e = hlx_exp(x - m)      s = tree(e)
 *     row loss = store((m - x[target]) + hlx_log(s));  +0 where the target is ignore_index, NaN where it is no column
 *     sum     += chain(row loss), chains of 32 positions of one sequence, in (sequence, block) order
 *     count   += positions that are not ignored
 *     dlogits  = e * hlx_rcp(s) - (1 at the target);  +0 in ignored rows
 *
 * tree is the row sum of hlx/tree.h, * is hlx_mul.  (m - x[target]) comes first because it is exact where it is small:
 * a confident row's loss is then log(s) itself, not what m + log(s) has left of it.
 */
#include "hlx/tree.h"
#include "plugins/xent/xent.h"

#include <float.h>
#include <math.h>

struct row {
	float max, sum;
};

static struct row row_stats(const float *x, uint64_t vocab)
{
	struct row row = { -FLT_MAX, 0.0f };
	struct hlx_tree64 t;
	for (uint64_t j = 0; j < vocab; j++)
		row.max = x[j] > row.max ? x[j] : row.max;
	hlx_tree64_init(&t);
	for (uint64_t j = 0; j < vocab; j++)
		hlx_tree64_add(&t, j, hlx_exp(x[j] - row.max));
	row.sum = hlx_tree64_finish(&t);
	return row;
}

static float row_loss(const struct hlx_node *node, const float *x, uint32_t target)
{
	uint64_t vocab = hlx_cols(&node->desc[LOGITS]);
	if (target == xent_ignore(node))
		return 0.0f;
	if (target >= vocab)
		return hlx_float(HLX_BITS_NAN);
	struct row row = row_stats(x, vocab);
	return hlx_store((row.max - x[target]) + hlx_log(row.sum));
}

/* Adds positions [r, end) of one sequence to loss: a chain a block of 32. */
static void sequence_loss(const struct hlx_node *node, const float *x, const uint32_t *target, uint64_t r, uint64_t end,
		float loss[2])
{
	uint64_t vocab = hlx_cols(&node->desc[LOGITS]);
	while (r < end) {
		float sum = 0.0f, count = 0.0f;
		for (uint64_t block = end - r < 32 ? end : r + 32; r < block; r++) {
			sum += row_loss(node, x + r * vocab, target[r]);
			count += target[r] != xent_ignore(node) ? 1.0f : 0.0f;
		}
		loss[0] += sum;
		loss[1] += count;
	}
}

int xent_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	uint64_t positions = xent_positions(node), per_slot = node->desc[LOGITS].dim[0] / node->slots;
	(void)step;
	for (uint64_t s = 0; s < node->slots; s++) {
		float *loss = (float *)value[LOSS] + s * hlx_slot_stride(&node->desc[LOSS]);
		if (!(node->accum >> LOSS & 1))
			loss[0] = loss[1] = 0.0f;
		for (uint64_t b = s * per_slot; b < (s + 1) * per_slot; b++)
			sequence_loss(node, value[LOGITS], value[TARGETS], b * positions, (b + 1) * positions, loss);
	}
	return 0;
}

int xent_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		const struct hlx_step *step)
{
	uint64_t vocab = hlx_cols(&node->desc[LOGITS]), rows = hlx_rows(&node->desc[LOGITS]);
	const uint32_t *target = value[TARGETS];
	const float *x = value[LOGITS];
	float *dx = grad[LOGITS];
	(void)step;
	if (!(node->grads >> LOGITS & 1))
		return 0;
	for (uint64_t r = 0; r < rows; r++, x += vocab, dx += vocab) {
		struct row row = row_stats(x, vocab);
		float inv = hlx_rcp(row.sum);
		for (uint64_t j = 0; j < vocab; j++) {
			float g = hlx_mul(hlx_exp(x[j] - row.max), inv) - (j == target[r] ? 1.0f : 0.0f);
			g = target[r] == xent_ignore(node) ? 0.0f : g;
			dx[j] = node->accum >> LOGITS & 1 ? hlx_accum(dx[j], g) : hlx_store(g);
		}
	}
	return 0;
}

int xent_ref64(const struct hlx_node *node, double *const value[])
{
	uint64_t vocab = hlx_cols(&node->desc[LOGITS]), rows = hlx_rows(&node->desc[LOGITS]);
	double ignore = (double)((const struct xent_attrs *)node->attrs)->ignore_index;
	const double *x = value[LOGITS];
	double *loss = value[LOSS];
	loss[0] = loss[1] = 0;
	for (uint64_t r = 0; r < rows; r++, x += vocab) {
		double m = -INFINITY, sum = 0, target = value[TARGETS][r];
		if (target == ignore)
			continue;
		for (uint64_t j = 0; j < vocab; j++)
			m = x[j] > m ? x[j] : m;
		for (uint64_t j = 0; j < vocab; j++)
			sum += exp(x[j] - m);
		loss[0] += target >= 0 && target < (double)vocab ? m + log(sum) - x[(uint64_t)target] : NAN;
		loss[1] += 1;
	}
	return 0;
}
