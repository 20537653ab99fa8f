/*
 * span.c - decoding: a graph of a few positions whose nodes find those before in a past that is kept.
 *
 *   qkv, elements of a position side by side:   | 0 | 1 | ... | first | ... | first + seq_len - 1 | ... | positions - 1 |
 *   the node that makes it writes                             |<------------------------->|
 *   a SPANS input that is a view of it (k, v)   |<--------------------------------------->|
 *
 * So nothing is copied: a storage that is spanned has room for all positions, its tensors lie where theirs are, and the
 * reader gets another tensor, which begins at position 0.
 */
#include <stdlib.h>

#include "core/program/program.h"

static int seq_axis(const struct hlx_desc *d)
{
	for (uint32_t i = 0; i < d->rank; i++)
		if (d->axis[i] == HLX_SEQ)
			return (int)i;
	return -1;
}

/* The storage grows to all positions; tensors that are in it move to theirs. */
static int widen(struct hlx_graph *g, const struct hlx_tensor *t, uint64_t row)
{
	const struct hlx_graph_options *o = &g->options;
	struct hlx_storage *s = &g->storage[t->storage];
	uint64_t align = HLX_ALIGN / 4;

	if (s->input || s->slotted || s->elements != o->seq_len * row || o->first * row % align)
		return hlx_fail(HLX_ENOTSUP, "%s has no room for the positions before: want each one's elements side by side, and "
				"a multiple of %llu of them before position %llu", t->path, (unsigned long long)align,
				(unsigned long long)o->first);
	for (uint32_t i = 0; i < g->n_tensors; i++)
		if (g->tensor[i].storage == t->storage)
			g->tensor[i].desc.offset += o->first * row;
	s->elements = o->positions * row;
	s->spanned = true;
	s->past = g->past;
	g->past += (s->elements + align - 1) / align * align;
	return 0;
}

static int span(struct hlx_graph *g, struct hlx_graph_node *n, uint32_t slot)
{
	struct hlx_tensor *t = &g->tensor[n->tensor[slot]];
	struct hlx_desc d = t->desc;
	int axis = seq_axis(&d), there;
	char path[512];

	if (axis < 0)
		return 0;
	if (!g->storage[t->storage].spanned)
		HLX_TRY(widen(g, t, d.stride[axis]));
	snprintf(path, sizeof(path), "%s.past", t->path);
	if ((there = hlx_graph_find_tensor(g, path)) < 0) {
		t->readers++; /* it stays where it is */
		d = t->desc;
		d.offset -= g->options.first * d.stride[axis];
		d.dim[axis] += g->options.first;
		HLX_TRY(hlx_graph_add_tensor(g, path, &d, t->storage, t->producer, &n->tensor[slot]));
	} else {
		n->tensor[slot] = (uint32_t)there;
	}
	n->desc[slot] = g->tensor[n->tensor[slot]].desc;
	n->desc[slot].view_of = 0;
	return 0;
}

int hlx_graph_span(struct hlx_graph *g, struct hlx_graph_node *n)
{
	for (uint32_t s = 0; s < n->pub.n_slots && g->options.positions; s++)
		if (n->op->slots[s].role == HLX_IN && n->op->slots[s].flags & HLX_SPANS && n->tensor[s] != HLX_NONE)
			HLX_TRY(span(g, n, s));
	return 0;
}

int hlx_graph_check_causal(const struct hlx_graph *g, const struct hlx_graph_node *n)
{
	return !g->options.positions || n->pub.causal ? 0 :
		hlx_fail(HLX_ENOTSUP, "%s (%s) takes something from later positions, or does not say that it takes nothing", n->path,
				n->op->name);
}

int hlx_past_create(struct hlx_device *dev, const struct hlx_graph *g, struct hlx_past **out)
{
	struct hlx_past *past = calloc(1, sizeof(*past));
	uint64_t bytes = g->past * 4, have = hlx_memory_available(dev);
	int status;

	if (!past)
		return hlx_no_memory();
	past->dev = dev;
	past->elements = g->past;
	status = bytes > have ? hlx_fail(HLX_ENOMEM, "what decoding keeps takes %llu MiB, %s has %llu MiB free",
			(unsigned long long)bytes >> 20, dev->info.name, (unsigned long long)have >> 20) :
		bytes ? hlx_memory_create(dev, bytes, HLX_MEMORY_LOCAL, &past->memory) : 0;
	if (status < 0) {
		hlx_past_destroy(past);
		return status;
	}
	*out = past;
	return 0;
}

void hlx_past_destroy(struct hlx_past *past)
{
	if (!past)
		return;
	hlx_memory_finish(past->dev, &past->memory);
	free(past);
}
