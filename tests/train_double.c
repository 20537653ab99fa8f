#include "tests/train_double.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

/* -- the optimizer ----------------------------------------------------------------------------------------- */

struct textbook { /* of one parameter */
	double *x, *m, *v;
};

/* Adam with decoupled weight decay as the papers have it, in double, on the program's own gradients. */
static void adam(const struct model *m, uint32_t param, struct textbook *t, const float *grad, double per_count,
		uint64_t step)
{
	const struct hlx_param *p = &m->graph->param[param];
	double decay = p->no_decay ? 0 : 0.1;

	for (uint64_t e = 0; e < hlx_numel(&p->desc); e++) {
		double g = (double)grad[e] * per_count;
		t->m[e] = 0.9 * t->m[e] + 0.1 * g;
		t->v[e] = 0.999 * t->v[e] + 0.001 * g * g;
		t->x[e] -= 0.01 * (t->m[e] / (1 - pow(0.9, (double)step)) /
				(sqrt(t->v[e] / (1 - pow(0.999, (double)step))) + 1e-8) + decay * t->x[e]);
	}
}

/* x_i after the step, its gradient's share of the norm */
static double follow_param(struct model *m, uint32_t i, struct textbook *t, double per_count, uint64_t step)
{
	const struct hlx_param *p = &m->graph->param[i];
	uint64_t n = hlx_numel(&p->desc);
	float *x = malloc(n * 4), *grad = malloc(n * 4);
	double squares = 0;

	ck_assert(x && grad);
	OK(hlx_program_read(m->program, p->path, HLX_GRAD, 0, n, grad));
	OK(hlx_weights_read(m->weights, i, 0, x));
	for (uint64_t e = 0; e < n; e++)
		squares += (double)grad[e] * (double)grad[e];
	if (per_count > 0) {
		adam(m, i, t, grad, per_count, step);
		for (uint64_t e = 0; e < n; e++)
			ck_assert_msg(fabs((double)x[e] - t->x[e]) <= 1e-6 + 1e-6 * fabs(t->x[e]),
					"step %u: %s, element %llu is %.9g, Adam in double says %.9g", (unsigned)step, p->path,
					(unsigned long long)e, (double)x[e], t->x[e]);
	}
	free(x);
	free(grad);
	return squares;
}

static struct textbook make_textbook(struct model *m, uint32_t i)
{
	uint64_t n = hlx_numel(&m->graph->param[i].desc);
	struct textbook t = { calloc(n, 8), calloc(n, 8), calloc(n, 8) };
	float *x = malloc(n * 4);

	ck_assert(t.x && t.m && t.v && x);
	OK(hlx_weights_read(m->weights, i, 0, x));
	for (uint64_t e = 0; e < n; e++)
		t.x[e] = x[e];
	free(x);
	return t;
}

void train_check_adam(void)
{
	struct textbook t[64];
	struct model m;
	struct hlx_result r;

	OK(model_open(&m, pre_ln, NULL, 0));
	ck_assert_uint_le(m.graph->n_params, 64);
	for (uint32_t i = 0; i < m.graph->n_params; i++)
		t[i] = make_textbook(&m, i);
	for (uint64_t s = 1; s <= 5; s++) {
		double squares = 0, norm;
		OK(model_train(&m, s, &r));
		for (uint32_t i = 0; i < m.graph->n_params; i++)
			squares += follow_param(&m, i, &t[i], 0, s);
		norm = sqrt(squares) / MODEL_TOKENS;
		ck_assert_msg(fabs(norm - (double)r.grad_norm) <= 1e-5 * norm, "step %u: norm %.9g, in double %.9g",
				(unsigned)s, (double)r.grad_norm, norm);
		for (uint32_t i = 0; i < m.graph->n_params; i++) /* grad_clip = 0.5 */
			follow_param(&m, i, &t[i], (norm > 0.5 ? 0.5 / (norm + 1e-6) : 1) / MODEL_TOKENS, s);
	}
	for (uint32_t i = 0; i < m.graph->n_params; i++) {
		free(t[i].x);
		free(t[i].m);
		free(t[i].v);
	}
	model_close(&m);
}

/* -- the gradient of the whole model ----------------------------------------------------------------------- */

static double loss64(struct hlx_walk64 *w, const struct hlx_walk *nodes, const char *loss)
{
	OK(hlx_walk64_forward(w, nodes));
	return hlx_walk64_value(w, loss)[0];
}

static void sample(const char *name, struct hlx_walk64 *w, struct host_model *h, uint32_t param)
{
	const struct hlx_param *p = &w->graph->param[param];
	uint64_t n = hlx_numel(&p->desc);
	const float *g = h->walk->final[param];
	double scale = 0, h0 = 1e-5;

	for (uint64_t e = 0; e < n; e++)
		scale = fabs((double)g[e]) > scale ? fabs((double)g[e]) : scale;
	for (uint64_t k = 0; k < 5; k++) {
		uint64_t e = k * (n - 1) / 4;
		double old = w->param[param][e], up, slope;
		w->param[param][e] = old + h0;
		up = loss64(w, h->walk, "head.loss");
		w->param[param][e] = old - h0;
		slope = (up - loss64(w, h->walk, "head.loss")) / (2 * h0);
		w->param[param][e] = old;
		ck_assert_msg(fabs(slope - (double)g[e]) <= 1e-4 * scale + 1e-5,
				"%s: gradient of %s, element %llu: %.9g, central differences say %.9g (largest %.3g)", name,
				p->path, (unsigned long long)e, (double)g[e], slope, scale);
	}
}

/* The references' gradients are the program's, bit for bit (above); here they are the loss's, in double. */
void train_check_gradient(const char *name, const char *text)
{
	struct model m;
	struct host_model h;
	struct hlx_walk64 *w;
	double loss;

	OK(model_open(&m, text, NULL, 0));
	OK(host_model_open(&h, &m));
	for (uint64_t s = 1; s <= 2; s++) /* of weights that one step has moved: the first are nearly zero */
		OK(host_model_train(&h, &m, s));
	hlx_walk64_create(h.walk, &w);
	loss = loss64(w, h.walk, "head.loss");
	ck_assert_msg(fabs(loss - (double)h.walk->loss[0]) < 1e-5 * loss, "%s: loss %.9g, in double %.9g", name,
			(double)h.walk->loss[0], loss);
	for (uint32_t i = 0; i < m.graph->n_params; i++)
		sample(name, w, &h, i);
	hlx_walk64_destroy(w);
	host_model_close(&h);
	model_close(&m);
}
