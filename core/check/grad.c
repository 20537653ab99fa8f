#include "core/check/grad.h"

#include <math.h>
#include <stdlib.h>

#include "core/numerics.h"
#include "hlx/math.h"

#define SAMPLES 7

static const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = 1, .n_seq = 1 };

/* -- denormals --------------------------------------------------------------------------------------------- */

static int walk_once(const struct hlx_check_graph *g, const struct hlx_check_case *c, enum hlx_family family, bool flush,
		struct hlx_walk **out)
{
	float *seed;
	int status;

	HLX_TRY(hlx_walk_create(g->graph, out));
	hlx_check_fill_walk(*out, c, family, 0);
	HLX_TRY(hlx_check_make_seed(g->graph, g->out, family, 0, &seed));
	hlx_fpenv_flush(flush);
	status = hlx_walk_forward(*out, &step);
	if (status >= 0)
		status = hlx_walk_backward(*out, &step, c->op->kind == HLX_LOSS ? NULL : g->out, seed);
	hlx_fpenv_flush(false);
	free(seed);
	return status;
}

static void same(struct hlx_check *b, const struct hlx_check_case *c, const char *what, const char *path, const float *x,
		const float *y, uint64_t n)
{
	uint64_t at = hlx_data_compare(x, y, n);

	if (at < n)
		hlx_check_complain(b, c, what, "%s: element %llu is %08x, and %08x with denormals flushed", path,
				(unsigned long long)at, hlx_bits(x[at]), hlx_bits(y[at]));
}

static void compare_walks(struct hlx_check *b, const struct hlx_check_case *c, const char *what, const struct hlx_walk *x,
		const struct hlx_walk *y)
{
	const struct hlx_graph *g = x->graph;

	for (uint32_t t = 0; t < g->n_tensors; t++) {
		uint32_t s = g->tensor[t].storage;
		same(b, c, what, g->tensor[t].path, x->value[s], y->value[s], g->storage[s].elements);
		same(b, c, what, g->tensor[t].path, x->grad[s], y->grad[s], g->storage[s].elements);
	}
	for (uint32_t i = 0; i < g->n_params; i++)
		same(b, c, what, g->param[i].path, x->final[i], y->final[i], hlx_numel(&g->param[i].desc));
}

void hlx_check_flush_family(struct hlx_check *b, const struct hlx_check_case *c, enum hlx_check_mode mode,
		enum hlx_family family)
{
	struct hlx_walk *x = NULL, *y = NULL;
	struct hlx_check_graph g;

	if (!hlx_check_graph_create(b->registry, c, mode, NULL, 0, &g))
		return;
	if (g.status >= 0)
		g.status = walk_once(&g, c, family, false, &x);
	if (g.status >= 0)
		g.status = walk_once(&g, c, family, true, &y);
	if (g.status >= 0)
		compare_walks(b, c, hlx_family_name[family], x, y);
	else
		hlx_check_complain(b, c, hlx_family_name[family], "%s", hlx_message());
	b->ran++;
	hlx_walk_destroy(x);
	hlx_walk_destroy(y);
	hlx_graph_destroy(g.graph);
}

void hlx_check_flush_case(struct hlx_check *b, const struct hlx_check_case *c)
{
	for (int mode = 0; mode < HLX_CHECK_INSIDE; mode++)
		for (int family = 0; family < HLX_FAMILY_COUNT; family++)
			hlx_check_flush_family(b, c, (enum hlx_check_mode)mode, (enum hlx_family)family);
}

/* -- central differences ----------------------------------------------------------------------------------- */

struct difference {
	struct hlx_check *bench;
	const struct hlx_check_case *c;
	const char *what;
	struct hlx_walk *walk;
	struct hlx_walk64 *wide;
	const char *out;
	const float *seed; /* NULL: the loss itself */
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
	for (uint64_t k = 0; k < SAMPLES; k++) {
		uint64_t i = n > SAMPLES ? k * (n - 1) / (SAMPLES - 1) : k;
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
			hlx_check_complain(d->bench, d->c, d->what, "gradient of %s: element %llu is %.9g, central differences say "
					"%.9g (largest %.3g)", path, (unsigned long long)i, (double)g[i], slope, scale);
	}
}

static void sample_all(struct difference *d)
{
	const struct hlx_graph *g = d->walk->graph;

	for (uint32_t i = 0; i < d->c->n_in; i++)
		if (d->c->in[i].desc.dtype == HLX_F32)
			sample(d, d->c->in[i].name, hlx_walk64_value(d->wide, d->c->in[i].name),
					hlx_walk_grad(d->walk, d->c->in[i].name), hlx_numel(&d->c->in[i].desc));
	for (uint32_t i = 0; i < g->n_params; i++)
		sample(d, g->param[i].path, d->wide->param[i], d->walk->final[i], hlx_numel(&g->param[i].desc));
}

void hlx_check_grad_case(struct hlx_check *b, const struct hlx_check_case *c)
{
	for (int mode = 0; mode < HLX_CHECK_MODE_COUNT; mode++) {
		struct difference d = { b, c, hlx_check_mode_name[mode], NULL, NULL, NULL, NULL };
		struct hlx_check_graph g;
		float *seed = NULL;
		if (!hlx_check_graph_create(b->registry, c, (enum hlx_check_mode)mode, NULL, 0, &g))
			continue;
		if (g.status >= 0)
			g.status = walk_once(&g, c, HLX_FAMILY_NORMAL, false, &d.walk);
		if (g.status >= 0)
			g.status = hlx_walk64_create(d.walk, &d.wide);
		if (g.status >= 0)
			g.status = hlx_check_make_seed(g.graph, g.out, HLX_FAMILY_NORMAL, 0, &seed);
		if (g.status >= 0) {
			d.out = g.out;
			d.seed = c->op->kind == HLX_LOSS ? NULL : seed;
			sample_all(&d);
		} else {
			hlx_check_complain(b, c, d.what, "%s", hlx_message());
		}
		b->ran++;
		free(seed);
		hlx_walk64_destroy(d.wide);
		hlx_walk_destroy(d.walk);
		hlx_graph_destroy(g.graph);
	}
}
