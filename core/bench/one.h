/* bench/one.h - one op, one shape, one implementation: what each of its passes takes. */
#ifndef HLX_BENCH_ONE_H
#define HLX_BENCH_ONE_H

#include "core/bench/timer.h"
#include "core/check/case.h"

#define HLX_BENCH_PASSES (2 + HLX_MAX_SLOTS)

struct hlx_bench_pass {
	char name[48];    /* "forward"; "backward", and "backward a", "backward weight, bias" where there is more than one part */
	bool backward;
	uint64_t grads;
	uint32_t dispatches;
	double seconds;
	struct hlx_work work; /* 0: the op does not say */
};
/* Fills pass[0 ... *n).  HLX_ENOTSUP, with the reason: the implementation does not take this case on this device. */
int hlx_bench_one(struct hlx_timer *, struct hlx_registry *, const struct hlx_check_case *, const struct hlx_impl *,
		struct hlx_bench_pass pass[HLX_BENCH_PASSES], uint32_t *n);
/* What the forward and the whole backward pass of a case ask for, without a device. */
int hlx_bench_work(struct hlx_registry *, const struct hlx_check_case *, struct hlx_work *out);

struct hlx_work hlx_bench_node_work(const struct hlx_op *, const struct hlx_node *, bool backward);

#endif
