/* metrics.h - metrics.jsonl, an object a step. */
#ifndef RUNNER_METRICS_H
#define RUNNER_METRICS_H

#include "runner/folder.h"

struct metrics {
	uint64_t step;
	float loss, lr, grad_norm;
	double ms, tokens_per_s;
	uint64_t memory; /* bytes of the device that the run holds; 0 in files of versions that did not write it */
	bool has_valid, ended; /* ended: by [train] early_stop; not read */
	float valid_loss; /* may be infinite or no number: null in the file, and a NaN when read from there */
	uint64_t hash; /* chained */
};

enum { METRICS_LINE = 512 };

/* A step's line of metrics.jsonl, its end included; its length. */
size_t metrics_line(const struct metrics *, char out[METRICS_LINE]);
int metrics_append(struct journal *, const struct metrics *);
/* Cuts what comes after step, and a last line that is not whole. */
int metrics_cut(struct journal *, uint64_t step);
/* Every whole line of a run that may be going on, in order of steps; *out is new.  hash is not read. */
int metrics_read(const char *folder, struct metrics **out, size_t *count);

#endif
