/* layernorm.h - what layernorm.c and its reference share. */
#ifndef LAYERNORM_H
#define LAYERNORM_H

#include "hlx/math.h"
#include "hlx/plugin.h"

enum { X, GAMMA, BETA, Y };

struct layernorm_attrs {
	double eps;
};

/* Rows of one sequence: (batch, seq, d) has seq of them, (batch, d) one. */
static inline uint64_t layernorm_positions(const struct hlx_node *node)
{
	return hlx_rows(&node->desc[X]) / node->desc[X].dim[0];
}

/* 1/d as every implementation uses it. */
static inline float layernorm_inv(const struct hlx_node *node)
{
	return hlx_div(1.0f, (float)hlx_cols(&node->desc[X]));
}

static inline float layernorm_eps(const struct hlx_node *node)
{
	return (float)((const struct layernorm_attrs *)node->attrs)->eps;
}

int layernorm_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int layernorm_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int layernorm_ref64(const struct hlx_node *, double *const value[]);

/* layernorm_bench.c */
extern const char *const layernorm_bench[];
struct hlx_work layernorm_work(const struct hlx_node *, bool backward);

#endif
