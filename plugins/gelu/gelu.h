/* gelu.h - what gelu.c and its reference share. */
#ifndef GELU_H
#define GELU_H

#include "hlx/plugin.h"

enum { X, Y };

int gelu_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int gelu_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int gelu_ref64(const struct hlx_node *, double *const value[]);

/* gelu_bench.c */
extern const char *const gelu_bench[];
struct hlx_work gelu_work(const struct hlx_node *, bool backward);

#endif
