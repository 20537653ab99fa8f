/*
 * check/vary.h - further cases from an op's own: other sizes, other attributes.
 *
 * Dims that are equal stay equal, and so do whole attributes and bounds of integers that equal a dim: what the author's case
 * obeys, most of its variants obey too.  infer() refuses the others.
 */
#ifndef HLX_CHECK_VARY_H
#define HLX_CHECK_VARY_H

#include "core/check/case.h"

#define HLX_VARY_TEXT 256u

/* text: room for HLX_VARY_TEXT bytes.  False: there is no such variant. */
/* Each dim above 1 another one, mostly odd, and at most `most` elements an input: pure in (case, seed). */
bool hlx_vary_sizes(const struct hlx_check_case *, uint64_t seed, uint64_t most, char *text);
/* The attribute number `which` (of those that equal no dim) at its `turn`-th other value. */
bool hlx_vary_attr(const struct hlx_check_case *, uint32_t which, uint32_t turn, char *text);
/* One dim (the which-th different one) is `to`; the others as they are, at most 3, where above 16 64, or at most 3 together. */
enum hlx_vary_others { HLX_VARY_SAME, HLX_VARY_FEW, HLX_VARY_ROUND, HLX_VARY_LEAST };
bool hlx_vary_dim(const struct hlx_check_case *, uint32_t which, uint64_t to, enum hlx_vary_others, char *text);
uint32_t hlx_vary_dims(const struct hlx_check_case *, uint64_t out[HLX_MAX_SLOTS * HLX_MAX_RANK]);
/* The terms that a sum over any of the dims has: the product of the different ones. */
double hlx_vary_work(const struct hlx_check_case *);

#endif
