/* edge_run.c - a case's graph by its references (check/walk.h), and as a program. */
#include "tests/edges/edge.h"

#include <stdlib.h>

#include "core/numerics.h"
#include "core/program/program.h"
#include "core/check/run.h"
#include "hlx/math.h"

static const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = 1, .n_seq = 1 };

struct run {
	const struct edge *e;
	struct hlx_check_case c;
	struct hlx_check_graph g;
	struct hlx_op planted;
	struct hlx_walk *walk;
	struct hlx_weights *weights;
	struct hlx_program *program;
	bool loss;
};

static int start(struct hlx_check *b, const struct edge *e, const struct hlx_impl *impl, struct run *r)
{
	const struct hlx_op *op = hlx_registry_op(b->registry, e->op);

	*r = (struct run){ .e = e };
	if (!op)
		return hlx_fail(HLX_EINVAL, "no op %s", e->op);
	r->loss = op->kind == HLX_LOSS;
	HLX_TRY(hlx_check_case_parse(op, e->text, &r->c));
	if (!hlx_check_graph_create(b->registry, &r->c, HLX_CHECK_DIRECT, impl, 0, &r->g))
		return hlx_fail(HLX_EINVAL, "%s has no graph of '%s'", e->op, e->text);
	return r->g.status;
}

static void finish(struct run *r)
{
	hlx_walk_destroy(r->walk);
	hlx_program_destroy(r->program);
	hlx_weights_destroy(r->weights);
	hlx_graph_destroy(r->g.graph);
}

static int make_floats(const struct edge *e, const char *path, uint64_t n, float **out)
{
	if (!(*out = malloc((n + 1) * sizeof(**out))))
		return hlx_no_memory();
	e->fill(*out, n, path);
	return 0;
}

/* -- on the host ------------------------------------------------------------------------------------------- */

static int fill_walk(struct run *r, float *seed)
{
	const struct hlx_graph *g = r->g.graph;

	for (uint32_t i = 0; i < r->c.n_in; i++) {
		const struct hlx_check_input *in = &r->c.in[i];
		float *x = hlx_walk_value(r->walk, in->name);
		uint64_t n = hlx_numel(&in->desc);
		if (in->desc.dtype == HLX_F32)
			r->e->fill(x, n, in->name);
		for (uint64_t k = 0; k < n; k++)
			x[k] = in->desc.dtype == HLX_F32 ? hlx_store(x[k]) : hlx_float(r->e->index(k));
	}
	for (uint32_t i = 0; i < g->n_params; i++) {
		r->e->fill(r->walk->param[i], hlx_numel(&g->param[i].desc), g->param[i].path);
		for (uint64_t k = 0; k < hlx_numel(&g->param[i].desc); k++)
			r->walk->param[i][k] = hlx_store(r->walk->param[i][k]);
	}
	for (uint64_t k = 0; k < hlx_numel(hlx_graph_desc(g, r->g.out)); k++)
		seed[k] = hlx_store(seed[k]);
	return 0;
}

static int walk(struct run *r, bool flush)
{
	float *seed;
	int status;

	HLX_TRY(hlx_walk_create(r->g.graph, &r->walk));
	HLX_TRY(make_floats(r->e, "seed", hlx_numel(hlx_graph_desc(r->g.graph, r->g.out)), &seed));
	status = fill_walk(r, seed);
	hlx_fpenv_flush(flush);
	if (status >= 0)
		status = hlx_walk_forward(r->walk, &step);
	if (status >= 0)
		status = hlx_walk_backward(r->walk, &step, r->loss ? NULL : r->g.out, seed);
	hlx_fpenv_flush(false);
	free(seed);
	return status;
}

static int walk_bits(const struct run *r, struct edge_bits *out)
{
	const struct hlx_graph *g = r->g.graph;

	for (uint32_t i = 0; i < r->c.n_in; i++) {
		const struct hlx_check_input *in = &r->c.in[i];
		if (in->desc.dtype == HLX_F32) {
			HLX_TRY(edge_bits_add(out, "value", in->name, hlx_walk_value(r->walk, in->name), hlx_numel(&in->desc)));
			HLX_TRY(edge_bits_add(out, "gradient", in->name, hlx_walk_grad(r->walk, in->name), hlx_numel(&in->desc)));
		}
	}
	for (uint32_t i = 0; i < g->n_params; i++)
		HLX_TRY(edge_bits_add(out, "gradient", g->param[i].path, r->walk->final[i], hlx_numel(&g->param[i].desc)));
	if (r->loss)
		return edge_bits_add(out, "sum and count", r->g.out, r->walk->loss, 2);
	return edge_bits_add(out, "value", r->g.out, hlx_walk_value(r->walk, r->g.out),
			hlx_numel(hlx_graph_desc(g, r->g.out)));
}

/* The op's table with other references. */
static void plant(struct run *r, const struct hlx_op *planted)
{
	for (uint32_t i = 0; i < r->g.graph->n_nodes; i++)
		if (r->g.graph->node[i]->op == r->c.op) {
			r->planted = *r->c.op;
			r->planted.ref_forward = planted->ref_forward;
			r->planted.ref_backward = planted->ref_backward;
			r->g.graph->node[i]->op = &r->planted;
		}
}

int edge_host(struct hlx_check *b, const struct edge *e, const struct hlx_op *planted, bool flush, struct edge_bits *out)
{
	struct run r;
	int status = start(b, e, NULL, &r);

	*out = (struct edge_bits){ 0 };
	if (status >= 0 && planted)
		plant(&r, planted);
	if (status >= 0)
		status = walk(&r, flush);
	if (status >= 0)
		status = walk_bits(&r, out);
	finish(&r);
	return status;
}

/* -- on the device ----------------------------------------------------------------------------------------- */

static int write_floats(struct run *r, const char *as, const char *path, int what, uint64_t n)
{
	float *x;
	int status;

	HLX_TRY(make_floats(r->e, as, n, &x));
	status = hlx_program_write(r->program, path, what, 0, n, x);
	free(x);
	return status;
}

static int write_param(struct run *r, uint32_t i)
{
	const struct hlx_param_info p = hlx_graph_param(r->g.graph, i);
	float *x;
	int status;

	HLX_TRY(make_floats(r->e, p.path, p.numel, &x));
	status = hlx_weights_write(r->weights, i, 0, x, NULL);
	free(x);
	return status;
}

static int write_indices(struct run *r, const struct hlx_check_input *in)
{
	uint64_t n = hlx_numel(&in->desc);
	uint32_t *v = malloc((n + 1) * sizeof(*v));
	int status;

	if (!v)
		return hlx_no_memory();
	for (uint64_t i = 0; i < n; i++)
		v[i] = r->e->index(i);
	status = hlx_program_write(r->program, in->name, HLX_VALUE, 0, n, v);
	free(v);
	return status;
}

static int write_all(struct run *r)
{
	for (uint32_t i = 0; i < r->c.n_in; i++) {
		const struct hlx_check_input *in = &r->c.in[i];
		if (in->desc.dtype == HLX_F32)
			HLX_TRY(write_floats(r, in->name, in->name, HLX_VALUE, hlx_numel(&in->desc)));
		else
			HLX_TRY(write_indices(r, in));
	}
	for (uint32_t i = 0; i < hlx_graph_param_count(r->g.graph); i++)
		HLX_TRY(write_param(r, i));
	return r->loss ? 0 : write_floats(r, "seed", r->g.out, HLX_GRAD, hlx_numel(hlx_graph_desc(r->g.graph, r->g.out)));
}

static int read_part(struct run *r, const char *path, int what, uint64_t n, struct edge_bits *out)
{
	float *x = malloc((n + 1) * sizeof(*x));
	int status = x ? hlx_program_read(r->program, path, what, 0, n, x) : hlx_no_memory();

	if (status >= 0)
		status = edge_bits_add(out, what == HLX_GRAD ? "gradient" : "value", path, x, n);
	free(x);
	return status;
}

static int read_all(struct run *r, struct edge_bits *out)
{
	struct hlx_result result;

	for (uint32_t i = 0; i < r->c.n_in; i++)
		if (r->c.in[i].desc.dtype == HLX_F32) {
			HLX_TRY(read_part(r, r->c.in[i].name, HLX_VALUE, hlx_numel(&r->c.in[i].desc), out));
			HLX_TRY(read_part(r, r->c.in[i].name, HLX_GRAD, hlx_numel(&r->c.in[i].desc), out));
		}
	for (uint32_t i = 0; i < hlx_graph_param_count(r->g.graph); i++)
		HLX_TRY(read_part(r, hlx_graph_param(r->g.graph, i).path, HLX_GRAD, hlx_graph_param(r->g.graph, i).numel, out));
	if (!r->loss)
		return read_part(r, r->g.out, HLX_VALUE, hlx_numel(hlx_graph_desc(r->g.graph, r->g.out)), out);
	HLX_TRY(hlx_program_result(r->program, &result));
	return edge_bits_add(out, "sum and count", r->g.out, (float[]){ result.loss_sum, result.count }, 2);
}

static int run_program(struct hlx_check *b, struct run *r, struct edge_bits *out)
{
	const char *keep[HLX_MAX_SLOTS + 2] = { NULL };
	const struct hlx_program_options o = { .backward = true, .keep = keep, .seed = r->loss ? NULL : r->g.out };

	for (uint32_t i = 0; i < r->c.n_in; i++)
		keep[i] = r->c.in[i].name;
	keep[r->c.n_in] = r->g.out;
	HLX_TRY(hlx_weights_create(b->dev, r->g.graph, 0, &r->weights));
	HLX_TRY(hlx_program_create_untried(b->dev, r->g.graph, r->weights, &o, &r->program));
	HLX_TRY(write_all(r));
	HLX_TRY(hlx_program_run(r->program, &step));
	return read_all(r, out);
}

int edge_device(struct hlx_check *b, const struct edge *e, struct edge_bits *out)
{
	struct run r;
	int status = start(b, e, b->impl, &r);

	*out = (struct edge_bits){ 0 };
	if (status >= 0)
		status = hlx_walk_create(r.g.graph, &r.walk); /* its nodes are what supports() asks for */
	for (uint32_t i = 0; status == 0 && i < r.g.graph->n_nodes; i++)
		if (r.g.graph->node[i]->op == r.c.op && hlx_check_refuses(b, &r.walk->node[i]))
			status = 1;
	if (status == 0)
		status = run_program(b, &r, out);
	finish(&r);
	return status;
}
