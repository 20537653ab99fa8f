/* check/run_graph.h - a case in a graph, on the device and in a walk of the references: what run.c runs and run_compare.c compares. */
#ifndef HLX_CHECK_RUN_GRAPH_H
#define HLX_CHECK_RUN_GRAPH_H

#include "core/check/run.h"
#include "core/program/program.h"

#define HLX_RUN_POISON 0xffu /* of memory that a kernel is to write; four of them are a NaN */

struct hlx_run {
	struct hlx_check *bench;
	const struct hlx_check_case *c;
	struct hlx_graph *graph;
	const char *out;
	char what[96];
	struct hlx_weights *weights;
	struct hlx_program *program;
	struct hlx_walk *walk;
	float *seed;
	enum hlx_check_id id;
	bool backward;
	uint64_t digest; /* of all results */
};

uint64_t hlx_run_padding(const struct hlx_program *, uint32_t cell); /* bytes behind a cell that are nobody's */
/* run_compare.c: every result with the walk's, and that nothing else was written; differences are complained of. */
int hlx_run_compare(struct hlx_run *);

#endif
