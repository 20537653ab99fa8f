/* hash.h - what the files of the hash plugin share. */
#ifndef HASH_H
#define HASH_H

#include "hlx/plugin.h"

#define HASH_ARRAYS 8 /* the parameters and 7 states; the first slots */
enum { HASH_BLOCKS = HASH_ARRAYS, HASH_KEYS, HASH_SUMS };

int hash_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step);

extern const char *const hash_bench[];
struct hlx_work hash_work(const struct hlx_node *, bool backward);

/* How many of the array slots are there. */
static inline uint32_t hash_arrays(const struct hlx_node *node)
{
	uint32_t n = 0;

	while (n < HASH_ARRAYS && node->desc[n].rank)
		n++;
	return n;
}

#endif
