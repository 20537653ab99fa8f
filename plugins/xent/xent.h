/* xent.h - what xent.c and its reference share. */
#ifndef XENT_H
#define XENT_H

#include "hlx/math.h"
#include "hlx/plugin.h"

enum { LOGITS, TARGETS, LOSS };

struct xent_attrs {
	int64_t ignore_index;
};

/* Targets are compared as words, so that u32 and i32 need one kernel. */
static inline uint32_t xent_ignore(const struct hlx_node *node)
{
	return (uint32_t)((const struct xent_attrs *)node->attrs)->ignore_index;
}

/* Rows of one sequence: (batch, seq, vocab) has seq of them, (batch, vocab) one. */
static inline uint64_t xent_positions(const struct hlx_node *node)
{
	return hlx_rows(&node->desc[LOGITS]) / node->desc[LOGITS].dim[0];
}

int xent_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int xent_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int xent_ref64(const struct hlx_node *, double *const value[]);

/* xent_bench.c */
extern const char *const xent_bench[];
struct hlx_work xent_work(const struct hlx_node *, bool backward);

#endif
