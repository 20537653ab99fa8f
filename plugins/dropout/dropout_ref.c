/*
 * dropout_ref.c - the definition of dropout.
 *
 * x, y, dx, dy: any shape, all the same, the batch first
 *
 *     y = store(x * scale) where word >= threshold, else +0     dx = or += the same of dy
 *     threshold = floor(p 2^32)    scale = 1 / (1 - p) in double, once to float
 *
 * The word is hlx/philox.h's of (seed, node, step, sequence, place in the sequence).  scale >= 1, so no product of what
 * memory holds is below 2^-50.  Without training y = x.
 */
#include "plugins/dropout/dropout.h"
#include "hlx/philox.h"
#include "plugins/flat.h"

struct dropout_scalars dropout_scalars(const struct hlx_node *node, const struct hlx_step *step)
{
	const struct dropout_attrs *a = node->attrs;
	const struct hlx_desc *x = &node->desc[X];
	const uint32_t per_seq = (uint32_t)(hlx_numel(x) / x->dim[0]);
	return (struct dropout_scalars){
		.key = { step->seed[0] ^ (uint32_t)node->key, step->seed[1] ^ (uint32_t)(node->key >> 32) },
		.threshold = step->train ? (uint32_t)(a->p * 0x1p32) : 0,
		.scale = step->train ? (float)(1.0 / (1.0 - a->p)) : 1.0f,
		.per_seq = per_seq,
		.inverse = UINT32_MAX / per_seq,
	};
}

/* The elements of a pass in row-major order, four words at a time. */
struct draw {
	struct dropout_scalars s;
	const struct hlx_step *step;
	struct hlx_words4 words;
};

static bool is_kept(struct draw *d, uint64_t i)
{
	uint32_t seq = d->step->seq0 + (uint32_t)(i / d->s.per_seq), place = (uint32_t)(i % d->s.per_seq);
	if (place % 4 == 0)
		d->words = hlx_philox4x32((struct hlx_words4){ place / 4, seq, (uint32_t)d->step->step,
				(uint32_t)(d->step->step >> 32) }, d->s.key[0], d->s.key[1]);
	const uint32_t word[] = { d->words.x, d->words.y, d->words.z, d->words.w };
	return word[place % 4] >= d->s.threshold;
}

int dropout_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const struct hlx_desc *dx = &node->desc[X], *dy = &node->desc[Y];
	struct draw d = { .s = dropout_scalars(node, step), .step = step };
	const float *x = value[X];
	float *y = value[Y];
	for (uint64_t i = 0; i < hlx_numel(dx) && !dy->view_of; i++)
		y[strided_at(dy, i)] = is_kept(&d, i) ? hlx_store(x[strided_at(dx, i)] * d.s.scale) : 0.0f;
	return 0;
}

int dropout_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		const struct hlx_step *step)
{
	const struct hlx_desc *dx = &node->desc[X], *dy = &node->desc[Y];
	struct draw d = { .s = dropout_scalars(node, step), .step = step };
	const float *gy = grad[Y];
	float *gx = grad[X];
	(void)value;
	for (uint64_t i = 0; i < hlx_numel(dx) && !dy->view_of && node->grads >> X & 1; i++) {
		uint64_t at = strided_at(dx, i);
		float r = is_kept(&d, i) ? hlx_store(gy[strided_at(dy, i)] * d.s.scale) : 0.0f;
		gx[at] = node->accum >> X & 1 ? hlx_accum(gx[at], r) : r;
	}
	return 0;
}

int dropout_ref64(const struct hlx_node *node, double *const value[])
{
	const struct hlx_step first = HLX_STEP_REF64;
	const struct hlx_desc *dx = &node->desc[X], *dy = &node->desc[Y];
	const struct dropout_attrs *a = node->attrs;
	struct draw d = { .s = dropout_scalars(node, &first), .step = &first };
	double scale = dy->view_of ? 1 : 1 / (1 - a->p);
	for (uint64_t i = 0; i < hlx_numel(dx); i++)
		value[Y][strided_at(dy, i)] = dy->view_of || is_kept(&d, i) ? value[X][strided_at(dx, i)] * scale : 0;
	return 0;
}
