/*
 * share.c - gradients that are one another's, to the bit: those of the inputs of y = a + b.
 *
 *   x1 = add x proj      dx, dproj and dx1 are one piece of memory: nothing is copied, and what n1 adds to dx ends up
 *   n1 = layernorm x     where proj's backward pass has read dproj before
 *
 * An input takes over the output's memory where it is the first to have a gradient there at all, and where nobody adds to
 * it before all who read another name of that memory have read it.  The order is that of the nodes, reversed.
 */
#include "core/program/build.h"

bool hlx_build_is_whole(const struct hlx_program *p, const struct hlx_tensor *t)
{
	return hlx_is_contiguous(&t->desc) && hlx_numel(&t->desc) == p->graph->storage[t->storage].elements;
}

/* The nodes before `node`, in INI order, that have the storage in this role: the first and the last of them. */
struct touching {
	uint32_t first, last, n;
};

static struct touching touching(const struct hlx_program *p, uint32_t node, uint32_t storage, enum hlx_role role)
{
	struct touching t = { .n = 0 };

	for (uint32_t i = p->grad_state[storage].since; i < node; i++)
		for (uint32_t s = 0; s < p->node[i].pub.n_slots; s++) {
			const struct hlx_tensor *here = p->node[i].op->slots[s].role == role ? hlx_build_tensor(p, i, s) : NULL;
			if (!here || here->storage != storage)
				continue;
			t.first = t.n++ ? t.first : i;
			t.last = i;
		}
	return t;
}

/* Nobody adds to a's gradient before those who made b have read theirs. */
static bool is_safe(const struct hlx_program *p, uint32_t node, uint32_t a, uint32_t b)
{
	struct touching writers = touching(p, node, a, HLX_IN), readers = touching(p, node, b, HLX_OUT);

	return !writers.n || !readers.n || writers.last < readers.first;
}

/* A name that no node before this one knows is history: all of a residual stream is one ring, which stays short so. */
static void forget(struct hlx_program *p, uint32_t node, uint32_t storage)
{
	struct hlx_grad_state *g = p->grad_state;

	for (uint32_t i = storage; g[i].next != storage;) {
		uint32_t next = g[i].next;
		if (g[next].since < node) {
			i = next;
			continue;
		}
		g[i].next = g[next].next;
		g[next].next = next;
	}
}

/* Against every name that the output's gradient has so far. */
static bool is_safe_among(const struct hlx_program *p, uint32_t node, uint32_t in, uint32_t out)
{
	uint32_t i = out;

	do {
		if (p->grad_state[i].since < node && (!is_safe(p, node, in, i) || !is_safe(p, node, i, in)))
			return false;
		i = p->grad_state[i].next;
	} while (i != out);
	return true;
}

static void join(struct hlx_program *p, uint32_t a, uint32_t b)
{
	uint32_t next = p->grad_state[a].next;

	p->grad_state[a].next = p->grad_state[b].next;
	p->grad_state[b].next = next;
	p->cell[p->grad_cell[a]].parent = hlx_cell_root(p, p->grad_cell[b], NULL);
}

static bool may_share(const struct hlx_program *p, uint32_t node, uint32_t slot, const struct hlx_tensor *out)
{
	const struct hlx_tensor *in = hlx_build_tensor(p, node, slot), *other;
	const struct hlx_node *pub = &p->node[node].pub;

	if (!(p->node[node].op->slots[slot].flags & HLX_SAMEGRAD) || !(pub->grads >> slot & 1) || !hlx_build_is_whole(p, in) ||
			!hlx_build_is_whole(p, out) || p->grad_state[in->storage].n || p->grad_state[in->storage].zeroed)
		return false;
	for (uint32_t s = 0; s < pub->n_slots; s++) /* x + x: the second adds to the first */
		if (s != slot && (other = hlx_build_tensor(p, node, s)) && other->storage == in->storage)
			return false;
	return is_safe_among(p, node, in->storage, out->storage);
}

const struct hlx_tensor *hlx_build_output(const struct hlx_program *p, uint32_t node)
{
	for (uint32_t s = 0; s < p->node[node].pub.n_slots; s++)
		if (p->node[node].op->slots[s].role == HLX_OUT)
			return hlx_build_tensor(p, node, s);
	return NULL;
}

int hlx_build_share(struct hlx_program *p, uint32_t node)
{
	const struct hlx_tensor *out = hlx_build_output(p, node);
	bool kept = p->seeded || p->graph->options.input_grads || (p->options.keep && p->options.keep[0]);

	if (out && !kept)
		forget(p, node, out->storage);
	for (uint32_t s = 0; out && !kept && s < p->node[node].pub.n_slots; s++) {
		const struct hlx_tensor *in = hlx_build_tensor(p, node, s);
		if (!may_share(p, node, s, out))
			continue;
		join(p, in->storage, out->storage);
		HLX_TRY(hlx_build_remember(p, in->storage, &in->desc));
		p->node[node].pub.grads &= ~(1ull << s);
	}
	return 0;
}
