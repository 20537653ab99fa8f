/* layernorm_rows.h - what the two halves of the implementations share: the forward pass, and layernorm_grad.c. */
#ifndef LAYERNORM_ROWS_H
#define LAYERNORM_ROWS_H

#include "plugins/layernorm/layernorm.h"
#include "plugins/rows.h"

struct plan {
	struct hlx_pipeline *forward, *terms, *params;
	struct hlx_pipeline *sums;          /* both of params at once, or NULL */
	uint32_t terms_lanes, params_lanes; /* of their workgroups */
	enum rows_build build;
	struct rows_grid grid; /* of forward and backward */
	uint64_t blocks;       /* of 32 positions, in a sequence */
	uint32_t block_lanes;  /* of a workgroup of layernorm_block; 0: dx and the terms by kernels of their own */
	uint64_t blocks_here;  /* that a dispatch of terms does */
};

/* Mean and rstd of n rows. */
static inline struct hlx_arg stats_window(const struct hlx_node *node, uint64_t row, uint64_t n)
{
	return (struct hlx_arg){ 0, node->train ? HLX_SAVED : HLX_WORK, HLX_SSBO, 8 * row, 8 * n };
}

/* For training: fills plan and node->work_bytes. */
int layernorm_prepare_grad(const struct hlx_host *, struct hlx_node *, struct plan *);
int layernorm_backward(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *);

#endif
