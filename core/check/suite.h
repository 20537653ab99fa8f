/*
 * check/suite.h - all that an implementation, and the reference of an op, are held to: what hlxt check runs.
 *
 * Threads: [main].
 */
#ifndef HLX_CHECK_SUITE_H
#define HLX_CHECK_SUITE_H

#include "core/check/run.h"

struct hlx_suite_options {
	struct hlx_registry *registry;
	struct hlx_device *dev;
	bool quick;    /* fewer sizes and kinds of values */
	uint64_t seed; /* of values and of generated sizes */
};

struct hlx_verdict {
	unsigned ran, failed; /* ran 0: not asked, or not judged, as an earlier check failed */
	char first[768];      /* the first failure: case, shape, slot, element, both bit patterns */
};

struct hlx_suite_row {
	const struct hlx_op *op;
	const struct hlx_impl *impl;   /* NULL: the op's reference */
	unsigned cases, refused;       /* that ran, generated ones included; runs that it does not support */
	bool reference;                /* the op has one */
	double far, far_reference;     /* device tier: its and the reference's results from ref64's, of a tensor's largest magnitude */
	struct hlx_verdict check[HLX_CHECK_COUNT];
};

/* Negative only where nothing could be checked (memory, a lost device); what fails is in the row. */
int hlx_suite_impl(const struct hlx_suite_options *, const struct hlx_op *, const struct hlx_impl *, struct hlx_suite_row *);
int hlx_suite_reference(const struct hlx_suite_options *, const struct hlx_op *, struct hlx_suite_row *);
bool hlx_suite_failed(const struct hlx_suite_row *);

#endif
