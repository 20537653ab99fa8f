/* check/node.h - a program of one node, made by hand, for what no wiring brings about. */
#ifndef HLX_CHECK_NODE_H
#define HLX_CHECK_NODE_H

#include "core/program/program.h"
#include "core/check/run.h"

struct hlx_check_node {
	struct hlx_graph *graph;     /* empty: for its options */
	struct hlx_weights *weights; /* none */
	struct hlx_program *program;
};
/* The case's attributes, defaults and all; the caller frees it. */
int hlx_check_node_attrs(const struct hlx_check_case *, void **out);
int hlx_check_node_graph(struct hlx_check *, uint64_t batch, uint64_t slots, struct hlx_check_node *);
/* A program without steps; its node 0 has the case's attributes. */
int hlx_check_node_begin(struct hlx_check *, const struct hlx_check_case *, struct hlx_check_node *);
int hlx_check_node_cell(struct hlx_check_node *, uint64_t bytes, uint32_t *out);
/* Lays out what was recorded, and makes it fit to run.  1: it is not wanted. */
int hlx_check_node_end(struct hlx_check *, struct hlx_check_node *);
void hlx_check_node_destroy(struct hlx_check_node *);

#endif
