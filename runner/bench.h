/* bench.h - hlxt bench: an op's shapes, or a model's training step, against the device's own ceilings. */
#ifndef RUNNER_BENCH_H
#define RUNNER_BENCH_H

#include <jansson.h>

#include "core/bench/ceiling.h"
#include "runner/session.h"

struct bench {
	const struct cli_args *args;
	struct session session;
	struct hlx_timer timer;
	struct hlx_ceiling ceiling;
	json_t *out; /* what is measured; --json prints it, a table says the same */
};

/* Opens the device, and measures its ceilings. */
int bench_device(struct bench *);
int bench_op(struct bench *, const char *op, const char *impl);
int bench_model(struct bench *);

/* bench_table.c: time, counts, rates and the share of the ceiling, put into object; work 0: not known. */
void bench_rate(const struct bench *, json_t *object, double seconds, struct hlx_work, const struct hlx_impl *);
void bench_print_device(const struct bench *);
void bench_print_cases(const struct bench *);
void bench_print_model(const struct bench *);

#endif
