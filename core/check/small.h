/* check/small.h - a node of a program as a case of its op, with long dims made short. */
#ifndef HLX_CHECK_SMALL_H
#define HLX_CHECK_SMALL_H

#include "core/program.h"

/*
 * Dims above limit become limit + d % limit (or limit), so that equal ones stay equal and what limit divides is divided as
 * before: most kernels choose by that.  So do whole attributes that equal a dim.  False: it has no case, or room is too
 * little.
 */
bool hlx_small_case(const struct hlx_prog_node *, uint64_t limit, char *text, size_t room);

#endif
