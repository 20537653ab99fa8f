/* verify.h - what the two forms of hlxt verify share. */
#ifndef RUNNER_VERIFY_H
#define RUNNER_VERIFY_H

#include "runner/past.h"
#include "runner/progress.h"

/* Something differs: the message says what, first. */
enum { VERIFY_DIFFERS = -102 };

/* The steps asked for, of those that there are: [*from, *to]. */
int verify_range(const struct cli_args *, uint64_t steps, uint64_t *from, uint64_t *to);
/*
 * The checkpoints of p from step `from` to `to`: each one's files against tensors, its state.json against chain.  *step and
 * *which: the first whose files differ and in what; UINT64_MAX where none does.
 */
int verify_checkpoints(const struct past *p, uint64_t from, uint64_t to, uint64_t *step, struct past_differs *which);
/* " and 7 more hashes", or "". */
const char *verify_more(const struct past_differs *, char out[64]);

int verify_pair(const struct cli_args *);
int verify_replay(const struct cli_args *);

#endif
