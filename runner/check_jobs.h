/*
 * check_jobs.h - the rows of hlxt check, each in a process of its own, as many at a time as there are processors (8 at most).
 *
 * A process opens the device by itself, so this one must not have: what a driver keeps does not survive a fork.  A kernel or
 * a driver that ends its process fails its row alone.
 */
#ifndef RUNNER_CHECK_JOBS_H
#define RUNNER_CHECK_JOBS_H

#include "core/check/suite.h"

#include <sys/types.h>

struct check_result {
	int status;                     /* negative: nothing could be checked, for the reason in message */
	char message[512], device[768]; /* device: its name and driver's */
	struct hlx_suite_row row;
};

struct check_job {
	const struct hlx_op *op;
	const struct hlx_impl *impl; /* NULL: the op's reference */
	struct check_result result;
	pid_t pid; /* 0: it does not run */
	int fd;
	size_t got; /* bytes of result */
	bool done;
};

/* work: in the job's process; fills the result.  take: in this one, in the order of the jobs; negative ends it all. */
int check_jobs_run(struct check_job *, size_t n, void (*work)(void *ctx, struct check_job *),
		int (*take)(void *ctx, const struct check_job *), void *ctx);

#endif
