/* dropout.h - what dropout.c and its reference share. */
#ifndef DROPOUT_H
#define DROPOUT_H

#include "hlx/plugin.h"

enum { X, Y };

struct dropout_attrs {
	double p;
};

/* As the kernels' uniform block has them.  A word below threshold drops its element; without training none is. */
struct dropout_scalars {
	uint32_t key[2], threshold;
	float scale;
	uint32_t per_seq, inverse; /* elements of a sequence; (2^32 - 1) over that, rounded down */
};

struct dropout_scalars dropout_scalars(const struct hlx_node *, const struct hlx_step *);
int dropout_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int dropout_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int dropout_ref64(const struct hlx_node *, double *const value[]);

/* dropout_bench.c */
extern const char *const dropout_bench[];
struct hlx_work dropout_work(const struct hlx_node *, bool backward);

#endif
