#include "tests/op_node.h"

#include <stdlib.h>
#include <string.h>

#include "core/build.h"
#include "core/expr.h"

static int set(const struct op_case *c, void *attrs)
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

int op_node_attrs(const struct op_case *c, void **out)
{
	HLX_TRY(hlx_attrs_create(c->op, out));
	return set(c, *out);
}

int op_node_graph(struct op_bench *b, uint64_t batch, uint64_t slots, struct op_node *n)
{
	const struct hlx_graph_options o = { .batch = batch, .seq_len = 1, .train = true, .slots = slots };

	return hlx_graph_create(b->registry, &o, &n->graph);
}

int op_node_begin(struct op_bench *b, const struct op_case *c, struct op_node *n)
{
	struct hlx_program *p = n->program = calloc(1, sizeof(*p));
	uint32_t node;

	if (!p)
		return hlx_no_memory();
	p->dev = b->dev;
	p->graph = n->graph;
	HLX_TRY(hlx_weights_create(b->dev, n->graph, 0, &n->weights));
	p->weights = n->weights;
	HLX_TRY(hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_PARAMETERS, .bytes = HLX_ALIGN,
			.parent = HLX_NONE, .persistent = true }, &p->steps_cell));
	HLX_TRY(hlx_build_add_node(p, c->op, "t", &node));
	return set(c, p->node[node].attrs);
}

int op_node_cell(struct op_node *n, uint64_t bytes, uint32_t *out)
{
	return hlx_program_add_cell(n->program, (struct hlx_cell){ .arena = HLX_ARENA_GRADIENTS, .bytes = bytes,
			.parent = HLX_NONE, .persistent = true }, out);
}

int op_node_end(struct op_node *n)
{
	HLX_TRY(hlx_program_layout(n->program));
	HLX_TRY(hlx_program_barriers(n->program));
	HLX_TRY(hlx_program_allocate(n->program));
	return hlx_program_materialize(n->program);
}

void op_node_destroy(struct op_node *n)
{
	hlx_program_destroy(n->program);
	hlx_weights_destroy(n->weights);
	hlx_graph_destroy(n->graph);
}
