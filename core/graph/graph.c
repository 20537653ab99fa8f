/* graph.c - a graph's lists, and its construction from an INI. */
#include "core/graph/graph.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/ini/expr.h"
#include "core/registry/registry.h"

void *hlx_grow(void *array, uint32_t count, size_t size)
{
	void *grown = array;

	if (!(count & (count - 1))) /* room doubles at 1, 2, 4, ... */
		grown = realloc(array, (count ? 2 * (size_t)count : 1) * size);
	if (!grown)
		hlx_no_memory();
	else
		memset((char *)grown + count * size, 0, size);
	return grown;
}

const char *hlx_desc_text(const struct hlx_desc *d)
{
	static _Thread_local char text[4][112];
	static _Thread_local unsigned turn;
	char *t = text[turn++ % 4];
	int n = snprintf(t, sizeof(text[0]), "(");

	for (uint32_t i = 0; i < d->rank && i < HLX_MAX_RANK; i++)
		n += snprintf(t + n, sizeof(text[0]) - (size_t)n, "%s%llu", i ? ", " : "", (unsigned long long)d->dim[i]);
	snprintf(t + n, sizeof(text[0]) - (size_t)n, ")");
	return t;
}

int hlx_desc_check(const struct hlx_desc *d, const char *what)
{
	uint64_t n = 1;

	if (d->rank < 1 || d->rank > HLX_MAX_RANK)
		return hlx_fail(HLX_ESHAPE, "%s has %u dims, want 1 to %d", what, d->rank, HLX_MAX_RANK);
	for (uint32_t i = 0; i < d->rank; i++) {
		if (!d->dim[i])
			return hlx_fail(HLX_ESHAPE, "%s has a dimension of 0: %s", what, hlx_desc_text(d));
		if (d->dim[i] > (1ull << 40) / n)
			return hlx_fail(HLX_ESHAPE, "%s is too big: %s, at most 2^40 elements", what, hlx_desc_text(d));
		n *= d->dim[i];
	}
	return 0;
}

int hlx_graph_create(struct hlx_registry *r, const struct hlx_graph_options *o, struct hlx_graph **out)
{
	struct hlx_graph *g = calloc(1, sizeof(*g));
	int status;

	if (!g)
		return hlx_no_memory();
	g->registry = r;
	g->options = *o;
	g->loss = g->layer = HLX_NONE;
	if ((status = hlx_graph_split(g)) < 0) {
		free(g);
		return status;
	}
	*out = g;
	return 0;
}

void hlx_graph_destroy(struct hlx_graph *g)
{
	if (!g)
		return;
	for (uint32_t i = 0; i < g->n_nodes; i++)
		hlx_graph_node_destroy(g->node[i]);
	for (uint32_t i = 0; i < g->n_tensors; i++)
		free(g->tensor[i].path);
	for (uint32_t i = 0; i < g->n_params; i++) {
		free(g->param[i].path);
		free(g->param[i].use);
	}
	for (uint32_t i = 0; i < g->n_names; i++)
		free(g->name[i].name);
	for (uint32_t i = 0; i < g->n_variables; i++)
		free(g->variable[i].name);
	for (uint32_t i = 0; i < g->n_choices; i++) {
		free(g->choice[i].op);
		free(g->choice[i].impl);
	}
	free(g->node);
	free(g->by_path);
	free(g->tensor);
	free(g->storage);
	free(g->param);
	free(g->name);
	free(g->variable);
	free(g->choice);
	free(g);
}

int hlx_graph_define(struct hlx_graph *g, const char *variable, double value)
{
	struct hlx_variable *grown = hlx_grow(g->variable, g->n_variables, sizeof(*grown));

	if (!grown)
		return HLX_ENOMEM;
	g->variable = grown;
	grown[g->n_variables].value = value;
	if (!(grown[g->n_variables].name = strdup(variable)))
		return hlx_no_memory();
	g->n_variables++;
	return 0;
}

int hlx_graph_choose(struct hlx_graph *g, const char *op, const char *impl)
{
	struct hlx_choice *grown;
	const char *names[256];
	size_t n = hlx_registry_op_names(g->registry, names, 256);

	if (!hlx_registry_op(g->registry, op))
		return hlx_fail(HLX_EINVAL, "no op %s%s", op, hlx_hint(op, names, n));
	if (!hlx_registry_has_impl(g->registry, op, impl)) {
		n = 0;
		for (size_t i = 0; hlx_registry_impl_at(g->registry, i, NULL) && n < 256; i++)
			if (!strcmp(hlx_registry_impl_at(g->registry, i, NULL)->op, op))
				names[n++] = hlx_registry_impl_at(g->registry, i, NULL)->name;
		return hlx_fail(HLX_EINVAL, "op %s has no implementation \"%s\"%s; hlxt ops lists them", op, impl,
				hlx_hint(impl, names, n));
	}
	if (!(grown = hlx_grow(g->choice, g->n_choices, sizeof(*grown))))
		return HLX_ENOMEM;
	g->choice = grown;
	grown[g->n_choices] = (struct hlx_choice){ strdup(op), strdup(impl) };
	g->n_choices++;
	return grown[g->n_choices - 1].op && grown[g->n_choices - 1].impl ? 0 : hlx_no_memory();
}

const char *hlx_graph_chosen(const struct hlx_graph *g, const char *op)
{
	for (uint32_t i = 0; i < g->n_choices; i++)
		if (!strcmp(g->choice[i].op, op))
			return g->choice[i].impl;
	return NULL;
}

int hlx_graph_layer(struct hlx_graph *g, int32_t layer)
{
	if (layer < -1 || layer > UINT16_MAX)
		return hlx_fail(HLX_EINVAL, "layer %d, want 0 to %d, or -1", layer, UINT16_MAX);
	g->layer = layer < 0 ? HLX_NONE : (uint32_t)layer;
	return 0;
}

static int find_variable(void *ctx, const char *name, double *out)
{
	struct hlx_graph *g = ctx;

	for (uint32_t i = g->n_variables; i-- > 0;)
		if (!strcmp(g->variable[i].name, name)) {
			g->variable[i].used = true;
			*out = g->variable[i].value;
			return 0;
		}
	return HLX_EINVAL;
}

struct hlx_scope hlx_graph_scope(const struct hlx_graph *g, const char **names, size_t room)
{
	size_t n = 0;

	for (; n < room && n < g->n_variables; n++)
		names[n] = g->variable[n].name;
	return (struct hlx_scope){ find_variable, (void *)g, names, n };
}

/* Where the node of that path is, or would be: a model has tens of thousands, each looked for before it is made. */
static uint32_t *place_of(const struct hlx_graph *g, const char *path)
{
	uint32_t i = (uint32_t)XXH64(path, strlen(path), 0) & (g->n_by_path - 1);

	while (g->by_path[i] && strcmp(g->node[g->by_path[i] - 1]->path, path))
		i = (i + 1) & (g->n_by_path - 1);
	return &g->by_path[i];
}

int hlx_graph_find_node(const struct hlx_graph *g, const char *path)
{
	return g->n_by_path ? (int)*place_of(g, path) - 1 : -1;
}

static int widen(struct hlx_graph *g)
{
	uint32_t room = g->n_by_path ? 2 * g->n_by_path : 64, *table = calloc(room, sizeof(*table));

	if (!table)
		return hlx_no_memory();
	free(g->by_path);
	g->by_path = table;
	g->n_by_path = room;
	for (uint32_t i = 0; i < g->n_nodes; i++)
		*place_of(g, g->node[i]->path) = i + 1;
	return 0;
}

int hlx_graph_add_node(struct hlx_graph *g, struct hlx_graph_node *n)
{
	struct hlx_graph_node **grown;

	if (2 * (g->n_nodes + 1) > g->n_by_path)
		HLX_TRY(widen(g));
	if (!(grown = hlx_grow(g->node, g->n_nodes, sizeof(*grown))))
		return HLX_ENOMEM;
	g->node = grown;
	g->node[g->n_nodes++] = n;
	*place_of(g, n->path) = g->n_nodes;
	return 0;
}

int hlx_graph_find_param(const struct hlx_graph *g, const char *path)
{
	for (uint32_t i = 0; i < g->n_params; i++)
		if (!strcmp(g->param[i].path, path))
			return (int)i;
	return -1;
}

int hlx_graph_find_tensor(const struct hlx_graph *g, const char *path)
{
	for (uint32_t i = g->n_tensors; i-- > 0;)
		if (!strcmp(g->tensor[i].path, path))
			return (int)i;
	return -1;
}

int hlx_graph_add_storage(struct hlx_graph *g, const struct hlx_desc *d, bool slotted, uint32_t *out)
{
	struct hlx_storage *grown = hlx_grow(g->storage, g->n_storages, sizeof(*grown));

	if (!grown)
		return HLX_ENOMEM;
	g->storage = grown;
	grown[g->n_storages].slotted = slotted;
	grown[g->n_storages].elements = slotted ? hlx_slot_stride(d) * g->options.slots : hlx_numel(d);
	*out = g->n_storages++;
	return 0;
}

int hlx_graph_add_tensor(struct hlx_graph *g, const char *path, const struct hlx_desc *d, uint32_t storage,
		uint32_t producer, uint32_t *out)
{
	struct hlx_tensor *grown = hlx_grow(g->tensor, g->n_tensors, sizeof(*grown));

	if (!grown)
		return HLX_ENOMEM;
	g->tensor = grown;
	grown[g->n_tensors] = (struct hlx_tensor){ strdup(path), *d, storage, producer, 0, false };
	if (!grown[g->n_tensors].path)
		return hlx_no_memory();
	*out = g->n_tensors++;
	return 0;
}

int hlx_graph_bind(struct hlx_graph *g, const char *name, uint32_t tensor)
{
	struct hlx_binding_name *grown = hlx_grow(g->name, g->n_names, sizeof(*grown));

	if (!grown)
		return HLX_ENOMEM;
	g->name = grown;
	grown[g->n_names] = (struct hlx_binding_name){ strdup(name), tensor };
	return grown[g->n_names++].name ? 0 : hlx_no_memory();
}

int hlx_graph_input(struct hlx_graph *g, const char *name, const struct hlx_desc *desc)
{
	struct hlx_desc d = *desc;
	uint32_t storage, tensor;

	HLX_TRY(hlx_desc_check(&d, name));
	hlx_contiguous(&d);
	d.offset = d.view_of = 0;
	HLX_TRY(hlx_graph_add_storage(g, &d, false, &storage));
	g->storage[storage].input = true;
	HLX_TRY(hlx_graph_add_tensor(g, name, &d, storage, HLX_NONE, &tensor));
	g->tensor[tensor].grad = g->options.input_grads && d.dtype == HLX_F32;
	return hlx_graph_bind(g, name, tensor);
}

const struct hlx_desc *hlx_graph_desc(const struct hlx_graph *g, const char *path)
{
	int t = hlx_graph_find_tensor(g, path), p = hlx_graph_find_param(g, path);

	return t >= 0 ? &g->tensor[t].desc : p >= 0 ? &g->param[p].desc : NULL;
}

const char *hlx_graph_logits(const struct hlx_graph *g)
{
	return g->loss == HLX_NONE ? NULL : g->tensor[g->node[g->loss]->tensor[0]].path;
}

uint32_t hlx_graph_param_count(const struct hlx_graph *g)
{
	return g->n_params;
}

uint32_t hlx_graph_freeze(struct hlx_graph *g, const char *pattern)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n_params; i++)
		if (!fnmatch(pattern, g->param[i].path, 0)) {
			g->param[i].frozen = true;
			n++;
		}
	return n;
}

struct hlx_param_info hlx_graph_param(const struct hlx_graph *g, uint32_t i)
{
	const struct hlx_param *p = &g->param[i];

	return (struct hlx_param_info){ p->path, &p->desc, p->init, p->no_decay, p->frozen, hlx_numel(&p->desc), p->offset };
}
