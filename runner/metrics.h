/* metrics.h - metrics.jsonl, an object a step; chain, a line a checkpoint: step, loss bits, state hash, chained hash. */
#ifndef RUNNER_METRICS_H
#define RUNNER_METRICS_H

#include "runner/folder.h"

struct metrics {
	uint64_t step;
	float loss, lr, grad_norm;
	double ms, tokens_per_s;
	bool has_valid, has_hash;
	float valid_loss;
	uint64_t hash;
};

int metrics_append(struct journal *, const struct metrics *);
/* Cuts what comes after step, and a last line that is not whole. */
int metrics_cut(struct journal *, uint64_t step);

/* Which steps have a line in chain: 0, each every-th (0: none), and the last. */
struct chain {
	struct journal file;
	uint64_t every, last;
	uint64_t end, hash; /* step and chained hash of the last line; UINT64_MAX: none */
	bool device;        /* [numerics] mode = device, now or before: the hashes are one device's own */
};
bool chain_has(const struct chain *, uint64_t step);
/* A new one: "numerics = 1", or "numerics = 1 device". */
int chain_create(const struct folder *, struct chain *);
/* Reads it back up to step, checks each line, and drops those that a run of every and last has not. */
int chain_reopen(const struct folder *, uint64_t step, struct chain *);
/* Once a step: does nothing where the last line is of that step. */
int chain_append(struct chain *, uint64_t step, uint32_t loss_bits, uint64_t state);

#endif
