/* wire.c - one line of wiring, "op input ... key=value ...", becomes a node. */
#include <stdlib.h>
#include <string.h>

#include "core/ini/expr.h"
#include "core/graph/graph.h"
#include "core/registry/registry.h"

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

/* A parameter that an earlier line made. */
static int tie(const struct hlx_graph *g, struct hlx_graph_node *n, int slot, const char *value, const char **tied)
{
	const char *names[512];
	size_t count = 0;
	int p;

	if (value[0] != '@')
		return hlx_fail(HLX_EINVAL, "%s is a parameter of %s, which makes its own: only %s=@path ties it to another",
				n->op->slots[slot].name, n->op->name, n->op->slots[slot].name);
	if ((p = hlx_graph_find_param(g, value + 1)) < 0) {
		for (uint32_t i = 0; i < g->n_params && count < 512; i++)
			names[count++] = g->param[i].path;
		return hlx_fail(HLX_EINVAL, "%s=%s: no such parameter before this line%s", n->op->slots[slot].name, value,
				hlx_hint(value + 1, names, count));
	}
	tied[slot] = g->param[p].path;
	n->desc[slot] = g->param[p].desc;
	return 0;
}

/* attribute=value, input=name, or parameter=@path */
static int keyed(const struct hlx_graph *g, struct hlx_graph_node *n, const char *key, const char *value,
		const char **tied, bool *given)
{
	const struct hlx_attr *a = hlx_attrs_find(n->op, key);
	int slot = find_slot(n->op, key);
	const char *names[64];
	struct hlx_scope scope = hlx_graph_scope(g, names, 64);

	bool *again = a ? &given[a - n->op->attrs] : slot >= 0 ? &given[HLX_MAX_ATTRS + slot] : NULL;

	if (!again)
		return unknown_key(n->op, key);
	if (*again)
		return hlx_fail(HLX_EINVAL, "%s is given twice", key);
	*again = true;
	if (a)
		return hlx_attrs_set(n->op, n->attrs, a, value, &scope);
	if (n->op->slots[slot].role == HLX_PARAM)
		return tie(g, n, slot, value, tied);
	if (n->op->slots[slot].role != HLX_IN)
		return unknown_key(n->op, key);
	if (n->tensor[slot] != HLX_NONE)
		return hlx_fail(HLX_EINVAL, "%s is given twice", key);
	return connect(g, n, slot, value);
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
	bool given[HLX_MAX_ATTRS + HLX_MAX_SLOTS] = { false }; /* attributes, then slots */
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
	int status, there;

	do
		word = strsep(&text, " \t");
	while (word && !*word);
	if (!word)
		return hlx_fail(HLX_EINVAL, "want an op and its inputs");
	if ((there = hlx_graph_find_node(g, path)) >= 0)
		return hlx_fail(HLX_EINVAL, "%s is there already, from %s", path, g->node[there]->where);
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
