/* check/kernel.h - what the self-test counts as one kernel: a pipeline, and whose work it does besides its node's. */
#ifndef HLX_CHECK_KERNEL_H
#define HLX_CHECK_KERNEL_H

#include "core/check/case.h"
#include "core/program/program.h"

struct hlx_kernel {
	const struct hlx_pipeline *pipeline; /* NULL: what is done on the host */
	struct hlx_check_next next;          /* the neighbour whose work it does, or no op */
	enum hlx_check_mode mode;            /* that makes it do so */
};
/* False: the step computes nothing. */
bool hlx_kernel_of(const struct hlx_program *, const struct hlx_prog_step *, struct hlx_kernel *out);
bool hlx_kernel_is_same(const struct hlx_kernel *, const struct hlx_kernel *);
/* Of its verdict: base is hlx_verdict_base()'s. */
uint64_t hlx_kernel_key(uint64_t base, const struct hlx_kernel *);

#endif
