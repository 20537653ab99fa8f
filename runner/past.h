/*
 * past.h - what a run has left behind, read and never written: chain, tensors, checkpoints; and where two states differ.
 */
#ifndef RUNNER_PAST_H
#define RUNNER_PAST_H

#include "runner/checkpoint.h"
#include "runner/tensors.h"

struct past {
	const char *path;
	struct chain_line *line; /* by step; each chained hash is right */
	uint64_t steps;          /* of chain: one more than the last step */
	struct tensors tensors;
	uint64_t *checkpoint;    /* steps, ascending */
	size_t n_checkpoints;
};
/* HLX_EIO for what is missing or damaged. */
int past_open(const char *path, struct past *out);
void past_close(struct past *);
bool past_has_checkpoint(const struct past *, uint64_t step);
/* The hashes of a step, by tensors' names; HLX_EIO where they do not add up to what chain says. */
int past_sums(const struct past *, uint64_t step, uint64_t *sums);
/* Every step's in [from, to]. */
int past_check(const struct past *, uint64_t from, uint64_t to);
/* The hashes of a checkpoint's files, in the same order. */
int past_checkpoint_sums(const struct past *, uint64_t step, uint64_t *sums);
/* One array of a checkpoint; *out is new. */
int past_array(const struct past *, uint64_t step, const char *name, uint32_t **out, uint64_t *count);

/* Two lists of hashes. */
struct past_differs {
	size_t first, count; /* the first that differs, how many; count 0: none */
};
struct past_differs past_compare(const uint64_t *a, const uint64_t *b, size_t n);
/* "3 of 4096 elements differ, the first is [17]: 3d000000 in_a, 3d000001 in_b". */
void past_describe(const uint32_t *a, const char *in_a, const uint32_t *b, const char *in_b, uint64_t count, char *out,
		size_t room);

#endif
