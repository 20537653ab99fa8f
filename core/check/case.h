/*
 * check/case.h - an op's case ("x=2x3x257 causal=yes", "tokens=2x5<256") becomes a graph.
 *
 *   DIRECT  y = op inputs
 *   TWICE   first = op inputs, second = op inputs (its parameters tied to first's), y = check.add first second: every
 *           gradient has two readers
 *   INSIDE  each f32 input is a check.scale's output and y the check.scale of op's: for ops that lay out their input
 *           anew, and views
 *   SAME    the op's first input for all of its f32 inputs, where the shapes are alike
 *   BEFORE  first = op inputs, y = next first: an op whose work may be done by this one's implementation; if it has two
 *           inputs, the other one is a further input of the graph's, "other"
 *   BEHIND  pre = next input, y = op pre ...
 */
#ifndef HLX_CHECK_CASE_H
#define HLX_CHECK_CASE_H

#include "core/graph/graph.h"

enum hlx_check_mode { HLX_CHECK_DIRECT, HLX_CHECK_TWICE, HLX_CHECK_INSIDE, HLX_CHECK_SAME, HLX_CHECK_MODE_COUNT,
	HLX_CHECK_BEFORE = HLX_CHECK_MODE_COUNT, HLX_CHECK_BEHIND }; /* with a case's next alone */
extern const char *const hlx_check_mode_name[HLX_CHECK_BEHIND + 1];

/* The neighbour, and which input of it (BEFORE) or of the case's op (BEHIND) lies between the two. */
struct hlx_check_next {
	const struct hlx_op *op;
	uint32_t slot;
	bool infer; /* no backward pass */
};

struct hlx_check_input {
	char name[32];
	struct hlx_desc desc;
	uint32_t below; /* of integers */
	bool given;     /* by the op's case; the rest infer() fills */
};
struct hlx_check_case {
	const struct hlx_op *op;
	const char *text;
	struct hlx_check_input in[HLX_MAX_SLOTS];
	uint32_t n_in;
	char attrs[256]; /* "causal=yes ..." */
	const struct hlx_check_next *next; /* or NULL */
};
/* HLX_EINVAL where the text is malformed, or names no input.  text must outlive *out. */
int hlx_check_case_parse(const struct hlx_op *, const char *text, struct hlx_check_case *out);
/* The input of that name, or NULL. */
const struct hlx_check_input *hlx_check_case_input(const struct hlx_check_case *, const char *name);

/* The graph of a case, its result being tensor "t.y".  impl NULL: the default.  slots 0: the default.
 * False: this case has no such mode (or, message set, status < 0, it failed). */
struct hlx_check_graph {
	struct hlx_graph *graph;
	const char *out;
	int status;
};
bool hlx_check_graph_create(struct hlx_registry *, const struct hlx_check_case *, enum hlx_check_mode,
		const struct hlx_impl *impl, uint64_t slots, struct hlx_check_graph *out);

#endif
