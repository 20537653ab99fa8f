/* metrics.h - metrics.jsonl, an object a step. */
#ifndef RUNNER_METRICS_H
#define RUNNER_METRICS_H

#include "runner/folder.h"

struct metrics {
	uint64_t step;
	float loss, lr, grad_norm;
	double ms, tokens_per_s;
	bool has_valid, ended; /* ended: by [train] early_stop; not read */
	float valid_loss;
	uint64_t hash; /* chained */
};

int metrics_append(struct journal *, const struct metrics *);
/* Cuts what comes after step, and a last line that is not whole. */
int metrics_cut(struct journal *, uint64_t step);
/* Every whole line of a run that may be going on, in order of steps; *out is new.  hash is not read. */
int metrics_read(const char *folder, struct metrics **out, size_t *count);

#endif
