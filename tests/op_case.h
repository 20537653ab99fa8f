/*
 * op_case.h - an op's case ("x=2x3x257 causal=yes", "tokens=2x5<256") becomes a graph.
 *
 *   DIRECT  y = op inputs
 *   TWICE   first = op inputs, second = op inputs (its parameters tied to first's), y = add first second: every
 *           gradient has two readers
 *   INSIDE  each f32 input is a gelu's output and y the gelu of op's: for ops that lay out their input anew, and views
 *   SAME    the op's first input for all of its f32 inputs, where the shapes are alike
 */
#ifndef TESTS_OP_CASE_H
#define TESTS_OP_CASE_H

#include "core/graph.h"

enum op_mode { OP_DIRECT, OP_TWICE, OP_INSIDE, OP_SAME, OP_MODE_COUNT };
extern const char *const op_mode_name[OP_MODE_COUNT];

struct op_input {
	char name[32];
	struct hlx_desc desc;
	uint32_t below; /* of integers */
	bool given;     /* by the op's case; the rest infer() fills */
};
struct op_case {
	const struct hlx_op *op;
	const char *text;
	struct op_input in[HLX_MAX_SLOTS];
	uint32_t n_in;
	char attrs[256]; /* "causal=yes ..." */
};
/* Terminates the test with a message where the text is malformed. */
void op_case_parse(const struct hlx_op *, const char *text, struct op_case *out);

/* The graph of a case, its result being tensor "t.y".  impl NULL: the default.  slots 0: the default.
 * False: this case has no such mode (or, message set, status < 0, it failed). */
struct op_graph {
	struct hlx_graph *graph;
	const char *out;
	int status;
};
bool op_graph_create(struct hlx_registry *, const struct op_case *, enum op_mode, const char *impl, uint64_t slots,
		struct op_graph *out);

#endif
