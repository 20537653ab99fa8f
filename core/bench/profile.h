/*
 * bench/profile.h - where the time of a program's steps goes.
 *
 * All steps once more in a command buffer of their own, with a timestamp behind each run of a node's steps: the times add
 * up to the whole, and what overlaps at a border counts for the later one.  Timestamps hold the device up a little, so the
 * whole is longer than a plain replay.  Without timestamps each run of steps is submitted alone.
 */
#ifndef HLX_BENCH_PROFILE_H
#define HLX_BENCH_PROFILE_H

#include "core/bench/timer.h"

enum hlx_part { HLX_PART_FORWARD, HLX_PART_BACKWARD, HLX_PART_OPTIMIZER, HLX_PART_HASH, HLX_PART_COUNT };

struct hlx_span { /* one node's pass: its steps, which need not be neighbours; of all micro-batches; or an epoch */
	uint32_t node, first, n, dispatches, times; /* times: that a run makes of them */
	bool backward;
	enum hlx_part part;
	double seconds; /* median over the turns */
	struct hlx_work work;
};
struct hlx_profile {
	struct hlx_span *span;
	uint32_t n;
	double seconds; /* all spans */
};
/* Of a program that has run; each turn trains on. */
int hlx_profile_run(struct hlx_timer *, struct hlx_program *, unsigned turns, struct hlx_profile *out);
/* The same by epochs: a span is the steps from one barrier to the next, which run at once, whosever they are. */
int hlx_profile_epochs(struct hlx_timer *, struct hlx_program *, unsigned turns, struct hlx_profile *out);
void hlx_profile_finish(struct hlx_profile *);
/* A span's op and implementation. */
const struct hlx_op *hlx_profile_op(const struct hlx_program *, const struct hlx_span *, const struct hlx_impl **);

#endif
