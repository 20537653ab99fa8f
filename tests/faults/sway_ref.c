/* sway_ref.c - sway's slots, shapes and definition. */
#include "tests/faults/sway.h"

#include "hlx/math.h"

const struct hlx_slot sway_slots[] = {
	[X] = { "x", HLX_IN, 0 },
	[W] = { "w", HLX_PARAM, 0 },
	[Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};
const struct hlx_attr sway_attributes[] = {
	{ "gain", "what the sum is multiplied with", HLX_FLOAT, offsetof(struct sway_attrs, gain), 1, -100, 100, NULL },
	{ 0 },
};
const char *const sway_cases[] = { "x=4x37", "x=8x130", "x=2x3", NULL };

int sway_infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *x = &node->desc[X];

	if (x->dtype != HLX_F32 || x->rank != 2)
		return host->fail(host, HLX_ESHAPE, "x has %u dims, want 2 (rows, cols)", x->rank);
	node->desc[W] = (struct hlx_desc){ .dtype = HLX_F32, .rank = 1, .dim = { x->dim[1] } };
	node->desc[Y] = (struct hlx_desc){ .dtype = HLX_F32, .rank = 1, .dim = { x->dim[0] }, .axis = { HLX_BATCH } };
	node->init[W].deviation = 0.02;
	return 0;
}

static float gain_of(const struct hlx_node *node)
{
	return (float)((const struct sway_attrs *)node->attrs)->gain;
}

int sway_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const struct hlx_desc *d = &node->desc[X];
	const float *x = value[X], *w = value[W];
	float *y = value[Y];

	(void)step;
	for (uint64_t r = 0; r < d->dim[0]; r++) {
		float s = 0;
		for (uint64_t c = 0; c < d->dim[1]; c++)
			s += hlx_mul(x[r * d->stride[0] + c * d->stride[1]], w[c]);
		y[r] = hlx_store(hlx_mul(s, gain_of(node)));
	}
	return 0;
}

int sway_backward(const struct hlx_node *node, void *const value[], void *const grad[], const struct hlx_step *step)
{
	const struct hlx_desc *d = &node->desc[X];
	const float *x = value[X], *w = value[W], *dy = grad[Y];
	float *dx = grad[X], *dw = grad[W];
	uint64_t rows = d->dim[0], cols = d->dim[1], run = hlx_slot_stride(&node->desc[W]), n = rows / node->slots;

	(void)step;
	for (uint64_t i = 0; i < rows * cols && node->grads >> X & 1; i++) {
		uint64_t at = i / cols * d->stride[0] + i % cols * d->stride[1];
		float g = hlx_mul(hlx_mul(dy[i / cols], gain_of(node)), w[i % cols]);
		dx[at] = node->accum >> X & 1 ? hlx_accum(dx[at], g) : hlx_store(g);
	}
	for (uint64_t i = 0; i < node->slots * cols && node->grads >> W & 1; i++) {
		uint64_t s = i / cols, c = i % cols;
		float sum = node->accum >> W & 1 ? dw[s * run + c] : 0;
		for (uint64_t r = s * n; r < (s + 1) * n; r++)
			sum += hlx_mul(hlx_mul(dy[r], gain_of(node)), x[r * d->stride[0] + c * d->stride[1]]);
		dw[s * run + c] = sum;
	}
	return 0;
}

int sway_64(const struct hlx_node *node, double *const value[])
{
	const struct hlx_desc *d = &node->desc[X];

	for (uint64_t r = 0; r < d->dim[0]; r++) {
		double s = 0;
		for (uint64_t c = 0; c < d->dim[1]; c++)
			s += value[X][r * d->stride[0] + c * d->stride[1]] * value[W][c];
		value[Y][r] = s * ((const struct sway_attrs *)node->attrs)->gain;
	}
	return 0;
}
