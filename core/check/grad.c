#include "core/check/grad.h"

#include <math.h>
#include <stdlib.h>

#include "core/numerics.h"
#include "hlx/math.h"

#define SAMPLES 7 /* elements of each tensor; brief: 3 */

static const struct hlx_step step = HLX_STEP_REF64;

static int walk_once(const struct hlx_check_graph *g, const struct hlx_check_case *c, uint64_t turn,
		struct hlx_walk **out)
{
	float *seed;
	int status;

	HLX_TRY(hlx_walk_create(g->graph, out));
	hlx_check_fill_walk(*out, c, HLX_FAMILY_NORMAL, turn);
	HLX_TRY(hlx_check_make_seed(g->graph, g->out, HLX_FAMILY_NORMAL, turn, &seed));
	status = hlx_walk_forward(*out, &step);
	if (status >= 0)
		status = hlx_walk_backward(*out, &step, c->op->kind == HLX_LOSS ? NULL : g->out, seed);
	free(seed);
	return status;
}

struct difference {
	struct hlx_check *bench;
	const struct hlx_check_case *c;
	const char *what;
	struct hlx_walk *walk;
	struct hlx_walk64 *wide;
	const char *out;
	const float *seed; /* NULL: the loss itself */
	uint64_t samples;
};

/* What is differentiated: the loss, or the result in the direction of the seed. */
static double objective(struct difference *d)
{
	const double *y;
	double sum = 0;

	if (hlx_walk64_forward(d->wide, d->walk) < 0)
		return NAN;
	y = hlx_walk64_value(d->wide, d->out);
	if (!d->seed)
		return y[0];
	for (uint64_t i = 0; i < hlx_numel(hlx_graph_desc(d->walk->graph, d->out)); i++)
		sum += y[i] * (double)d->seed[i];
	return sum;
}

/* x: the doubles of one tensor, g: its gradient as the reference has it */
static void sample(struct difference *d, const char *path, double *x, const float *g, uint64_t n)
{
	double scale = 1e-6;

	for (uint64_t i = 0; i < n; i++)
		scale = fabs((double)g[i]) > scale ? fabs((double)g[i]) : scale;
	for (uint64_t k = 0; k < d->samples; k++) {
		uint64_t i = n > d->samples ? k * (n - 1) / (d->samples - 1) : k;
		double old, h, up, slope;
		if (i >= n)
			break;
		old = x[i];
		h = 1e-5 * (fabs(old) > 1 ? fabs(old) : 1);
		x[i] = old + h;
		up = objective(d);
		x[i] = old - h;
		slope = (up - objective(d)) / (2 * h);
		x[i] = old;
		if (!(fabs(slope - (double)g[i]) <= 1e-4 * scale))
			hlx_check_complain(d->bench, HLX_CHECK_GRADIENT, d->c, d->what, "gradient of %s: element %llu is %.9g, central differences say "
					"%.9g (largest %.3g)", path, (unsigned long long)i, (double)g[i], slope, scale);
	}
}

/* The result itself: within 1e-4 of the largest, as the slopes are. */
static void compare_forward(struct difference *d)
{
	const float *y = hlx_walk_value(d->walk, d->out);
	const double *want;
	uint64_t n = d->seed ? hlx_numel(hlx_graph_desc(d->walk->graph, d->out)) : 1;
	double scale = 1e-30;

	if (hlx_walk64_forward(d->wide, d->walk) < 0)
		return;
	want = hlx_walk64_value(d->wide, d->out);
	y = d->seed ? y : d->walk->loss;
	for (uint64_t i = 0; i < n; i++)
		scale = fabs(want[i]) > scale ? fabs(want[i]) : scale;
	for (uint64_t i = 0; i < n; i++)
		if (!(fabs((double)y[i] - want[i]) <= 1e-4 * scale)) {
			hlx_check_complain(d->bench, HLX_CHECK_DOUBLE, d->c, d->what, "element %llu of %llu is %08x (%.9g), ref64 says %.9g "
					"(largest %.3g)", (unsigned long long)i, (unsigned long long)n, hlx_bits(y[i]), (double)y[i], want[i], scale);
			return;
		}
}

static void sample_all(struct difference *d)
{
	const struct hlx_graph *g = d->walk->graph;

	compare_forward(d);
	for (uint32_t i = 0; i < d->c->n_in; i++)
		if (d->c->in[i].desc.dtype == HLX_F32)
			sample(d, d->c->in[i].name, hlx_walk64_value(d->wide, d->c->in[i].name),
					hlx_walk_grad(d->walk, d->c->in[i].name), hlx_numel(&d->c->in[i].desc));
	for (uint32_t i = 0; i < g->n_params; i++)
		sample(d, g->param[i].path, d->wide->param[i], d->walk->final[i], hlx_numel(&g->param[i].desc));
}

void hlx_check_grad_case(struct hlx_check *b, const struct hlx_check_case *c, bool brief)
{
	bool more = true;

	for (int mode = 0; mode < HLX_CHECK_MODE_COUNT && more; mode++) {
		struct difference d = { b, c, hlx_check_mode_name[mode], NULL, NULL, NULL, NULL,
			brief ? 3 : SAMPLES };
		struct hlx_check_graph g;
		float *seed = NULL;
		if (!hlx_check_graph_create(b->registry, c, (enum hlx_check_mode)mode, NULL, 0, &g))
			continue;
		if (g.status >= 0)
			g.status = walk_once(&g, c, b->seed, &d.walk);
		if (g.status >= 0)
			g.status = hlx_walk64_create(d.walk, &d.wide);
		if (g.status >= 0)
			g.status = hlx_check_make_seed(g.graph, g.out, HLX_FAMILY_NORMAL, b->seed, &seed);
		if (g.status >= 0) {
			d.out = g.out;
			d.seed = c->op->kind == HLX_LOSS ? NULL : seed;
			sample_all(&d);
		} else if (!b->strange || !hlx_check_refusal(g.status)) {
			hlx_check_complain(b, HLX_CHECK_GRADIENT, c, d.what, "%s", hlx_message());
		}
		b->ran++;
		more = !brief;
		free(seed);
		hlx_walk64_destroy(d.wide);
		hlx_walk_destroy(d.walk);
		hlx_graph_destroy(g.graph);
	}
}
