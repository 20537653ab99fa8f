/* op_node.h - a program of one node, made by hand, for what no wiring brings about. */
#ifndef TESTS_OP_NODE_H
#define TESTS_OP_NODE_H

#include "core/program.h"
#include "tests/op_run.h"

struct op_node {
	struct hlx_graph *graph;     /* empty: for its options */
	struct hlx_weights *weights; /* none */
	struct hlx_program *program;
};
/* The case's attributes, defaults and all; the caller frees it. */
int op_node_attrs(const struct op_case *, void **out);
int op_node_graph(struct op_bench *, uint64_t batch, uint64_t slots, struct op_node *);
/* A program without steps; its node 0 has the case's attributes. */
int op_node_begin(struct op_bench *, const struct op_case *, struct op_node *);
int op_node_cell(struct op_node *, uint64_t bytes, uint32_t *out);
/* Lays out what was recorded, and makes it fit to run. */
int op_node_end(struct op_node *);
void op_node_destroy(struct op_node *);

#endif
