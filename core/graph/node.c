/* node.c - a node joins the graph: its op infers, and its outputs, parameters and views are made. */
#include <stdlib.h>
#include <string.h>

#include "core/graph/graph.h"
#include "core/vulkan/host.h"
#include "core/numerics.h"
#include "core/registry/registry.h"

static uint32_t count_slots(const struct hlx_op *op)
{
	uint32_t n = 0;

	while (op->slots[n].name)
		n++;
	return n;
}

int hlx_graph_node_create(struct hlx_graph *g, const struct hlx_op *op, const char *path, const char *where,
		struct hlx_graph_node **out)
{
	struct hlx_graph_node *n = calloc(1, sizeof(*n));

	if (!n)
		return hlx_no_memory();
	n->op = op;
	n->impl = hlx_graph_chosen(g, op->name);
	n->layer = g->layer;
	n->path = strdup(path);
	n->where = strdup(where);
	for (uint32_t s = 0; s < HLX_MAX_SLOTS; s++)
		n->tensor[s] = n->param[s] = HLX_NONE;
	if (!n->path || !n->where || hlx_attrs_create(op, &n->attrs) < 0) {
		hlx_graph_node_destroy(n);
		return hlx_no_memory();
	}
	n->pub = (struct hlx_node){ .struct_size = sizeof(n->pub), .name = n->path, .n_slots = count_slots(op),
		.train = g->options.train, .desc = n->desc, .init = n->init, .attrs = n->attrs,
		.key = hlx_stream(HLX_PURPOSE_NODE, n->path) };
	*out = n;
	return 0;
}

void hlx_graph_node_destroy(struct hlx_graph_node *n)
{
	if (!n)
		return;
	free(n->path);
	free(n->where);
	free(n->attrs);
	free(n);
}

static int add_use(struct hlx_graph *g, uint32_t param, uint32_t node, uint32_t slot)
{
	struct hlx_param *p = &g->param[param];
	struct hlx_use *grown = hlx_grow(p->use, p->n_uses, sizeof(*grown));

	if (!grown)
		return HLX_ENOMEM;
	p->use = grown;
	grown[p->n_uses++] = (struct hlx_use){ node, slot };
	g->node[node]->param[slot] = param;
	return 0;
}

static int add_param(struct hlx_graph *g, uint32_t node, uint32_t slot)
{
	struct hlx_graph_node *n = g->node[node];
	struct hlx_param *grown = hlx_grow(g->param, g->n_params, sizeof(*grown));
	char path[512];

	if (!grown)
		return HLX_ENOMEM;
	g->param = grown;
	snprintf(path, sizeof(path), "%s.%s", n->path, n->op->slots[slot].name);
	HLX_TRY(hlx_desc_check(&n->desc[slot], path));
	hlx_contiguous(&n->desc[slot]);
	grown[g->n_params] = (struct hlx_param){ .path = strdup(path), .desc = n->desc[slot], .init = n->init[slot],
		.no_decay = n->op->slots[slot].flags & HLX_NODECAY, .offset = g->arena };
	if (!grown[g->n_params].path)
		return hlx_no_memory();
	g->arena += hlx_slot_stride(&n->desc[slot]);
	return add_use(g, g->n_params++, node, slot);
}

static bool same_dims(const struct hlx_desc *a, const struct hlx_desc *b)
{
	return a->dtype == b->dtype && a->rank == b->rank && !memcmp(a->dim, b->dim, a->rank * sizeof(a->dim[0]));
}

/* Is it all of its storage, made here, and read by no one, but under names for the same (dropout that is off)? */
static bool is_movable(const struct hlx_graph *g, const struct hlx_tensor *t)
{
	uint32_t names = 0, readers = 0;

	for (uint32_t i = 0; i < g->n_tensors; i++) {
		const struct hlx_tensor *o = &g->tensor[i];
		if (o->storage != t->storage)
			continue;
		if (o->producer == HLX_NONE || o->desc.offset || !hlx_is_contiguous(&o->desc) || !same_dims(&o->desc, &t->desc))
			return false;
		names++;
		readers += o->readers;
	}
	return readers == names - 1 && g->storage[t->storage].elements == hlx_numel(&t->desc);
}

/* An input that wants to live inside an output: unheads' input, which its producer then writes in place. */
static int rehouse(struct hlx_graph *g, struct hlx_graph_node *n, uint32_t in, uint32_t out)
{
	const struct hlx_tensor *t = &g->tensor[n->tensor[in]], *home = &g->tensor[n->tensor[out]];
	const uint32_t from = t->storage;

	if (!is_movable(g, t))
		return hlx_fail(HLX_ENOTSUP, "%s cannot lay out %s anew: it is an input, a view, or read elsewhere too",
				n->op->name, t->path);
	if (home->desc.offset + n->desc[in].offset + hlx_extent(&n->desc[in]) > g->storage[home->storage].elements)
		return hlx_fail(HLX_EPLUGIN, "%s: the view %s does not fit", n->op->name, n->op->slots[in].name);
	g->storage[from].elements = 0;
	for (uint32_t i = 0; i < g->n_tensors; i++)
		if (g->tensor[i].storage == from) {
			g->tensor[i].storage = home->storage;
			memcpy(g->tensor[i].desc.stride, n->desc[in].stride, sizeof(n->desc[in].stride));
			g->tensor[i].desc.offset = home->desc.offset + n->desc[in].offset;
		}
	return 0;
}

static int add_view(struct hlx_graph *g, struct hlx_graph_node *n, uint32_t slot, uint32_t base, const char *path)
{
	const struct hlx_tensor *of;
	struct hlx_desc d = n->desc[slot];

	if (base >= n->pub.n_slots || n->tensor[base] == HLX_NONE)
		return hlx_fail(HLX_EPLUGIN, "%s: a view of slot %u, which is not there", n->op->name, base);
	of = &g->tensor[n->tensor[base]];
	d.offset += of->desc.offset;
	if (d.offset + hlx_extent(&d) > g->storage[of->storage].elements)
		return hlx_fail(HLX_EPLUGIN, "%s: the view %s does not fit", n->op->name, n->op->slots[slot].name);
	return hlx_graph_add_tensor(g, path, &d, of->storage, g->n_nodes - 1, &n->tensor[slot]);
}

static int add_output(struct hlx_graph *g, struct hlx_graph_node *n, uint32_t slot, bool first)
{
	struct hlx_desc *d = &n->desc[slot];
	bool slotted = n->op->slots[slot].flags & HLX_SLOTTED;
	char path[512];
	uint32_t storage;

	if (first)
		snprintf(path, sizeof(path), "%s", n->path);
	else
		snprintf(path, sizeof(path), "%s.%s", n->path, n->op->slots[slot].name);
	HLX_TRY(hlx_desc_check(d, path));
	if (d->view_of)
		return add_view(g, n, slot, d->view_of - 1, path);
	hlx_contiguous(d);
	d->offset = 0;
	HLX_TRY(hlx_graph_add_storage(g, d, slotted, &storage));
	return hlx_graph_add_tensor(g, path, d, storage, g->n_nodes - 1, &n->tensor[slot]);
}

static int add_outputs(struct hlx_graph *g, struct hlx_graph_node *n)
{
	bool first = true;

	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		if (n->op->slots[s].role == HLX_OUT && n->desc[s].rank) {
			HLX_TRY(add_output(g, n, s, first));
			first = false;
		}
	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		if (n->op->slots[s].role == HLX_IN && n->tensor[s] != HLX_NONE && n->desc[s].view_of)
			HLX_TRY(rehouse(g, n, s, n->desc[s].view_of - 1));
	return first ? hlx_fail(HLX_EPLUGIN, "%s made no output", n->op->name) : 0;
}

/* A gradient is wanted of what a parameter stands behind. */
static void mark_gradients(struct hlx_graph *g, struct hlx_graph_node *n)
{
	bool grad = false;

	for (uint32_t s = 0; s < n->pub.n_slots; s++) {
		grad |= n->param[s] != HLX_NONE;
		if (n->op->slots[s].role != HLX_IN || n->tensor[s] == HLX_NONE)
			continue;
		g->tensor[n->tensor[s]].readers++;
		grad |= g->tensor[n->tensor[s]].grad && !(n->op->slots[s].flags & HLX_NOGRAD);
	}
	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		if (n->op->slots[s].role == HLX_OUT && n->tensor[s] != HLX_NONE)
			g->tensor[n->tensor[s]].grad = grad;
}

static int add_loss(struct hlx_graph *g, const struct hlx_graph_node *n)
{
	const struct hlx_desc *d = NULL;

	for (uint32_t s = 0; s < n->pub.n_slots && !d; s++)
		if (n->op->slots[s].role == HLX_OUT && (n->op->slots[s].flags & HLX_SLOTTED))
			d = &n->desc[s];
	if (!d || hlx_numel(d) != 2)
		return hlx_fail(HLX_EPLUGIN, "op %s is a loss, so its output is (sum, count), slotted", n->op->name);
	if (g->loss != HLX_NONE)
		return hlx_fail(HLX_EINVAL, "a second loss, after %s", g->node[g->loss]->where);
	g->loss = g->n_nodes - 1;
	return 0;
}

/* infer() fills what is new; what came filled it may only refuse. */
static int check_given(const struct hlx_graph *g, const struct hlx_graph_node *n, const char **tied)
{
	for (uint32_t s = 0; s < n->pub.n_slots; s++) {
		const struct hlx_param *p = tied[s] ? &g->param[hlx_graph_find_param(g, tied[s])] : NULL;
		if (p && !same_dims(&n->desc[s], &p->desc))
			return hlx_fail(HLX_ESHAPE, "%s is %s here, @%s is %s", n->op->slots[s].name, hlx_desc_text(&n->desc[s]),
					p->path, hlx_desc_text(&p->desc));
		if (n->tensor[s] != HLX_NONE && !same_dims(&n->desc[s], &g->tensor[n->tensor[s]].desc))
			return hlx_fail(HLX_EPLUGIN, "infer() of op %s changed its input %s", n->op->name,
					n->op->slots[s].name);
	}
	return 0;
}

static int join(struct hlx_graph *g, struct hlx_graph_node *n, const char **tied)
{
	uint32_t index = g->n_nodes - 1;

	HLX_TRY(hlx_graph_span(g, n));
	HLX_TRY(n->op->infer(&hlx_registry_host(g->registry)->pub, &n->pub));
	HLX_TRY(check_given(g, n, tied));
	HLX_TRY(hlx_graph_check_causal(g, n));
	for (uint32_t s = 0; s < n->pub.n_slots; s++) {
		if (n->op->slots[s].role != HLX_PARAM || !n->desc[s].rank)
			continue;
		if (tied[s])
			HLX_TRY(add_use(g, (uint32_t)hlx_graph_find_param(g, tied[s]), index, s));
		else
			HLX_TRY(add_param(g, index, s));
	}
	HLX_TRY(add_outputs(g, n));
	mark_gradients(g, n);
	return n->op->kind == HLX_LOSS ? add_loss(g, n) : 0;
}

int hlx_graph_node_join(struct hlx_graph *g, struct hlx_graph_node *n, const char *tied[HLX_MAX_SLOTS])
{
	int status = hlx_graph_add_node(g, n);

	if (status < 0) {
		hlx_graph_node_destroy(n);
		return status;
	}
	return join(g, n, tied);
}
