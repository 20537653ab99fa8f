/*
 * fuse.c - which nodes do a neighbour's work at the end of their own.
 *
 *   forward    proj = gemm flat       one kernel makes proj + x and stores that; proj has no memory.  It runs where x1 is wired:
 *              x1 = add x proj        what else x1 reads is there by then
 *   backward   act = gelu fc          what makes act's gradient makes fc's of it and stores that
 *              mlp = gemm act
 *
 * The core finds what only one node makes and only one reads, and nobody else is to see; whether the one can do the
 * other's work, the implementations say: struct hlx_finish.  Both are of one layer, which recompute makes again as one.
 */
#include "core/program/build.h"

#include <stdlib.h>
#include <string.h>

#include "core/registry/registry.h"

enum { FORWARD, BACKWARD };

static const struct hlx_use nobody = { HLX_NONE, HLX_NONE };

/* A view node computes nothing: who reads its output reads its input. */
static bool is_view(const struct hlx_program *p, uint32_t node, uint32_t storage)
{
	for (uint32_t s = 0; s < p->node[node].pub.n_slots; s++) {
		const struct hlx_tensor *t = hlx_build_tensor(p, node, s);
		if (t && t->storage == storage && p->node[node].op->slots[s].role == HLX_OUT)
			return true;
	}
	return false;
}

/* A reader counts for each slot; a storage with views of its parts has none that is the only one. */
static int find_readers(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;
	bool *spoilt = calloc(g->n_storages + 1, sizeof(*spoilt));

	p->reader = malloc((g->n_storages + 1) * sizeof(*p->reader));
	if (!spoilt || !p->reader) {
		free(spoilt);
		return hlx_no_memory();
	}
	for (uint32_t i = 0; i < g->n_storages; i++) {
		p->reader[i] = nobody;
		spoilt[i] = g->storage[i].spanned || g->storage[i].slotted;
	}
	for (uint32_t n = 0; n < g->n_nodes; n++)
		for (uint32_t s = 0; s < p->node[n].pub.n_slots; s++) {
			const struct hlx_tensor *t = hlx_build_tensor(p, n, s);
			if (!t || p->node[n].op->slots[s].role != HLX_IN || is_view(p, n, t->storage))
				continue;
			spoilt[t->storage] |= p->reader[t->storage].node != HLX_NONE || !hlx_build_is_whole(p, t);
			p->reader[t->storage] = (struct hlx_use){ n, s };
		}
	for (uint32_t i = 0; i < g->n_storages; i++)
		if (spoilt[i])
			p->reader[i] = nobody;
	free(spoilt);
	return 0;
}

static bool is_of(const struct hlx_program *p, const char *path, uint32_t storage)
{
	int t = path ? hlx_graph_find_tensor(p->graph, path) : -1;

	return t >= 0 && p->graph->tensor[t].storage == storage;
}

/* The caller sees the tensor, or its gradient. */
static bool is_seen(const struct hlx_program *p, const struct hlx_tensor *t)
{
	for (const char *const *k = p->options.keep; k && *k; k++)
		if (is_of(p, *k, t->storage))
			return true;
	return is_of(p, p->options.seed, t->storage);
}

static bool is_one_layer(const struct hlx_program *p, uint32_t a, uint32_t b)
{
	return p->graph->node[a]->layer == p->graph->node[b]->layer;
}

/* An implementation that somebody asked for by name does its work itself. */
static bool yields(const struct hlx_program *p, uint32_t node, uint32_t pass)
{
	const struct hlx_prog_node *n = &p->node[node];

	return n->op->kind == HLX_LAYER && !p->graph->node[node]->impl && n->next[pass] == HLX_NONE &&
		n->done_by[pass] == HLX_NONE && HLX_LATER(n->impl, yields) & (pass ? HLX_YIELDS_BACKWARD : HLX_YIELDS_FORWARD);
}

void hlx_fuse_show(struct hlx_program *p, uint32_t node, bool show)
{
	struct hlx_prog_node *n = &p->node[node];

	for (int pass = FORWARD; pass <= BACKWARD; pass++) {
		bool any = show && n->next[pass] != HLX_NONE;
		n->finish[pass].node = any ? &p->node[n->next[pass]].pub : NULL;
		n->pub.finish[pass] = any ? &n->finish[pass] : NULL;
	}
}

static bool join(struct hlx_program *p, uint32_t node, uint32_t neighbour, uint32_t pass, struct hlx_finish f)
{
	struct hlx_prog_node *n = &p->node[node], *next = &p->node[neighbour];
	int (*finishes)(const struct hlx_host *, const struct hlx_node *, const struct hlx_finish *, bool) =
		HLX_LATER(n->impl, finishes);

	f.struct_size = sizeof(f);
	f.op = next->op->name;
	f.node = &next->pub;
	if (!finishes || finishes(&p->dev->host.pub, &n->pub, &f, pass == BACKWARD) < 0)
		return false;
	n->finish[pass] = f;
	n->next[pass] = neighbour;
	next->done_by[pass] = node;
	return true;
}

static bool is_unread(const struct hlx_prog_node *n, uint32_t slot)
{
	return HLX_LATER(n->impl, unread) >> slot & 1;
}

static uint32_t slot_of(const struct hlx_program *p, uint32_t node, const struct hlx_tensor *t)
{
	uint32_t s = 0;

	while (hlx_build_tensor(p, node, s) != t)
		s++;
	return s;
}

static void fuse_one(struct hlx_program *p, uint32_t node)
{
	struct hlx_prog_node *n = &p->node[node];
	const struct hlx_tensor *t = hlx_build_output(p, node);
	struct hlx_use to = t ? p->reader[t->storage] : nobody;
	bool keep;

	if (to.node == HLX_NONE || n->done_by[FORWARD] != HLX_NONE || !hlx_build_is_whole(p, t) || is_seen(p, t) ||
			!is_one_layer(p, node, to.node) || !yields(p, to.node, FORWARD))
		return;
	keep = p->options.backward && (!is_unread(n, slot_of(p, node, t)) || !is_unread(&p->node[to.node], to.slot));
	if (join(p, node, to.node, FORWARD, (struct hlx_finish){ .slot = to.slot, .keep = keep }) && !keep)
		p->cell[p->value_cell[t->storage]].dropped = true;
}

/* The last one first: of two that one adds, the first has time to be made beside the other. */
int hlx_fuse_forward(struct hlx_program *p)
{
	HLX_TRY(find_readers(p));
	for (uint32_t n = p->graph->n_nodes; n-- > 0 && !p->options.apart;)
		fuse_one(p, n);
	return 0;
}

/* The slot of the one gradient it gives; false where it is not one, or others have a part in it. */
static bool only_gradient(const struct hlx_program *p, uint32_t node, uint32_t *slot)
{
	const struct hlx_prog_node *n = &p->node[node];
	const struct hlx_tensor *t;

	for (*slot = 0; *slot < n->pub.n_slots && n->pub.grads != 1ull << *slot; ++*slot)
		;
	if (*slot == n->pub.n_slots || n->op->slots[*slot].role != HLX_IN || n->op->slots[*slot].flags & HLX_SAMEGRAD)
		return false;
	t = hlx_build_tensor(p, node, *slot);
	return p->reader[t->storage].node == node && !p->grad_state[t->storage].n && !p->grad_state[t->storage].zeroed;
}

/* Who made the input, where its gradient, which this node alone gives, is all that maker is waiting for. */
static uint32_t maker(const struct hlx_program *p, uint32_t node, uint32_t slot, const bool *active)
{
	const struct hlx_prog_node *n = &p->node[node];
	const struct hlx_tensor *t = n->op->slots[slot].role == HLX_IN ? hlx_build_tensor(p, node, slot) : NULL;
	uint32_t from, given;

	if (!t || !(n->pub.grads >> slot & 1) || n->pub.accum >> slot & 1 || p->reader[t->storage].node != node || is_seen(p, t))
		return HLX_NONE;
	from = t->producer;
	return from != HLX_NONE && active[from] && hlx_build_output(p, from) == t && is_one_layer(p, node, from) &&
		yields(p, from, BACKWARD) && only_gradient(p, from, &given) ? from : HLX_NONE;
}

void hlx_fuse_backward(struct hlx_program *p, uint32_t node, const bool *active)
{
	struct hlx_prog_node *n = &p->node[node];

	for (uint32_t s = 0; s < n->pub.n_slots && !p->options.apart; s++) {
		uint32_t from = n->next[BACKWARD] == HLX_NONE && n->done_by[BACKWARD] == HLX_NONE ? maker(p, node, s, active) : HLX_NONE;
		if (from != HLX_NONE && join(p, node, from, BACKWARD, (struct hlx_finish){ .slot = s }))
			p->cell[n->grad[s]].dropped = true;
	}
}
