/* gelu_bench.c - shapes of the three models, and what they ask of a device. */
#include "plugins/gelu/gelu.h"
#include "plugins/work.h"

const char *const gelu_bench[] = { "x=8x128x1024", "x=64x128x1024", "x=8x256x2048", "x=64x256x2048", "x=8x512x3072",
	"x=32x512x3072", NULL };

/* gelu_math.h, counted: both clamp, take w, e and 1 / (1 + e). */
struct hlx_work gelu_work(const struct hlx_node *node, bool backward)
{
	const double shared = 4 + 3 * OPS_MUL + 1 + 1 + OPS_EXP + 1 + OPS_DIV_CORE;
	double n = work_count(&node->desc[X]);

	if (!backward)
		return (struct hlx_work){ n * (shared + 3 + OPS_MUL + OPS_STORE), 8 * n };
	return (struct hlx_work){ n * (shared + 2 + 4 * OPS_MUL + 4 + OPS_STORE), 8 * n + work_grad(node, X) };
}
