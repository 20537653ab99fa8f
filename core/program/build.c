/* build.c - cells for what a graph holds, and the forward pass. */
#include "core/program/build.h"

#include <stdlib.h>
#include <string.h>

#include "core/numerics.h"
#include "core/registry/registry.h"

int hlx_program_add_cell(struct hlx_program *p, struct hlx_cell c, uint32_t *out)
{
	struct hlx_cell *grown = hlx_grow(p->cell, p->n_cells, sizeof(*grown));

	if (!grown)
		return HLX_ENOMEM;
	p->cell = grown;
	c.first = HLX_NONE;
	grown[p->n_cells] = c;
	*out = p->n_cells++;
	return 0;
}

static int add(struct hlx_program *p, enum hlx_arena arena, uint64_t bytes, bool persistent, uint32_t *out)
{
	return hlx_program_add_cell(p, (struct hlx_cell){ .arena = arena, .bytes = bytes, .parent = HLX_NONE,
			.persistent = persistent }, out);
}

static int add_slice(struct hlx_program *p, uint32_t parent, uint64_t offset, uint64_t bytes, uint32_t *out)
{
	return hlx_program_add_cell(p, (struct hlx_cell){ .arena = p->cell[parent].arena, .bytes = bytes, .parent = parent,
			.offset = offset, .persistent = true }, out);
}

int hlx_build_error(const struct hlx_program *p, uint32_t node, int status)
{
	const struct hlx_prog_node *n = &p->node[node];

	return hlx_prefix(status, "%s (%s/%s): ", n->path, n->op->name, n->impl ? n->impl->name : "?");
}

int hlx_build_slot(const struct hlx_op *op, const char *name, uint32_t *out)
{
	for (uint32_t i = 0; op->slots[i].name; i++)
		if (!strcmp(op->slots[i].name, name)) {
			*out = i;
			return 0;
		}
	return hlx_fail(HLX_EPLUGIN, "op %s has no slot %s", op->name, name);
}

const struct hlx_tensor *hlx_build_tensor(const struct hlx_program *p, uint32_t node, uint32_t slot)
{
	uint32_t t = p->graph->node[node]->tensor[slot];

	return t == HLX_NONE ? NULL : &p->graph->tensor[t];
}

int hlx_build_add_node(struct hlx_program *p, const struct hlx_op *op, const char *path, uint32_t *out)
{
	const uintptr_t before = (uintptr_t)p->node;
	struct hlx_prog_node *grown = hlx_grow(p->node, p->n_nodes, sizeof(*grown)), *n;
	uint32_t slots = 0;

	if (!grown)
		return HLX_ENOMEM;
	for (uint32_t i = 0; i < p->n_nodes && (uintptr_t)grown != before; i++) /* they have moved */
		grown[i].pub.desc = grown[i].desc;
	p->node = grown;
	n = &grown[p->n_nodes];
	while (op->slots[slots].name)
		slots++;
	n->op = op;
	n->saved = n->work[0] = n->work[1] = HLX_NONE;
	n->next[0] = n->next[1] = n->done_by[0] = n->done_by[1] = HLX_NONE;
	for (uint32_t s = 0; s < HLX_MAX_SLOTS; s++)
		n->value[s] = n->grad[s] = HLX_NONE;
	if (!(n->path = strdup(path)))
		return hlx_no_memory();
	*out = p->n_nodes++;
	if (hlx_attrs_create(op, &n->attrs) < 0)
		return HLX_ENOMEM;
	n->pub = (struct hlx_node){ .struct_size = sizeof(n->pub), .name = n->path, .n_slots = slots, .desc = n->desc,
		.attrs = n->attrs, .slots = (uint32_t)p->graph->options.slots, .train = p->options.backward,
		.key = hlx_stream(HLX_PURPOSE_NODE, n->path) };
	return 0;
}

static bool must_lint(const struct hlx_program *p, const struct hlx_prog_node *n)
{
	return n->impl->tier == HLX_PORTABLE && p->graph->options.mode != HLX_DEVICE;
}

int hlx_build_prepare(struct hlx_program *p, uint32_t node, const char *named)
{
	struct hlx_prog_node *n = &p->node[node];
	const struct hlx_host *host = &p->dev->host.pub;
	int status;

	HLX_TRY(hlx_registry_choose(p->graph->registry, host, &n->pub, n->op->name, named, p->graph->options.mode, &n->impl));
	p->dev->host.lint = must_lint(p, n);
	status = n->impl->prepare ? n->impl->prepare(host, &n->pub) : 0;
	if (status < 0)
		return hlx_build_error(p, node, status);
	n->prepared = true;
	if (n->pub.saved_bytes)
		HLX_TRY(add(p, HLX_ARENA_ACTIVATIONS, n->pub.saved_bytes, false, &n->saved));
	if (n->pub.work_bytes) {
		HLX_TRY(add(p, HLX_ARENA_ACTIVATIONS, n->pub.work_bytes, false, &n->work[0]));
		HLX_TRY(add(p, HLX_ARENA_ACTIVATIONS, n->pub.work_bytes, false, &p->node[node].work[1]));
	}
	if (n->impl->step) { /* scalars of its own: a region of its own */
		n->step_offset = (uint32_t)p->cell[p->steps_cell].bytes;
		p->cell[p->steps_cell].bytes += HLX_ALIGN;
	}
	return 0;
}

int hlx_build_record(struct hlx_program *p, uint32_t node, bool backward)
{
	struct hlx_rec rec = { p, node, backward };
	const struct hlx_prog_node *n = &p->node[node];
	int (*record)(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *) =
		backward ? n->impl->backward : n->impl->forward;
	int status;

	p->dev->host.lint = must_lint(p, n);
	hlx_fuse_show(p, node, true);
	status = record ? record(&p->dev->host.pub, &n->pub, &rec) :
		hlx_fail(HLX_ENOTSUP, "has no backward pass, which training needs");
	hlx_fuse_show(p, node, false);

	return status < 0 ? hlx_build_error(p, node, status) : 0;
}

/* -- cells ------------------------------------------------------------------------------------------------- */

/* What programs of other positions have to find: it is the past's, laid out alike in all of them. */
static int past_cell(struct hlx_program *p)
{
	const struct hlx_past *past = p->options.past;

	if (!p->graph->past)
		return 0;
	if (p->weights && (!past || past->elements != p->graph->past))
		return hlx_fail(HLX_EINVAL, "the past is missing, or is another graph's");
	HLX_TRY(add(p, HLX_ARENA_WEIGHTS, p->graph->past * 4, true, &p->past_cell));
	p->cell[p->past_cell].chunk = 1; /* not where the weights are */
	p->cell[p->past_cell].external = past ? &past->memory : NULL;
	return 0;
}

static int storage_cells(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;

	for (uint32_t i = 0; i < g->n_storages; i++) {
		const struct hlx_storage *s = &g->storage[i];
		p->value_cell[i] = p->grad_cell[i] = p->batch_cell[i] = HLX_NONE;
		p->grad_state[i].next = i;
		if (!s->elements)
			continue;
		if (s->spanned) {
			HLX_TRY(add_slice(p, p->past_cell, s->past * 4, s->elements * 4, &p->value_cell[i]));
			continue;
		}
		HLX_TRY(add(p, s->input ? HLX_ARENA_PARAMETERS : HLX_ARENA_ACTIVATIONS, s->elements * 4, s->input,
				&p->value_cell[i]));
		HLX_TRY(hlx_passes_input(p, i));
		if (p->options.backward)
			HLX_TRY(add(p, HLX_ARENA_ACTIVATIONS, s->elements * 4, false, &p->grad_cell[i]));
	}
	return 0;
}

/* Each tensor's blocks start aligned; the gaps hold zeros. */
static void number_blocks(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;

	for (uint32_t i = 0; i < g->n_params; i++) {
		uint64_t n = (hlx_numel(&g->param[i].desc) + 1023) / 1024;
		p->first_block[i + 1] = p->first_block[i] + (n + HLX_ALIGN / 4 - 1) / (HLX_ALIGN / 4) * (HLX_ALIGN / 4);
	}
}

static int param_cells(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;
	bool grads = p->options.backward;

	HLX_TRY(add(p, HLX_ARENA_WEIGHTS, g->arena * 4, true, &p->weights_cell));
	if (p->weights)
		p->cell[p->weights_cell].external = &p->weights->value;
	if (grads) {
		if (g->passes == 1)
			HLX_TRY(add(p, HLX_ARENA_GRADIENTS, g->arena * 4, true, &p->gradients_cell));
		HLX_TRY(add(p, HLX_ARENA_GRADIENTS, p->first_block[g->n_params] * 4, true, &p->squares_cell));
		HLX_TRY(add(p, HLX_ARENA_PARAMETERS, (g->n_params + 1) * 4, true, &p->table_cell));
		HLX_TRY(add(p, HLX_ARENA_PARAMETERS, g->arena / 64 * 4, true, &p->flags_cell));
	}
	for (uint32_t i = 0; i < g->n_params; i++) {
		uint64_t at = g->param[i].offset * 4, bytes = hlx_numel(&g->param[i].desc) * 4;
		HLX_TRY(add_slice(p, p->weights_cell, at, bytes, &p->param_cell[i]));
		if (grads)
			HLX_TRY(add_slice(p, p->gradients_cell, at, bytes, &p->final_cell[i]));
	}
	return 0;
}

static int make_cells(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;

	p->value_cell = calloc(g->n_storages + 1, sizeof(uint32_t));
	p->grad_cell = calloc(g->n_storages + 1, sizeof(uint32_t));
	p->batch_cell = calloc(g->n_storages + 1, sizeof(uint32_t));
	p->grad_state = calloc(g->n_storages + 1, sizeof(*p->grad_state));
	p->param_cell = calloc(g->n_params + 1, sizeof(uint32_t));
	p->first_block = calloc(g->n_params + 1, sizeof(*p->first_block));
	p->final_cell = calloc(g->n_params + 1, sizeof(uint32_t));
	if (!p->value_cell || !p->grad_cell || !p->batch_cell || !p->grad_state || !p->param_cell || !p->final_cell ||
			!p->first_block)
		return hlx_no_memory();
	number_blocks(p);
	HLX_TRY(add(p, HLX_ARENA_PARAMETERS, HLX_ALIGN, true, &p->steps_cell));
	HLX_TRY(add(p, HLX_ARENA_PARAMETERS, 8, true, &p->loss_cell));
	HLX_TRY(add(p, HLX_ARENA_PARAMETERS, 8, true, &p->norm_cell));
	HLX_TRY(past_cell(p));
	HLX_TRY(storage_cells(p));
	HLX_TRY(hlx_passes_cells(p));
	return param_cells(p);
}

/* -- forward ----------------------------------------------------------------------------------------------- */

/* The graph's node i is the program's node i. */
static int add_graph_node(struct hlx_program *p, uint32_t i)
{
	const struct hlx_graph_node *gn = p->graph->node[i];
	struct hlx_prog_node *n;
	uint32_t index;

	HLX_TRY(hlx_build_add_node(p, gn->op, gn->path, &index));
	n = &p->node[index];
	memcpy(n->attrs, gn->attrs, gn->op->attrs_size);
	for (uint32_t s = 0; s < n->pub.n_slots; s++) {
		const struct hlx_tensor *t = hlx_build_tensor(p, i, s);
		n->desc[s] = gn->desc[s];
		if (t) {
			n->desc[s] = t->desc;
			n->value[s] = p->value_cell[t->storage];
			n->grad[s] = p->grad_cell[t->storage];
			if (p->options.backward && t->grad && gn->op->slots[s].role == HLX_IN &&
					!(gn->op->slots[s].flags & HLX_NOGRAD))
				n->pub.grads |= 1ull << s;
		} else if (gn->param[s] != HLX_NONE) {
			n->value[s] = p->param_cell[gn->param[s]];
			n->pub.grads |= p->options.backward ? 1ull << s : 0;
		}
	}
	return hlx_build_prepare(p, index, gn->impl);
}

/* Of two whose work one does: where the second one is, whose other inputs are there by then. */
static int record_forward(struct hlx_program *p, uint32_t node)
{
	const struct hlx_prog_node *n = &p->node[node];

	if (n->next[0] != HLX_NONE)
		return 0;
	return hlx_build_record(p, n->done_by[0] == HLX_NONE ? node : n->done_by[0], false);
}

static int build_forward(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;
	uint32_t slot;

	if (hlx_passes_continue(p)) {
		HLX_TRY(hlx_build_loss_slot(p, &slot));
		p->node[g->loss].pub.accum |= 1ull << slot;
	}
	for (uint32_t i = 0; i < g->n_nodes; i++)
		HLX_TRY(record_forward(p, i));
	return g->loss == HLX_NONE ? 0 : g->passes > 1 ? hlx_passes_reduce_loss(p) : hlx_build_reduce_loss(p);
}

/* What the last pass ends with. */
static int build_update(struct hlx_program *p)
{
	if (!p->options.backward || !p->graph->n_params || p->graph->loss == HLX_NONE)
		return 0;
	HLX_TRY(hlx_build_norm(p));
	if (!p->options.optimizer)
		return 0;
	HLX_TRY(hlx_build_optimizer(p));
	return p->options.hash ? hlx_build_hash(p) : 0;
}

int hlx_program_build(struct hlx_program *p)
{
	HLX_TRY(make_cells(p));
	for (uint32_t i = 0; i < p->graph->n_nodes; i++) {
		int status = add_graph_node(p, i);
		if (status < 0)
			return hlx_prefix(status, "%s: ", p->graph->node[i]->where);
	}
	HLX_TRY(hlx_fuse_forward(p));
	HLX_TRY(hlx_passes_begin(p));
	HLX_TRY(build_forward(p));
	if (p->options.backward)
		HLX_TRY(hlx_build_backward(p));
	else
		HLX_TRY(hlx_passes_join(p));
	HLX_TRY(build_update(p));
	return hlx_program_recompute(p);
}
