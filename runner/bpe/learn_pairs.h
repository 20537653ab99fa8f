/*
 * learn_pairs.h - how often each pair of tokens occurs, while words change.
 *
 *   pair   a table: left, right -> how often, and the words that it is or was in
 *   heap   pairs by count; a count that has gone down since is put right when it comes to the top
 */
#ifndef RUNNER_BPE_LEARN_PAIRS_H
#define RUNNER_BPE_LEARN_PAIRS_H

#include "runner/cli.h"

struct pair {
	uint32_t left, right; /* left == BPE_NONE: an empty place */
	int64_t count;
	uint32_t *word, n, room;
	bool raised; /* to be put into the heap */
};

struct top {
	int64_t count;
	uint32_t left, right;
};

struct pairs {
	struct pair *pair; /* mask + 1 places */
	uint64_t mask, n_pairs;
	struct top *heap;
	uint64_t n_heap, room;
	struct top *raised;
	uint64_t n_raised, raised_room;
};

/* It occurs by times more, or less, in a word. */
int pairs_raise(struct pairs *, uint32_t left, uint32_t right, uint64_t by, uint32_t word);
void pairs_lower(struct pairs *, uint32_t left, uint32_t right, uint64_t by);
/* What was raised may come to the top from now on. */
int pairs_push(struct pairs *);
/* Takes out the pair that occurs most, of equals that of the smaller ids; NULL where none is left.  Valid until a raise. */
struct pair *pairs_pop(struct pairs *);
void pairs_free(struct pairs *);

#endif
