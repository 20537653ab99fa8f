/* xent_bench.c - shapes of the three models, and what they ask of a device. */
#include "plugins/work.h"
#include "plugins/xent/xent.h"

const char *const xent_bench[] = { "logits=8x128x256 targets=8x128<256", "logits=64x128x256 targets=64x128<256",
	"logits=8x256x256 targets=8x256<256", "logits=64x256x256 targets=64x256<256",
	"logits=8x512x256 targets=8x512<256", "logits=32x512x256 targets=32x512<256",
	"logits=4x256x50257 targets=4x256<50257", NULL };

/* Each pass finds the maximum and the sum; the backward one could have them from before, which saves operations, no bytes. */
struct hlx_work xent_work(const struct hlx_node *node, bool backward)
{
	double n = work_count(&node->desc[LOGITS]), rows = (double)hlx_rows(&node->desc[LOGITS]);

	if (!backward)
		return (struct hlx_work){ n * (2 + 1 + OPS_EXP + 1) + rows * (OPS_LOG + 2 + OPS_STORE + 1), 4 * (n + rows) };
	return (struct hlx_work){ n * (1 + OPS_EXP + OPS_MUL + 3 + OPS_STORE) + rows * OPS_RCP,
		4 * (n + rows) + work_grad(node, LOGITS) };
}
