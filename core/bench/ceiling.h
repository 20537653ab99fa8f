/* bench/ceiling.h - what a device can do at best: copying, and plain arithmetic. */
#ifndef HLX_BENCH_CEILING_H
#define HLX_BENCH_CEILING_H

#include "core/bench/timer.h"

struct hlx_ceiling {
	double copy;   /* bytes/s, read and written: the faster of a kernel and vkCmdCopyBuffer, far beyond any cache */
	double muladd; /* operations/s of a * b + c rounded twice: what portable kernels may use */
	double fma;    /* operations/s, two for each fma() */
};
int hlx_ceiling_measure(struct hlx_timer *, struct hlx_ceiling *out);

/* The share of the ceilings that work in so many seconds makes: the larger of copying's and arithmetic's, which *copies
 * tells.  portable: arithmetic is mul + add. */
double hlx_ceiling_share(const struct hlx_ceiling *, struct hlx_work, double seconds, bool portable, bool *copies);

#endif
