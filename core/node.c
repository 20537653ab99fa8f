/* node.c - one line of wiring becomes a node: inputs and attributes from the text, the rest from the op's infer(). */
#include <stdlib.h>
#include <string.h>

#include "core/expr.h"
#include "core/graph.h"
#include "core/host.h"
#include "core/registry.h"

static uint32_t count_slots(const struct hlx_op *op)
{
	uint32_t n = 0;

	while (op->slots[n].name)
		n++;
	return n;
}

static const char *chosen_impl(const struct hlx_graph *g, const char *op)
{
	for (uint32_t i = 0; i < g->n_choices; i++)
		if (!strcmp(g->choice[i].op, op))
			return g->choice[i].impl;
	return NULL;
}

int hlx_graph_node_create(struct hlx_graph *g, const struct hlx_op *op, const char *path, const char *where,
		struct hlx_graph_node **out)
{
	struct hlx_graph_node *n = calloc(1, sizeof(*n));

	if (!n)
		return hlx_no_memory();
	n->op = op;
	n->impl = chosen_impl(g, op->name);
	n->path = strdup(path);
	n->where = strdup(where);
	for (uint32_t s = 0; s < HLX_MAX_SLOTS; s++)
		n->tensor[s] = n->param[s] = HLX_NONE;
	if (!n->path || !n->where || hlx_attrs_create(op, &n->attrs) < 0) {
		hlx_graph_node_destroy(n);
		return hlx_no_memory();
	}
	n->pub = (struct hlx_node){ .struct_size = sizeof(n->pub), .name = n->path, .n_slots = count_slots(op),
		.train = g->options.train, .desc = n->desc, .init = n->init, .attrs = n->attrs };
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

/* -- the text ---------------------------------------------------------------------------------------------- */

static int find_slot(const struct hlx_op *op, const char *name)
{
	for (int i = 0; op->slots[i].name; i++)
		if (!strcmp(op->slots[i].name, name))
			return i;
	return -1;
}

static int next_input(const struct hlx_graph_node *n)
{
	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		if (n->op->slots[s].role == HLX_IN && n->tensor[s] == HLX_NONE)
			return (int)s;
	return -1;
}

static int lookup(const struct hlx_graph *g, const char *name, uint32_t *out)
{
	const char *names[512];
	size_t n = 0;

	for (uint32_t i = g->n_names; i-- > 0;) {
		if (!strcmp(g->name[i].name, name)) {
			*out = g->name[i].tensor;
			return 0;
		}
		if (n < 512)
			names[n++] = g->name[i].name;
	}
	return hlx_fail(HLX_EINVAL, "nothing is called %s here%s", name, hlx_hint(name, names, n));
}

static int connect(const struct hlx_graph *g, struct hlx_graph_node *n, int slot, const char *name)
{
	uint32_t t;

	HLX_TRY(lookup(g, name, &t));
	n->tensor[slot] = t;
	n->desc[slot] = g->tensor[t].desc;
	n->desc[slot].view_of = 0;
	return 0;
}

static int positional(const struct hlx_graph *g, struct hlx_graph_node *n, const char *word)
{
	int slot = next_input(n);

	if (slot < 0)
		return hlx_fail(HLX_EINVAL, "%s is one input too many for %s", word, n->op->name);
	return connect(g, n, slot, word);
}

static int unknown_key(const struct hlx_op *op, const char *key)
{
	const char *names[64];
	size_t n = 0;

	for (const struct hlx_attr *a = op->attrs; a && a->name && n < 48; a++)
		names[n++] = a->name;
	for (int i = 0; op->slots[i].name && n < 64; i++)
		names[n++] = op->slots[i].name;
	return hlx_fail(HLX_EINVAL, "%s has no attribute %s%s", op->name, key, hlx_hint(key, names, n));
}

/* attribute=value, input=name, or parameter=@path */
static int keyed(const struct hlx_graph *g, struct hlx_graph_node *n, const char *key, const char *value,
		const char **tied, bool *given)
{
	const struct hlx_attr *a = hlx_attrs_find(n->op, key);
	int slot = find_slot(n->op, key);
	const char *names[64];
	struct hlx_scope scope = hlx_graph_scope(g, names, 64);

	if (slot >= 0 && n->op->slots[slot].role == HLX_PARAM && value[0] == '@') {
		int p = hlx_graph_find_param(g, value + 1);
		if (p < 0)
			return hlx_fail(HLX_EINVAL, "%s: no parameter %s before this line", key, value);
		tied[slot] = g->param[p].path;
		n->desc[slot] = g->param[p].desc;
		return 0;
	}
	if (slot >= 0 && n->op->slots[slot].role == HLX_IN)
		return connect(g, n, slot, value);
	if (!a)
		return unknown_key(n->op, key);
	given[a - n->op->attrs] = true;
	return hlx_attrs_set(n->op, n->attrs, a, value, &scope);
}

/* What the line does not give, [model] may: `heads qkv part=0` takes num_heads from there. */
static int from_model(const struct hlx_graph *g, struct hlx_graph_node *n, const bool *given)
{
	const char *names[64];
	struct hlx_scope scope = hlx_graph_scope(g, names, 64);
	double v;

	for (const struct hlx_attr *a = n->op->attrs; a && a->name; a++)
		if (!given[a - n->op->attrs] && (a->type == HLX_INT || a->type == HLX_FLOAT) &&
				scope.find(scope.ctx, a->name, &v) >= 0)
			HLX_TRY(hlx_attrs_set(n->op, n->attrs, a, a->name, &scope));
	return 0;
}

static int check_inputs(const struct hlx_graph_node *n)
{
	uint32_t want = 0, have = 0;

	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		if (n->op->slots[s].role == HLX_IN) {
			want += !(n->op->slots[s].flags & HLX_OPTIONAL);
			have += n->tensor[s] != HLX_NONE;
		}
	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		if (n->op->slots[s].role == HLX_IN && !(n->op->slots[s].flags & HLX_OPTIONAL) && n->tensor[s] == HLX_NONE)
			return hlx_fail(HLX_EINVAL, "%s wants %u input%s, has %u: %s is missing", n->op->name, want,
					want == 1 ? "" : "s", have, n->op->slots[s].name);
	return 0;
}

static int read_words(struct hlx_graph *g, struct hlx_graph_node *n, char *rest, const char **tied)
{
	bool given[256] = { false };
	char *word;

	while ((word = strsep(&rest, " \t"))) {
		char *eq = strchr(word, '=');
		if (!*word)
			continue;
		if (eq) {
			*eq = '\0';
			HLX_TRY(keyed(g, n, word, eq + 1, tied, given));
		} else {
			HLX_TRY(positional(g, n, word));
		}
	}
	HLX_TRY(from_model(g, n, given));
	return check_inputs(n);
}

/* -- joining the graph ------------------------------------------------------------------------------------- */

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

/* An input that wants to live inside an output: unheads' input, which its producer then writes in place. */
static int rehouse(struct hlx_graph *g, struct hlx_graph_node *n, uint32_t in, uint32_t out)
{
	struct hlx_tensor *t = &g->tensor[n->tensor[in]];
	const struct hlx_tensor *home = &g->tensor[n->tensor[out]];

	if (t->producer == HLX_NONE || t->readers || t->desc.offset || !hlx_is_contiguous(&t->desc) ||
			g->storage[t->storage].elements != hlx_numel(&t->desc))
		return hlx_fail(HLX_ENOTSUP, "%s cannot lay out %s anew: it is an input, a view, or read elsewhere too",
				n->op->name, t->path);
	if (n->desc[in].offset + hlx_extent(&n->desc[in]) > g->storage[home->storage].elements)
		return hlx_fail(HLX_EPLUGIN, "%s: the view %s does not fit", n->op->name, n->op->slots[in].name);
	g->storage[t->storage].elements = 0;
	t->storage = home->storage;
	memcpy(t->desc.stride, n->desc[in].stride, sizeof(t->desc.stride));
	t->desc.offset = home->desc.offset + n->desc[in].offset;
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

static int join(struct hlx_graph *g, struct hlx_graph_node *n, const char **tied)
{
	uint32_t index = g->n_nodes - 1;

	HLX_TRY(n->op->infer(&hlx_registry_host(g->registry)->pub, &n->pub));
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
	struct hlx_graph_node **grown = hlx_grow(g->node, g->n_nodes, sizeof(*grown));

	if (!grown) {
		hlx_graph_node_destroy(n);
		return HLX_ENOMEM;
	}
	g->node = grown;
	g->node[g->n_nodes++] = n;
	return join(g, n, tied);
}

/* -- the line ---------------------------------------------------------------------------------------------- */

static int find_op(const struct hlx_graph *g, const char *name, const struct hlx_op **out)
{
	const char *names[256];
	size_t n = hlx_registry_op_names(g->registry, names, 256);

	*out = hlx_registry_op(g->registry, name);
	if (!*out)
		return hlx_fail(HLX_EINVAL, "no op %s%s", name, hlx_hint(name, names, n));
	if ((*out)->kind != HLX_LAYER && (*out)->kind != HLX_LOSS)
		return hlx_fail(HLX_EINVAL, "op %s is not one to wire: the trainer uses it", name);
	return 0;
}

static int wire(struct hlx_graph *g, const char *path, const char *name, char *text, const char *where)
{
	const char *tied[HLX_MAX_SLOTS] = { NULL }, *word;
	const struct hlx_op *op;
	struct hlx_graph_node *n;
	int status;

	do
		word = strsep(&text, " \t");
	while (word && !*word);
	if (!word)
		return hlx_fail(HLX_EINVAL, "want an op and its inputs");
	for (uint32_t i = 0; i < g->n_nodes; i++)
		if (!strcmp(g->node[i]->path, path))
			return hlx_fail(HLX_EINVAL, "%s is there already, from %s", path, g->node[i]->where);
	HLX_TRY(find_op(g, word, &op));
	HLX_TRY(hlx_graph_node_create(g, op, path, where, &n));
	if ((status = read_words(g, n, text, tied)) < 0) {
		hlx_graph_node_destroy(n);
		return status;
	}
	HLX_TRY(hlx_graph_node_join(g, n, tied));
	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		if (op->slots[s].role == HLX_OUT && n->tensor[s] != HLX_NONE)
			return hlx_graph_bind(g, name, n->tensor[s]);
	return 0;
}

int hlx_graph_wire(struct hlx_graph *g, const char *section, const char *name, const char *text, const char *where)
{
	char *copy = strdup(text), path[512];
	int status;

	if (!copy)
		return hlx_no_memory();
	snprintf(path, sizeof(path), "%s.%s", section, name);
	status = wire(g, path, name, copy, where);
	free(copy);
	return status < 0 ? hlx_prefix(status, "%s: %s: ", where, name) : 0;
}
