/*
 * work.h - operations of what hlx/math.h defines, for struct hlx_work: float and integer operations, comparisons and
 * selections, one each, as they are written there.
 */
#ifndef WORK_H
#define WORK_H

#include "hlx/plugin.h"

#define OPS_STORE 3.0 /* and, compare, select */
#define OPS_MUL 4.0   /* the product, and the same */
#define OPS_DIV_CORE 18.0
#define OPS_RCP 35.0
#define OPS_DIV 51.0
#define OPS_RSQRT 24.0
#define OPS_SQRT 32.0
#define OPS_EXP 31.0
#define OPS_LOG 46.0

static inline double work_count(const struct hlx_desc *d)
{
	return (double)hlx_numel(d);
}

/* Bytes of a parameter's partial sums: S runs, stored. */
static inline double work_runs(const struct hlx_node *node, int slot)
{
	return 4.0 * (double)node->slots * work_count(&node->desc[slot]);
}

static inline bool work_wants(const struct hlx_node *node, int slot)
{
	return node->grads >> slot & 1;
}

/* Bytes of storing slot's gradient; twice, where there is one to add to. */
static inline double work_grad(const struct hlx_node *node, int slot)
{
	return 4.0 * work_count(&node->desc[slot]) * (node->accum >> slot & 1 ? 2 : 1);
}

#endif
