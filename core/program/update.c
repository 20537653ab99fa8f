/* update.c - from partial sums to new parameters: the slots' tree, the gradient's norm, the optimizer.  The ops are
 * found by kind, their slots by the names plugin.h gives them. */
#include "core/program/build.h"

#include <string.h>

#include "core/ini/expr.h"
#include "core/registry/registry.h"

static int op_of(const struct hlx_program *p, enum hlx_kind kind, const char *what, const struct hlx_op **out)
{
	*out = hlx_registry_op_of_kind(p->graph->registry, kind);
	return *out ? 0 : hlx_fail(HLX_EPLUGIN, "no plugin brings an op that %s", what);
}

static struct hlx_desc flat(enum hlx_dtype dtype, uint64_t n)
{
	return (struct hlx_desc){ .dtype = dtype, .rank = 1, .dim = { n }, .stride = { 1 } };
}

static int connect(struct hlx_program *p, uint32_t node, const char *slot, uint32_t cell, struct hlx_desc desc)
{
	uint32_t s;

	HLX_TRY(hlx_build_slot(p->node[node].op, slot, &s));
	p->node[node].value[s] = cell;
	p->node[node].desc[s] = desc;
	return 0;
}

int hlx_build_finish(struct hlx_program *p, uint32_t node)
{
	const struct hlx_op *op = p->node[node].op;

	if (op->infer(&p->dev->host.pub, &p->node[node].pub) < 0)
		return hlx_build_error(p, node, HLX_EPLUGIN);
	HLX_TRY(hlx_build_prepare(p, node, hlx_graph_chosen(p->graph, op->name)));
	return hlx_build_record(p, node, false);
}

int hlx_build_reduce(struct hlx_program *p, const struct hlx_reduction *r)
{
	uint64_t n = hlx_numel(r->desc);
	struct hlx_desc part = *r->desc;
	const struct hlx_op *op;
	uint32_t node;

	part.offset = 0;
	HLX_TRY(op_of(p, HLX_REDUCE, "adds the slots' partial sums", &op));
	HLX_TRY(hlx_build_add_node(p, op, r->path, &node));
	p->node[node].pub.slots = r->slots;
	HLX_TRY(connect(p, node, "partial", r->partial, part));
	HLX_TRY(connect(p, node, "out", r->out, part));
	HLX_TRY(connect(p, node, "squares", r->squares, flat(HLX_F32, (n + 1023) / 1024)));
	HLX_TRY(hlx_attrs_set_int(op, p->node[node].attrs, "first", r->first));
	HLX_TRY(hlx_attrs_set_int(op, p->node[node].attrs, "last", r->last));
	return hlx_build_finish(p, node);
}

int hlx_build_loss_slot(const struct hlx_program *p, uint32_t *out)
{
	const struct hlx_op *op = p->graph->node[p->graph->loss]->op;

	for (*out = 0; op->slots[*out].name; ++*out)
		if (op->slots[*out].flags & HLX_SLOTTED)
			return 0;
	return hlx_fail(HLX_EPLUGIN, "op %s is a loss without a slotted output", op->name);
}

/* Of the sums that end a gradient: those of several passes are joined by then. */
static uint32_t slots_left(const struct hlx_program *p)
{
	return p->graph->passes > 1 ? 1 : (uint32_t)p->graph->options.slots;
}

int hlx_build_reduce_loss(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;
	const struct hlx_prog_node *loss = &p->node[g->loss];
	struct hlx_cell scratch = { .arena = HLX_ARENA_ACTIVATIONS, .bytes = HLX_ALIGN, .parent = HLX_NONE };
	struct hlx_reduction r = { .out = p->loss_cell, .slots = slots_left(p), .first = true, .last = true };
	uint32_t s;

	HLX_TRY(hlx_build_loss_slot(p, &s));
	HLX_TRY(hlx_program_add_cell(p, scratch, &r.squares));
	r.path = loss->path;
	r.desc = &loss->desc[s];
	r.partial = loss->value[s];
	if (g->passes > 1)
		HLX_TRY(hlx_passes_root(p, g->loss, s, &r.partial));
	return hlx_build_reduce(p, &r);
}

int hlx_build_squares(struct hlx_program *p, uint32_t param, uint32_t *out)
{
	uint64_t blocks = (hlx_numel(&p->graph->param[param].desc) + 1023) / 1024;

	return hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_GRADIENTS, .bytes = blocks * 4,
			.parent = p->squares_cell, .offset = p->first_block[param] * 4, .persistent = true }, out);
}

int hlx_build_reduce_param(struct hlx_program *p, uint32_t param, const struct hlx_use *use, uint32_t n)
{
	const struct hlx_param *q = &p->graph->param[param];
	struct hlx_reduction r = { .path = q->path, .desc = &q->desc, .out = p->final_cell[param], .slots = slots_left(p) };

	HLX_TRY(hlx_build_squares(p, param, &r.squares));
	for (uint32_t u = 0; u < n; u++) {
		r.partial = p->node[use[u].node].grad[use[u].slot];
		if (u == 0)
			HLX_TRY(hlx_passes_clear(p, use[u].node, param, &r.partial));
		r.first = u == 0;
		r.last = u + 1 == n;
		HLX_TRY(hlx_build_reduce(p, &r));
	}
	if (!q->frozen)
		return 0;
	HLX_TRY(hlx_record_zero(p, use[0].node, r.out));
	return hlx_record_zero(p, use[0].node, r.squares);
}

int hlx_build_norm(struct hlx_program *p)
{
	const struct hlx_op *op;
	uint32_t node;

	HLX_TRY(op_of(p, HLX_NORM, "takes the gradient's norm", &op));
	HLX_TRY(hlx_build_add_node(p, op, "norm", &node));
	HLX_TRY(connect(p, node, "squares", p->squares_cell, flat(HLX_F32, p->cell[p->squares_cell].bytes / 4)));
	HLX_TRY(connect(p, node, "table", p->table_cell, flat(HLX_U32, p->graph->n_params + 1)));
	HLX_TRY(connect(p, node, "loss", p->loss_cell, flat(HLX_F32, 2)));
	HLX_TRY(connect(p, node, "norm", p->norm_cell, flat(HLX_F32, 2)));
	return hlx_build_finish(p, node);
}

/* Keys of the INI's section that the optimizer's table knows. */
static int read_attrs(struct hlx_program *p, uint32_t node, const struct hlx_op *op)
{
	const char *names[64];
	struct hlx_scope scope = hlx_graph_scope(p->graph, names, 64);

	for (const struct hlx_attr *a = op->attrs; p->options.ini && a && a->name; a++) {
		const struct hlx_setting *s = hlx_ini_find(p->options.ini, p->options.ini_section, a->name);
		if (s && hlx_attrs_set(op, p->node[node].attrs, a, s->value, &scope) < 0)
			return hlx_prefix(HLX_EINVAL, "%s: %s.", hlx_setting_where(s), s->section);
	}
	return 0;
}

static int find_optimizer(const struct hlx_registry *r, const char *name, const struct hlx_op **out)
{
	const char *names[256];
	size_t n = 0;

	*out = hlx_registry_op(r, name);
	if (*out && (*out)->kind == HLX_OPTIMIZER)
		return 0;
	for (size_t i = 0; hlx_registry_op_at(r, i, NULL) && n < 256; i++)
		if (hlx_registry_op_at(r, i, NULL)->kind == HLX_OPTIMIZER)
			names[n++] = hlx_registry_op_at(r, i, NULL)->name;
	return hlx_fail(HLX_EINVAL, "no optimizer %s%s", name, hlx_hint(name, names, n));
}

uint32_t hlx_optimizer_states(const struct hlx_registry *r, const char *optimizer, const char *names[HLX_MAX_SLOTS])
{
	const struct hlx_op *op;
	uint32_t n = 0;

	if (find_optimizer(r, optimizer, &op) < 0)
		return 0;
	for (const struct hlx_slot *s = op->slots; s->name; s++)
		if (s->role == HLX_STATE && strcmp(s->name, "param"))
			names[n++] = s->name;
	return n;
}

static int connect_states(struct hlx_program *p, uint32_t node, const struct hlx_op *op, struct hlx_desc arena)
{
	const char *names[HLX_MAX_SLOTS];
	uint32_t n = hlx_optimizer_states(p->graph->registry, op->name, names);

	if (p->weights && p->weights->n_state < n)
		return hlx_fail(HLX_EINVAL, "%s keeps %u states, the weights have room for %u", op->name, n,
				p->weights->n_state);
	for (uint32_t i = 0; i < n; i++) {
		HLX_TRY(hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_STATES, .bytes = p->graph->arena * 4,
				.parent = HLX_NONE, .chunk = i, .persistent = true,
				.external = p->weights ? &p->weights->state[i] : NULL }, &p->state_cell[i]));
		HLX_TRY(connect(p, node, names[i], p->state_cell[i], arena));
	}
	return 0;
}

int hlx_build_optimizer(struct hlx_program *p)
{
	struct hlx_desc arena = flat(HLX_F32, p->graph->arena);
	const struct hlx_op *op;
	uint32_t node;

	HLX_TRY(find_optimizer(p->graph->registry, p->options.optimizer, &op));
	HLX_TRY(hlx_build_add_node(p, op, op->name, &node));
	HLX_TRY(read_attrs(p, node, op));
	HLX_TRY(connect(p, node, "param", p->weights_cell, arena));
	HLX_TRY(connect(p, node, "grad", p->gradients_cell, arena));
	HLX_TRY(connect(p, node, "flags", p->flags_cell, flat(HLX_U32, p->graph->arena / 64)));
	HLX_TRY(connect(p, node, "loss", p->loss_cell, flat(HLX_F32, 2)));
	HLX_TRY(connect(p, node, "norm", p->norm_cell, flat(HLX_F32, 2)));
	HLX_TRY(connect_states(p, node, op, arena));
	return hlx_build_finish(p, node);
}
