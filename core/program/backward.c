/*
 * backward.c - the backward pass: nodes in reverse, each told which gradients to give and which to add to.
 *
 * A gradient lives where its value's storage has it: dq, dk and dv lie in dqkv, so heads has nothing to do.  The first
 * writer of a region stores, later ones accumulate.  Where regions overlap without being the same, or do not fill what
 * is read, the whole storage is zeroed first and everybody accumulates: +0 + r is r, so the bits are those of a store.
 * share.c has the gradients that need no writing at all.
 */
#include "core/program/build.h"

#include <stdlib.h>
#include <string.h>

/* A view node's input and output are the same memory: its gradient has passed already. */
static bool is_view(const struct hlx_program *p, uint32_t node, uint32_t slot)
{
	const struct hlx_tensor *in = hlx_build_tensor(p, node, slot), *out;

	for (uint32_t s = 0; s < p->node[node].pub.n_slots; s++) {
		out = p->node[node].op->slots[s].role == HLX_OUT ? hlx_build_tensor(p, node, s) : NULL;
		if (out && out->storage == in->storage)
			return true;
	}
	return false;
}

static bool writes(const struct hlx_program *p, uint32_t node, uint32_t slot)
{
	return p->node[node].op->slots[slot].role == HLX_IN && (p->node[node].pub.grads >> slot & 1) &&
		!is_view(p, node, slot);
}

static int remember(struct hlx_grad_state *g, const struct hlx_desc *d, bool *again)
{
	struct hlx_region *grown;

	*again = false;
	for (uint32_t i = 0; i < g->n; i++) {
		enum hlx_relation r = hlx_desc_relation(&g->written[i].desc, d);
		if (r == HLX_SAME) {
			*again = true;
			return 0;
		}
		g->zeroed |= r == HLX_MIXED;
	}
	if (!(grown = hlx_grow(g->written, g->n, sizeof(*grown))))
		return HLX_ENOMEM;
	g->written = grown;
	g->written[g->n++].desc = *d;
	return 0;
}

int hlx_build_remember(struct hlx_program *p, uint32_t storage, const struct hlx_desc *d)
{
	bool again;

	return remember(&p->grad_state[storage], d, &again);
}

/* Does a gradient reach the node?  And is all of it there? */
static bool is_reached(struct hlx_program *p, uint32_t node)
{
	bool reached = p->node[node].op->kind == HLX_LOSS && !p->seeded;

	for (uint32_t s = 0; s < p->node[node].pub.n_slots; s++) {
		const struct hlx_tensor *t = hlx_build_tensor(p, node, s);
		struct hlx_grad_state *g;
		if (p->node[node].op->slots[s].role != HLX_OUT || !t)
			continue;
		g = &p->grad_state[t->storage];
		for (uint32_t i = 0; i < g->n; i++)
			reached |= hlx_desc_relation(&g->written[i].desc, &t->desc) != HLX_DISJOINT;
	}
	return reached;
}

static void check_cover(struct hlx_program *p, uint32_t node)
{
	for (uint32_t s = 0; s < p->node[node].pub.n_slots; s++) {
		const struct hlx_tensor *t = hlx_build_tensor(p, node, s);
		if (p->node[node].op->slots[s].role == HLX_OUT && t && p->node[node].op->kind != HLX_LOSS &&
				!hlx_desc_covers(&t->desc, p->grad_state[t->storage].written, p->grad_state[t->storage].n))
			p->grad_state[t->storage].zeroed = true;
	}
}

/* A gradient that the caller reads has all of its elements, also where nobody looked at the value. */
static void check_inputs(struct hlx_program *p)
{
	for (uint32_t i = 0; i < p->graph->n_tensors; i++) {
		const struct hlx_tensor *t = &p->graph->tensor[i];
		struct hlx_grad_state *g = &p->grad_state[t->storage];
		if (t->producer == HLX_NONE && t->grad && g->n && !hlx_desc_covers(&t->desc, g->written, g->n))
			g->zeroed = true;
	}
}

/* First without recording: which nodes take part, and which storages are to be zeroed. */
static int survey(struct hlx_program *p, bool *active)
{
	const struct hlx_tensor *t;
	bool again;

	for (uint32_t n = p->graph->n_nodes; n-- > 0;)
		for (uint32_t s = 0; s < p->node[n].pub.n_slots; s++)
			if ((t = hlx_build_tensor(p, n, s)))
				p->grad_state[t->storage].since = n;
	for (uint32_t n = p->graph->n_nodes; n-- > 0;) {
		active[n] = p->node[n].pub.grads && is_reached(p, n);
		if (!active[n])
			continue;
		check_cover(p, n);
		for (uint32_t s = 0; s < p->node[n].pub.n_slots; s++)
			if (writes(p, n, s) && (t = hlx_build_tensor(p, n, s)))
				HLX_TRY(remember(&p->grad_state[t->storage], &t->desc, &again));
	}
	check_inputs(p);
	for (uint32_t i = 0; i < p->graph->n_storages; i++) {
		free(p->grad_state[i].written);
		p->grad_state[i].written = NULL;
		p->grad_state[i].n = 0;
	}
	return 0;
}

static int seed(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;
	int t = p->options.seed ? hlx_graph_find_tensor(g, p->options.seed) : -1;
	bool again;

	if (!p->options.seed)
		return g->loss == HLX_NONE ? hlx_fail(HLX_EINVAL, "no loss to start the backward pass from") : 0;
	if (t < 0)
		return hlx_fail(HLX_EINVAL, "no tensor %s to start the backward pass from", p->options.seed);
	if (hlx_numel(&g->tensor[t].desc) != g->storage[g->tensor[t].storage].elements)
		return hlx_fail(HLX_ENOTSUP, "%s is a part of another tensor: start the backward pass from that", p->options.seed);
	p->seeded = true;
	p->cell[p->grad_cell[g->tensor[t].storage]].persistent = true;
	return remember(&p->grad_state[g->tensor[t].storage], &g->tensor[t].desc, &again);
}

static int zero_once(struct hlx_program *p, uint32_t node, uint32_t slot, struct hlx_grad_state *g)
{
	struct hlx_rec rec = { p, node, true };
	struct hlx_arg all = hlx_grad((uint16_t)slot);

	if (g->n)
		return 0;
	return p->dev->host.pub.fill(&rec, &all, 0);
}

static int set_accum(struct hlx_program *p, uint32_t node)
{
	struct hlx_node *pub = &p->node[node].pub;

	for (uint32_t s = 0; s < pub->n_slots; s++) {
		const struct hlx_tensor *t = hlx_build_tensor(p, node, s);
		struct hlx_grad_state *g;
		bool again;
		if (!writes(p, node, s))
			continue;
		g = &p->grad_state[t->storage];
		if (g->zeroed)
			HLX_TRY(zero_once(p, node, s, g));
		HLX_TRY(remember(g, &t->desc, &again));
		if (again || g->zeroed)
			pub->accum |= 1ull << s;
	}
	return 0;
}

/* Each use of a parameter has partial sums of its own; those of one slot at a time stay from pass to pass. */
static int partial_cell(struct hlx_program *p, uint32_t node, uint32_t slot)
{
	const struct hlx_graph *g = p->graph;
	struct hlx_cell c = { .arena = HLX_ARENA_ACTIVATIONS, .parent = HLX_NONE,
		.bytes = hlx_slot_stride(&p->node[node].desc[slot]) * g->options.slots * 4 };

	if (hlx_passes_continue(p))
		p->node[node].pub.accum |= 1ull << slot;
	return g->passes > 1 && g->options.slots == 1 ? hlx_passes_root(p, node, slot, &p->node[node].grad[slot]) :
		hlx_program_add_cell(p, c, &p->node[node].grad[slot]);
}

static int partial_cells(struct hlx_program *p, uint32_t node)
{
	const struct hlx_graph_node *gn = p->graph->node[node];

	for (uint32_t s = 0; s < p->node[node].pub.n_slots; s++)
		if (gn->param[s] != HLX_NONE)
			HLX_TRY(partial_cell(p, node, s));
	return 0;
}

/* The sum over a parameter's uses; node, unless HLX_NONE: only where that is the first of them. */
static int reduce_param(struct hlx_program *p, uint32_t param, uint32_t node, const bool *active)
{
	const struct hlx_param *q = &p->graph->param[param];
	struct hlx_use use[64];
	uint32_t n = 0;

	for (uint32_t u = 0; u < q->n_uses; u++)
		if (active[q->use[u].node]) {
			if (n == 64)
				return hlx_fail(HLX_ENOTSUP, "%s is used more than 64 times", q->path);
			use[n++] = q->use[u];
		}
	return n && (use[0].node == node || node == HLX_NONE) ? hlx_build_reduce_param(p, param, use, n) : 0;
}

static int reduce_all(struct hlx_program *p, const bool *active)
{
	for (uint32_t i = 0; i < p->graph->n_params; i++)
		HLX_TRY(reduce_param(p, i, HLX_NONE, active));
	return 0;
}

/* When the first use in INI order is done, all are: of the node's parameters, each once, as they are numbered. */
static int reduce_finished(struct hlx_program *p, uint32_t node, const bool *active)
{
	const uint32_t *param = p->graph->node[node]->param;
	uint64_t done = 0; /* 1 + the last of them */

	for (uint32_t next = 0; next != HLX_NONE; done = next + 1ull) {
		next = HLX_NONE;
		for (uint32_t s = 0; s < p->node[node].pub.n_slots; s++)
			if (param[s] >= done && param[s] < next)
				next = param[s];
		if (next != HLX_NONE)
			HLX_TRY(reduce_param(p, next, node, active));
	}
	return 0;
}

static int go(struct hlx_program *p, const bool *active)
{
	for (uint32_t n = p->graph->n_nodes; n-- > 0;) {
		if (!active[n])
			continue;
		HLX_TRY(hlx_build_share(p, n));
		if (!p->node[n].pub.grads)
			continue;
		HLX_TRY(set_accum(p, n));
		HLX_TRY(partial_cells(p, n));
		hlx_fuse_backward(p, n, active);
		if (p->node[n].done_by[1] == HLX_NONE)
			HLX_TRY(hlx_build_record(p, n, true));
		if (p->graph->passes == 1)
			HLX_TRY(reduce_finished(p, n, active));
		else
			HLX_TRY(hlx_passes_reduce(p, n));
	}
	if (p->graph->passes == 1)
		return 0;
	HLX_TRY(hlx_passes_join(p));
	return reduce_all(p, active);
}

int hlx_build_backward(struct hlx_program *p)
{
	bool *active = calloc(p->graph->n_nodes + 1, sizeof(*active));
	int status = active ? seed(p) : hlx_no_memory();

	if (status >= 0)
		status = survey(p, active);
	if (status >= 0)
		status = seed(p);
	if (status >= 0)
		status = go(p, active);
	free(active);
	return status;
}
