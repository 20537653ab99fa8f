/* check/small.h - a node of a program as a case of its op, with long dims made short. */
#ifndef HLX_CHECK_SMALL_H
#define HLX_CHECK_SMALL_H

#include "core/program/program.h"

/*
 * Dims above limit become limit + d % limit (or limit), so that equal ones stay equal and what limit divides is divided as
 * before: most kernels choose by that, others by how many workgroups there are to do.  So the dims that equal tiny (0: none)
 * become 16 + d % 16 (or 16): a product with two long sides and a short sum is cheap.  Whole attributes that equal a dim
 * go with it.
 */
struct hlx_small {
	uint64_t limit, tiny;
	char text[256];
	double work; /* about how many terms the reference adds up: the product of the different dims */
};
#define HLX_SMALL_TINY 16u
/* text and work from limit and tiny.  False: it has no case, or none that fits. */
bool hlx_small_case(const struct hlx_prog_node *, struct hlx_small *);
/* The different dims above HLX_SMALL_TINY of all slots; how many there are. */
uint32_t hlx_small_dims(const struct hlx_prog_node *, uint64_t out[HLX_MAX_SLOTS * HLX_MAX_RANK]);

#endif
