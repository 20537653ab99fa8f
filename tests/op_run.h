/* op_run.h - one case on the device against the references on the host, bit for bit. */
#ifndef TESTS_OP_RUN_H
#define TESTS_OP_RUN_H

#include "tests/host_walk.h"
#include "tests/op_case.h"
#include "tests/op_data.h"

struct op_bench {
	struct hlx_registry *registry;
	struct hlx_device *dev;       /* NULL: references only */
	const struct hlx_impl *impl;
	unsigned ran, refused, failed;
};
/* Ends the process with a message where plugins or device cannot be had. */
void op_bench_open(struct op_bench *, bool device);
void op_bench_close(struct op_bench *);

/* Prints what differs and counts it in b->failed. */
void op_complain(struct op_bench *, const struct op_case *, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Inputs, parameters and the result's gradient of a graph, in the walk's memory. */
void op_fill_walk(struct walk *, const struct op_case *, enum family, uint64_t turn);
void op_make_seed(const struct hlx_graph *, const char *path, enum family, uint64_t turn, float **out);

void op_run_case(struct op_bench *, const struct op_case *, enum op_mode, enum family, uint64_t slots);

#endif
