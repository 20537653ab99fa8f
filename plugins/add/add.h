/* add.h - what add.c and its reference share. */
#ifndef ADD_H
#define ADD_H

#include "hlx/plugin.h"

enum { A, B, Y };

int add_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int add_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int add_ref64(const struct hlx_node *, double *const value[]);

/* add_bench.c */
extern const char *const add_bench[];
struct hlx_work add_work(const struct hlx_node *, bool backward);

#endif
