/* public_rows.c - the public shaders that work on rows: layernorm, softmax, cross-entropy. */
#include <math.h>
#include <stdlib.h>

#include "tests/public_check.h"

/* -- layernorm --------------------------------------------------------------------------------------------- */

struct layernorm_rows {
	uint32_t rows, d;
	float *x, *y, *gamma, *beta, *stats, *dy, *dx;
};

static void check_layernorm_forward(const struct layernorm_rows *l, double *mean, double *rstd)
{
	const struct { uint32_t num_positions, d_model; float eps; } p = { l->rows, l->d, 1e-5f };
	const struct array arrays[] = { floats(l->x, l->rows * l->d), floats(l->y, l->rows * l->d), floats(l->gamma, l->d),
		floats(l->beta, l->d), floats(l->stats, 2 * l->rows) };

	run("layernorm", "layernorm_forward", &p, sizeof(p), arrays, 5, l->rows, 1);
	for (uint32_t r = 0; r < l->rows; r++) {
		const float *x = l->x + r * l->d;
		double sum = 0, var = 0;
		for (uint32_t i = 0; i < l->d; i++)
			sum += x[i];
		mean[r] = sum / l->d;
		for (uint32_t i = 0; i < l->d; i++)
			var += (x[i] - mean[r]) * (x[i] - mean[r]) / l->d;
		rstd[r] = 1 / sqrt(var + 1e-5);
		expect("layernorm_forward", "mean", r, l->stats[2 * r], mean[r], 1e-6);
		expect("layernorm_forward", "rstd", r, l->stats[2 * r + 1], rstd[r], 1e-5 * rstd[r]);
		for (uint32_t i = 0; i < l->d; i++)
			expect("layernorm_forward", "output", r * l->d + i, l->y[r * l->d + i],
					(x[i] - mean[r]) * rstd[r] * l->gamma[i] + l->beta[i], 1e-5);
	}
}

/* Fewer workgroups than rows: each then takes several. */
static void check_layernorm_backward(const struct layernorm_rows *l, const double *mean, const double *rstd)
{
	const struct { uint32_t num_positions, d_model, accumulate; } p = { l->rows, l->d, 0 };
	const struct array arrays[] = { floats(l->x, l->rows * l->d), floats(l->dy, l->rows * l->d), floats(l->gamma, l->d),
		floats(l->stats, 2 * l->rows), floats(l->dx, l->rows * l->d) };

	run("layernorm", "layernorm_backward", &p, sizeof(p), arrays, 5, 2, 1);
	for (uint32_t r = 0; r < l->rows; r++) {
		const float *x = l->x + r * l->d, *dy = l->dy + r * l->d;
		double c1 = 0, c2 = 0;
		for (uint32_t i = 0; i < l->d; i++) {
			c1 += (double)dy[i] * (double)l->gamma[i] / l->d;
			c2 += (double)dy[i] * (double)l->gamma[i] * (x[i] - mean[r]) * rstd[r] / l->d;
		}
		for (uint32_t i = 0; i < l->d; i++)
			expect("layernorm_backward", "grad_input", r * l->d + i, l->dx[r * l->d + i],
					rstd[r] * ((double)dy[i] * (double)l->gamma[i] - c1 - (x[i] - mean[r]) * rstd[r] * c2),
					2e-5 * rstd[r]);
	}
}

/* terms: a sum over 32 positions; params: the sum of those. */
static void check_layernorm_params(const struct layernorm_rows *l, const double *mean, const double *rstd)
{
	uint32_t blocks = (l->rows + 31) / 32, groups = (l->d + 3) / 4, size = blocks * 2 * groups * 4;
	const struct { uint32_t positions, d_model, first_block, first_row; } p = { l->rows, l->d, 0, 0 };
	float *terms = make(size), *grad[2] = { make(l->d), make(l->d) };
	const struct array in[] = { floats(l->x, l->rows * l->d), floats(l->dy, l->rows * l->d),
		floats(l->stats, 2 * l->rows), floats(terms, size) };

	run("layernorm", "layernorm_terms", &p, sizeof(p), in, 4, (groups + 63) / 64, blocks);
	for (uint32_t which = 0; which < 2; which++) {
		const struct { uint32_t d_model, blocks, stride, which, accumulate; } q = { l->d, blocks, l->d, which, 0 };
		const struct array out[] = { floats(terms, size), floats(grad[which], l->d) };
		run("layernorm", "layernorm_params", &q, sizeof(q), out, 2, (groups + 63) / 64, 1);
	}
	for (uint32_t i = 0; i < l->d; i++) {
		double dgamma = 0, dbeta = 0;
		for (uint32_t r = 0; r < l->rows; r++) {
			dbeta += l->dy[r * l->d + i];
			dgamma += (double)l->dy[r * l->d + i] * (l->x[r * l->d + i] - mean[r]) * rstd[r];
		}
		expect("layernorm_params", "dgamma", i, grad[0][i], dgamma, 1e-4);
		expect("layernorm_params", "dbeta", i, grad[1][i], dbeta, 1e-4);
	}
	release(3, terms, grad[0], grad[1]);
}

static void check_layernorm(uint32_t rows, uint32_t d)
{
	struct layernorm_rows l = { rows, d, numbers(rows * d, 1), make(rows * d), numbers(d, 2), numbers(d, 3),
		make(2 * rows), numbers(rows * d, 4), make(rows * d) };
	double *mean = calloc(rows, sizeof(*mean)), *rstd = calloc(rows, sizeof(*rstd));

	check_layernorm_forward(&l, mean, rstd);
	check_layernorm_backward(&l, mean, rstd);
	check_layernorm_params(&l, mean, rstd);
	release(9, l.x, l.y, l.gamma, l.beta, l.stats, l.dy, l.dx, mean, rstd);
}

/* -- softmax ----------------------------------------------------------------------------------------------- */

static void check_softmax(uint32_t rows, uint32_t cols, uint32_t causal, float scale)
{
	const struct { uint32_t num_rows, cols, seq_len, first_row, causal; float scale; } p = { rows, cols, rows, 0, causal,
		scale };
	const struct { uint32_t num_rows, cols, seq_len, first_row, causal; float scale; uint32_t accumulate; } q = { rows,
		cols, rows, 0, causal, scale, 0 };
	size_t n = (size_t)rows * cols;
	float *x = numbers(n, 1), *y = make(n), *dy = numbers(n, 2), *dx = make(n);
	const struct array forward[] = { floats(x, n), floats(y, n) };
	const struct array backward[] = { floats(y, n), floats(dy, n), floats(dx, n) };

	run("softmax", "softmax_forward", &p, sizeof(p), forward, 2, rows, 1);
	run("softmax", "softmax_backward", &q, sizeof(q), backward, 3, 3, 1);
	for (uint32_t r = 0; r < rows; r++) {
		uint32_t seen = causal ? r + 1 + cols - rows : cols;
		double sum = 0, dot = 0;
		for (uint32_t j = 0; j < seen; j++)
			sum += exp((double)x[r * cols + j] * scale);
		for (uint32_t j = 0; j < seen; j++)
			dot += exp((double)x[r * cols + j] * scale) / sum * dy[r * cols + j];
		for (uint32_t j = 0; j < cols; j++) {
			double want = j < seen ? exp((double)x[r * cols + j] * scale) / sum : 0;
			expect("softmax_forward", "output", r * cols + j, y[r * cols + j], want, 1e-6);
			expect("softmax_backward", "grad_input", r * cols + j, dx[r * cols + j],
					scale * want * (dy[r * cols + j] - dot), 1e-6);
		}
	}
	release(4, x, y, dy, dx);
}

/* -- cross-entropy ----------------------------------------------------------------------------------------- */

static void check_cross_entropy(uint32_t rows, uint32_t vocab)
{
	const struct { uint32_t num_positions, vocab_size, ignore; } p = { rows, vocab, 5 };
	const struct { uint32_t num_positions, vocab_size, ignore, accumulate; } q = { rows, vocab, 5, 0 };
	size_t n = (size_t)rows * vocab;
	float *x = numbers(n, 1), *losses = make(rows), *softmax = make(n), *dx = make(n);
	uint32_t *targets = malloc(rows * sizeof(*targets));
	const struct array forward[] = { floats(x, n), { targets, rows * 4 }, floats(losses, rows), floats(softmax, n) };
	const struct array backward[] = { floats(softmax, n), { targets, rows * 4 }, floats(dx, n) };

	for (uint32_t r = 0; r < rows; r++)
		targets[r] = r * 7 % vocab; /* 5 is among them: ignored */
	run("xent", "cross_entropy_forward", &p, sizeof(p), forward, 4, rows, 1);
	run("xent", "cross_entropy_backward", &q, sizeof(q), backward, 3, 2, 1);
	for (uint32_t r = 0; r < rows; r++) {
		double sum = 0;
		for (uint32_t j = 0; j < vocab; j++)
			sum += exp(x[r * vocab + j]);
		expect("cross_entropy_forward", "losses", r, losses[r],
				targets[r] == 5 ? 0 : log(sum) - x[r * vocab + targets[r]], 2e-6);
		for (uint32_t j = 0; j < vocab; j++) {
			double want = exp(x[r * vocab + j]) / sum;
			expect("cross_entropy_forward", "softmax", r * vocab + j, softmax[r * vocab + j], want, 1e-6);
			expect("cross_entropy_backward", "d_logits", r * vocab + j, dx[r * vocab + j],
					targets[r] == 5 ? 0 : want - (j == targets[r]), 1e-6);
		}
	}
	release(5, x, losses, softmax, dx, targets);
}

void check_rows(void)
{
	check_layernorm(37, 256);
	check_layernorm(3, 257);
	check_layernorm(66, 5);
	check_softmax(37, 128, 0, 0.125f);
	check_softmax(3, 257, 0, 1);
	check_softmax(70, 70, 1, 0.5f);
	check_softmax(5, 9, 1, 1);
	check_cross_entropy(37, 256);
	check_cross_entropy(16, 13);
}
