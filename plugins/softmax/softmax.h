/* softmax.h - what softmax.c and its reference share. */
#ifndef SOFTMAX_H
#define SOFTMAX_H

#include "hlx/math.h"
#include "hlx/plugin.h"

enum { X, Y };

struct softmax_attrs {
	double scale;
	int32_t causal;
};

static inline float softmax_scale(const struct hlx_node *node)
{
	return hlx_store((float)((const struct softmax_attrs *)node->attrs)->scale); /* it is a factor: no denormal */
}

/* T of the causal mask: rows come in runs of T queries; the first query of a run sees `first` columns (which may be
 * negative), each further one a column more.  Without a mask, T is 1 and every query sees all. */
struct softmax_mask {
	uint64_t t;
	int64_t first;
};

static inline struct softmax_mask softmax_mask(const struct hlx_node *node)
{
	const struct hlx_desc *x = &node->desc[X];
	int64_t cols = (int64_t)hlx_cols(x);
	if (!((const struct softmax_attrs *)node->attrs)->causal)
		return (struct softmax_mask){ 1, cols };
	return (struct softmax_mask){ x->dim[x->rank - 2], cols - (int64_t)x->dim[x->rank - 2] + 1 };
}

int softmax_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int softmax_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int softmax_ref64(const struct hlx_node *, double *const value[]);

/* softmax_bench.c */
extern const char *const softmax_bench[];
struct hlx_work softmax_work(const struct hlx_node *, bool backward);

#endif
