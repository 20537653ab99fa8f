/*
 * tensors.h - a run's file `tensors`: the hash of each tensor after each step, so that a difference has a name.
 *
 *     | {"numerics": 1, "sums": ["embed.x.token", "embed.x.token.m", ...]} \n | record of step 0 | of step 1 | ...
 *     a record: 8 bytes for each name, little-endian, in that order: a parameter, then the optimizer's arrays for it
 *
 * The low and the high words of a record, added up each, are the state hash of the step's line in chain.
 */
#ifndef RUNNER_TENSORS_H
#define RUNNER_TENSORS_H

#include "runner/folder.h"

struct tensors {
	struct journal file;
	char **name;
	size_t count;         /* of names */
	uint64_t head, steps; /* bytes before the records; how many there are, UINT64_MAX where they have no bytes */
};
/* names: count of them. */
int tensors_create(const struct folder *, char *const *names, size_t count, struct tensors *);
/* Goes on behind the record of step; the names must be those of the file. */
int tensors_reopen(const struct folder *, char *const *names, size_t count, uint64_t step, struct tensors *);
/* Once a step, in order: does nothing where the last record is of that step. */
int tensors_append(struct tensors *, uint64_t step, const uint64_t *sums);

/* To read only. */
int tensors_view(const char *folder, struct tensors *);
int tensors_read(const struct tensors *, uint64_t step, uint64_t *sums);
uint64_t tensors_state(const uint64_t *sums, size_t count);
void tensors_close(struct tensors *);

#endif
