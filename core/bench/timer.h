/*
 * bench/timer.h - how long a device takes for steps of a program.  [main]
 *
 * Steps are repeated in one command buffer, each repetition behind a barrier, often enough that a sample lasts.  Where the
 * device has timestamps they are taken around all repetitions; a CPU driver runs its command buffers in the process, so
 * there the clock on the wall is right, less what an empty submission takes (on lavapipe 22.3.6 timestamps say the same).
 */
#ifndef HLX_BENCH_TIMER_H
#define HLX_BENCH_TIMER_H

#include "core/program/program.h"

/* Seconds that a card takes to come back from its idle clock, to which it falls while kernels are compiled: an H200 goes
 * down to 345 of 1,980 MHz within 2 s, and takes 0.3 to come back. */
#define HLX_WARM_UP 0.5

struct hlx_timer {
	struct hlx_device *dev;
	bool stamps;        /* timestamps, not the wall */
	double tick;        /* seconds a timestamp counts */
	uint64_t mask;      /* its valid bits */
	VkQueryPool pool;
	uint32_t room;      /* of the pool */
	VkCommandBuffer cmd;
	double empty;       /* seconds an empty submission takes */
	/* Samples are thrown away for `warm` seconds, or HLX_WARM_UP where it was idle.  Then one lasts at least `sample`
	 * seconds; at most `samples` of them, no further one after `budget` seconds. */
	double warm, sample, budget;
	double busy;        /* when a submission last ended */
	unsigned samples;
	double least;       /* of the last hlx_timer_steps(): what its fastest sample says */
};

int hlx_timer_create(struct hlx_device *, bool quick, struct hlx_timer *out);
void hlx_timer_finish(struct hlx_timer *);

/* Median seconds of steps [first, first + n) of a program that has run once. */
int hlx_timer_steps(struct hlx_timer *, struct hlx_program *, uint32_t first, uint32_t n, double *out);

/* Room for n timestamps. */
int hlx_timer_reserve(struct hlx_timer *, uint32_t n);
int hlx_timer_begin(struct hlx_timer *);
/* Timestamp i, once everything recorded before has finished. */
void hlx_timer_stamp(struct hlx_timer *, uint32_t i);
int hlx_timer_end(struct hlx_timer *);
/* Submits, waits; *wall (may be NULL): seconds that took, less an empty submission's. */
int hlx_timer_submit(struct hlx_timer *, double *wall);
/* Timestamps 0 ... n - 1 in seconds. */
int hlx_timer_read(struct hlx_timer *, uint32_t n, double *out);

double hlx_timer_now(void);
/* Sorts them. */
double hlx_timer_median(double *seconds, unsigned n);

#endif
