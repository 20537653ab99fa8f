/* dropout_bench.c - the residual stream of the three models and an attention's probabilities, and what they ask of a device. */
#include "plugins/dropout/dropout.h"
#include "plugins/work.h"

const char *const dropout_bench[] = { "x=8x128x256", "x=64x128x256", "x=8x256x512", "x=64x256x512", "x=8x512x768",
	"x=32x512x768", "x=8x12x512x512", NULL };

/* Ten rounds of 2 high and 2 low products, 4 xor and 2 sums of the key, and the place, make four words. */
struct hlx_work dropout_work(const struct hlx_node *node, bool backward)
{
	const double word = (10 * 10 + 6) / 4.0, each = word + 1 + 1 + OPS_STORE + 1;
	double n = node->desc[Y].view_of ? 0 : work_count(&node->desc[X]);

	if (!backward)
		return (struct hlx_work){ n * each, 8 * n };
	return (struct hlx_work){ n * each, n > 0 ? 4 * n + work_grad(node, X) : 0 };
}
