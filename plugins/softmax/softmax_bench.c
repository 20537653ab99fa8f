/* softmax_bench.c - shapes of the three models, and what they ask of a device. */
#include "plugins/softmax/softmax.h"
#include "plugins/work.h"

const char *const softmax_bench[] = {
	"x=8x4x128x128 causal=yes scale=0.125", "x=64x4x128x128 causal=yes scale=0.125",
	"x=8x8x256x256 causal=yes scale=0.125", "x=64x8x256x256 causal=yes scale=0.125",
	"x=8x12x512x512 causal=yes scale=0.125", "x=32x12x512x512 causal=yes scale=0.125", "x=8x12x512x512", NULL
};

/* How many columns all rows see together: only those are read, and all written. */
static double seen(const struct hlx_node *node)
{
	struct softmax_mask mask = softmax_mask(node);
	double rows = (double)hlx_rows(&node->desc[X]), n = 0;

	for (uint64_t i = 0; i < mask.t; i++)
		n += mask.first + (int64_t)i > 0 ? (double)(mask.first + (int64_t)i) : 0;
	return n * rows / (double)mask.t;
}

struct hlx_work softmax_work(const struct hlx_node *node, bool backward)
{
	double all = work_count(&node->desc[X]), n = seen(node), rows = (double)hlx_rows(&node->desc[X]);

	if (!backward)
		return (struct hlx_work){ n * (OPS_MUL + 2 + 1 + OPS_EXP + 1 + OPS_MUL + OPS_STORE) + rows * OPS_RCP,
			4 * (n + all) };
	return (struct hlx_work){ n * (OPS_MUL + 1 + 1 + 2 * OPS_MUL + OPS_STORE), 8 * n + work_grad(node, X) };
}
