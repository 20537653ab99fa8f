/*
 * chain.h - a run's chain: "numerics = 1", or "numerics = 1 device", then a line for each step from 0 on.
 *
 *     7 40b1f2c3 0123456789abcdef fedcba9876543210      step, bits of the loss, state hash, chained hash
 *
 * The chained hash of a line takes in the line's other three numbers and the chained hash before it.
 */
#ifndef RUNNER_CHAIN_H
#define RUNNER_CHAIN_H

#include "runner/folder.h"

#define NUMERICS 1 /* raised whenever a definition changes */

struct chain {
	struct journal file;
	uint64_t steps, hash; /* how many lines, the last one's chained hash */
	bool device;          /* [numerics] mode = device, now or before: the hashes are one device's own */
};
int chain_create(const struct folder *, struct chain *);
/* HLX_EIO where the chain does not reach step, or that line's chained hash is another one. */
int chain_check(const char *folder, uint64_t step, uint64_t hash);
/* Goes on behind the line of step: checks what is before, cuts off what is after; says device where c does. */
int chain_reopen(const struct folder *, uint64_t step, struct chain *);
/* Once a step, in order: does nothing where the last line is of that step. */
int chain_append(struct chain *, uint64_t step, uint32_t loss_bits, uint64_t state);

/* To read only. */
struct chain_line {
	uint32_t loss_bits;
	uint64_t state, hash;
};
/* Every whole line, checked, by step; *out is new. */
int chain_read(const char *folder, struct chain_line **out, uint64_t *steps);

#endif
