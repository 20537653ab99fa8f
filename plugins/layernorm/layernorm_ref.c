/*
 * layernorm_ref.c - the definition of layernorm.
 *
 * x, y, dx, dy: (rows, d)   gamma, beta: (d)   dgamma, dbeta: S runs of (d)
 *
 *     inv  = hlx_div(1, d)                   mean = tree(x) * inv
 *     var  = tree(x * x) * inv - mean * mean, 0 where that is below 0
 *     rstd = hlx_rsqrt(var + eps)            xhat = (x - mean) * rstd
 *     y    = store(xhat * gamma + beta)
 *
 *     c1   = tree(dy * gamma) * inv          c2 = tree((dy * gamma) * xhat) * inv
 *     dx  =  rstd * (((dy * gamma) - c1) - xhat * c2)
 *     dgamma += chain(dy * xhat)             dbeta += chain(dy), chains of 32 positions of one sequence
 *
 * tree is the row sum of hlx/tree.h, every * is hlx_mul.
 */
#include "hlx/tree.h"
#include "plugins/layernorm/layernorm.h"

#include <math.h>
#include <stdlib.h>

struct stats {
	float mean, rstd;
};

static struct stats row_stats(const struct hlx_node *node, const float *x)
{
	uint64_t d = hlx_cols(&node->desc[X]);
	float inv = layernorm_inv(node);
	float mean = hlx_mul(hlx_row_sum(x, d), inv);
	float var = hlx_mul(hlx_row_dot(x, x, d), inv) - hlx_mul(mean, mean);
	var = var < 0.0f ? 0.0f : var;
	return (struct stats){ mean, hlx_rsqrt(var + layernorm_eps(node)) };
}

int layernorm_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const float *x = value[X], *gamma = value[GAMMA], *beta = value[BETA];
	uint64_t d = hlx_cols(&node->desc[X]), rows = hlx_rows(&node->desc[X]);
	float *y = value[Y];
	(void)step;
	for (uint64_t r = 0; r < rows; r++, x += d, y += d) {
		struct stats s = row_stats(node, x);
		for (uint64_t i = 0; i < d; i++)
			y[i] = hlx_store(hlx_mul(hlx_mul(x[i] - s.mean, s.rstd), gamma[i]) + beta[i]);
	}
	return 0;
}

static void row_dx(const struct hlx_node *node, const float *x, const float *gamma, const float *dy, float *dx)
{
	uint64_t d = hlx_cols(&node->desc[X]);
	float inv = layernorm_inv(node);
	struct stats s = row_stats(node, x);
	struct hlx_tree64 t1, t2;
	hlx_tree64_init(&t1);
	hlx_tree64_init(&t2);
	for (uint64_t i = 0; i < d; i++) {
		float h = hlx_mul(dy[i], gamma[i]);
		hlx_tree64_add(&t1, i, h);
		hlx_tree64_add(&t2, i, hlx_mul(h, hlx_mul(x[i] - s.mean, s.rstd)));
	}
	float c1 = hlx_mul(hlx_tree64_finish(&t1), inv), c2 = hlx_mul(hlx_tree64_finish(&t2), inv);
	for (uint64_t i = 0; i < d; i++) {
		float xhat = hlx_mul(x[i] - s.mean, s.rstd);
		float r = hlx_mul(s.rstd, (hlx_mul(dy[i], gamma[i]) - c1) - hlx_mul(xhat, c2));
		dx[i] = node->accum >> X & 1 ? hlx_accum(dx[i], r) : hlx_store(r);
	}
}

/* Adds to term[0..d) one block's chain: of dy * xhat for gamma, of dy for beta. */
static void block_term(const struct hlx_node *node, const float *x, const float *dy, uint64_t n, int slot, float *term)
{
	uint64_t d = hlx_cols(&node->desc[X]);
	for (uint64_t i = 0; i < d; i++)
		term[i] = 0.0f;
	for (uint64_t p = 0; p < n; p++, x += d, dy += d) {
		struct stats s = row_stats(node, x);
		for (uint64_t i = 0; i < d; i++)
			term[i] += slot == BETA ? dy[i] : hlx_mul(dy[i], hlx_mul(x[i] - s.mean, s.rstd));
	}
}

/* One batch slot's run of dgamma or dbeta: its `sequences`, of `positions` rows each. */
static void slot_grad(const struct hlx_node *node, const float *x, const float *dy, uint64_t sequences, int slot,
		float *term, float *grad)
{
	uint64_t d = hlx_cols(&node->desc[X]), positions = layernorm_positions(node);
	for (uint64_t i = 0; i < d && !(node->accum >> slot & 1); i++)
		grad[i] = 0.0f;
	for (uint64_t b = 0; b < sequences; b++)
		for (uint64_t p = 0; p < positions; p += 32) {
			uint64_t at = (b * positions + p) * d, left = positions - p;
			block_term(node, x + at, dy + at, left < 32 ? left : 32, slot, term);
			for (uint64_t i = 0; i < d; i++)
				grad[i] += term[i];
		}
}

int layernorm_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		const struct hlx_step *step)
{
	const float *x = value[X], *gamma = value[GAMMA], *dy = grad[Y];
	uint64_t d = hlx_cols(&node->desc[X]), rows = hlx_rows(&node->desc[X]);
	uint64_t per_slot = node->desc[X].dim[0] / node->slots;
	float *term = malloc(d * sizeof *term);
	(void)step;
	if (!term)
		return HLX_ENOMEM;
	for (int slot = GAMMA; slot <= BETA; slot++)
		for (uint64_t s = 0; s < node->slots && node->grads >> slot & 1; s++) {
			uint64_t at = s * per_slot * layernorm_positions(node) * d;
			slot_grad(node, x + at, dy + at, per_slot, slot, term,
					(float *)grad[slot] + s * hlx_slot_stride(&node->desc[slot]));
		}
	for (uint64_t r = 0; r < rows && node->grads >> X & 1; r++)
		row_dx(node, x + r * d, gamma, dy + r * d, (float *)grad[X] + r * d);
	free(term);
	return 0;
}

int layernorm_ref64(const struct hlx_node *node, double *const value[])
{
	const double *x = value[X];
	uint64_t d = hlx_cols(&node->desc[X]), rows = hlx_rows(&node->desc[X]);
	double *y = value[Y];
	for (uint64_t r = 0; r < rows; r++, x += d, y += d) {
		double mean = 0, var = 0;
		for (uint64_t i = 0; i < d; i++)
			mean += x[i] / (double)d;
		for (uint64_t i = 0; i < d; i++)
			var += (x[i] - mean) * (x[i] - mean) / (double)d;
		double rstd = 1 / sqrt(var + layernorm_eps(node));
		for (uint64_t i = 0; i < d; i++)
			y[i] = (x[i] - mean) * rstd * value[GAMMA][i] + value[BETA][i];
	}
	return 0;
}
