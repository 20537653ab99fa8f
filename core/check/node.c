#include "core/check/node.h"

#include <stdlib.h>
#include <string.h>

#include "core/program/build.h"
#include "core/ini/expr.h"

static int set(const struct hlx_check_case *c, void *attrs)
{
	static const struct hlx_scope none = { 0 };
	char copy[256], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", c->attrs);
	while ((word = strsep(&rest, " "))) {
		char *eq = strchr(word, '=');
		const struct hlx_attr *a;
		if (!eq)
			continue;
		*eq = '\0';
		if (!(a = hlx_attrs_find(c->op, word)))
			return hlx_fail(HLX_EINVAL, "%s has no attribute %s", c->op->name, word);
		HLX_TRY(hlx_attrs_set(c->op, attrs, a, eq + 1, &none));
	}
	return 0;
}

int hlx_check_node_attrs(const struct hlx_check_case *c, void **out)
{
	HLX_TRY(hlx_attrs_create(c->op, out));
	return set(c, *out);
}

int hlx_check_node_graph(struct hlx_check *b, uint64_t batch, uint64_t slots, struct hlx_check_node *n)
{
	/* Implementations of any tier, and no lint while they record: who wants that asks for it by itself. */
	const struct hlx_graph_options o = { .batch = batch, .seq_len = 1, .train = true, .slots = slots, .mode = HLX_DEVICE };

	return hlx_graph_create(b->registry, &o, &n->graph);
}

int hlx_check_node_begin(struct hlx_check *b, const struct hlx_check_case *c, struct hlx_check_node *n)
{
	struct hlx_program *p = n->program = calloc(1, sizeof(*p));
	uint32_t node;

	if (!p)
		return hlx_no_memory();
	p->dev = b->dev;
	p->graph = n->graph;
	HLX_TRY(hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_PARAMETERS, .bytes = HLX_ALIGN,
			.parent = HLX_NONE, .persistent = true }, &p->steps_cell));
	HLX_TRY(hlx_build_add_node(p, c->op, "t", &node));
	return set(c, p->node[node].attrs);
}

int hlx_check_node_cell(struct hlx_check_node *n, uint64_t bytes, uint32_t *out)
{
	return hlx_program_add_cell(n->program, (struct hlx_cell){ .arena = HLX_ARENA_GRADIENTS, .bytes = bytes,
			.parent = HLX_NONE, .persistent = true }, out);
}

int hlx_check_node_end(struct hlx_check *b, struct hlx_check_node *n)
{
	if (b->wanted && !b->wanted(b->ctx, n->program))
		return 1;
	HLX_TRY(hlx_weights_create(b->dev, n->graph, 0, &n->weights));
	n->program->weights = n->weights;
	HLX_TRY(hlx_program_layout(n->program));
	HLX_TRY(hlx_program_barriers(n->program));
	HLX_TRY(hlx_program_allocate(n->program));
	return hlx_program_materialize(n->program);
}

void hlx_check_node_destroy(struct hlx_check_node *n)
{
	hlx_program_destroy(n->program);
	hlx_weights_destroy(n->weights);
	hlx_graph_destroy(n->graph);
}
