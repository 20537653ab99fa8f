/* heads.h - what heads.c and its references share. */
#ifndef HEADS_H
#define HEADS_H

#include "hlx/plugin.h"

enum { X, Y };

struct heads_attrs {
	int64_t part, parts, num_heads;
};

int heads_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int heads_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int heads_ref64(const struct hlx_node *, double *const value[]);
int unheads_ref64(const struct hlx_node *, double *const value[]);

#endif
