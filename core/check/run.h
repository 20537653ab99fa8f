/* check/run.h - what is checked, who is told; and one case in a graph on the device against the references on the host. */
#ifndef HLX_CHECK_RUN_H
#define HLX_CHECK_RUN_H

#include "core/check/case.h"
#include "core/check/data.h"
#include "core/check/walk.h"

struct hlx_program;

/* In the order in which they are judged.  The last three are the reference's own; it has WRITTEN and STORE too. */
enum hlx_check_id {
	HLX_CHECK_LINT,      /* portable: kernels hold what lint.h allows */
	HLX_CHECK_BUILD,     /* it prepares, records and runs */
	HLX_CHECK_AGAIN,     /* the same values give the same bits */
	HLX_CHECK_WRITTEN,   /* no element is left as it was */
	HLX_CHECK_STRAY,     /* and nothing else is written: guards, gaps, inputs, gradients nobody wants */
	HLX_CHECK_STORE,     /* memory holds neither -0 nor anything between 0 and 2^-50 */
	HLX_CHECK_BITS,      /* portable: the reference's bits; device: near them */
	HLX_CHECK_ACCUM,     /* added to what is there, where that is asked for */
	HLX_CHECK_SLOTS,     /* partial sums of several batch slots */
	HLX_CHECK_STRIDES,   /* tensors that are not dense, or start elsewhere */
	HLX_CHECK_WIRED,     /* in graphs: neighbours, tied parameters, one tensor for two inputs, views */
	HLX_CHECK_FUSED,     /* neighbours' work that it does itself: the bits of both, apart */
	HLX_CHECK_WINDOWS,   /* tensors that no binding sees whole */
	HLX_CHECK_LOOPS,     /* dims beyond 65,535 */
	HLX_CHECK_DENORMALS, /* the reference's bits do not depend on flush-to-zero */
	HLX_CHECK_DOUBLE,    /* it computes what ref64 does */
	HLX_CHECK_GRADIENT,  /* and its gradient is ref64's */
	HLX_CHECK_COUNT
};
extern const char *const hlx_check_name[HLX_CHECK_COUNT];

struct hlx_check {
	struct hlx_registry *registry;
	struct hlx_device *dev;       /* NULL: references only */
	const struct hlx_impl *impl;
	uint64_t seed;                /* of the values */
	unsigned ran, refused, failed; /* refused: of runs that the implementation does not support */
	double far, far_reference;    /* device tier: its and the reference's results from ref64's, of a tensor's largest magnitude */
	bool strange;                 /* the case is generated: that it cannot be run is no failure */
	int status;                   /* of the last run: negative where it could not be made */
	void (*complain)(void *ctx, enum hlx_check_id, const char *line); /* a line for each difference; may be NULL */
	/* Asked when a program of one node, or of one and a neighbour, has been recorded, and not yet built: false leaves it.
	 * May be NULL. */
	bool (*wanted)(void *ctx, const struct hlx_program *);
	void *ctx;
};
/* Says what differs and counts it in failed. */
void hlx_check_complain(struct hlx_check *, enum hlx_check_id, const struct hlx_check_case *, const char *what,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

bool hlx_check_slotted(const struct hlx_op *); /* has it partial sums among its slots? */
/* Does a status say that this is not to be done here, for a reason of shapes, attributes or the device? */
bool hlx_check_refusal(int status);
/* Counts it, where the implementation does not support this node here. */
bool hlx_check_refuses(struct hlx_check *, const struct hlx_node *);

/* Inputs, parameters and the result's gradient of a graph, in the walk's memory. */
void hlx_check_fill_walk(struct hlx_walk *, const struct hlx_check_case *, enum hlx_family, uint64_t turn);
int hlx_check_make_seed(const struct hlx_graph *, const char *path, enum hlx_family, uint64_t turn, float **out);

/* With the case's next: where the two are fused, else it is no run. */
void hlx_check_run_case(struct hlx_check *, const struct hlx_check_case *, enum hlx_check_mode, enum hlx_family,
		uint64_t slots);

#endif
