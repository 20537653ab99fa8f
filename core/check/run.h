/* check/run.h - one case on the device against the references on the host, bit for bit. */
#ifndef HLX_CHECK_RUN_H
#define HLX_CHECK_RUN_H

#include "core/check/case.h"
#include "core/check/data.h"
#include "core/check/walk.h"

struct hlx_program;

struct hlx_check {
	struct hlx_registry *registry;
	struct hlx_device *dev;       /* NULL: references only */
	const struct hlx_impl *impl;
	unsigned ran, refused, failed; /* refused: of runs that the implementation does not support */
	int status;                   /* of the last run: negative where it could not be made */
	void (*complain)(void *ctx, const char *line); /* a line for each difference; may be NULL */
	/* Asked when a program of one node has been recorded, and not yet built: false leaves it.  May be NULL. */
	bool (*wanted)(void *ctx, const struct hlx_program *);
	void *ctx;
};
/* Says what differs and counts it in failed. */
void hlx_check_complain(struct hlx_check *, const struct hlx_check_case *, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Counts it, where the implementation does not support this node here. */
bool hlx_check_refuses(struct hlx_check *, const struct hlx_node *);

/* Inputs, parameters and the result's gradient of a graph, in the walk's memory. */
void hlx_check_fill_walk(struct hlx_walk *, const struct hlx_check_case *, enum hlx_family, uint64_t turn);
int hlx_check_make_seed(const struct hlx_graph *, const char *path, enum hlx_family, uint64_t turn, float **out);

void hlx_check_run_case(struct hlx_check *, const struct hlx_check_case *, enum hlx_check_mode, enum hlx_family,
		uint64_t slots);

#endif
