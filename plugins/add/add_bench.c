/* add_bench.c - shapes of the three models, and what they ask of a device. */
#include "plugins/add/add.h"
#include "plugins/work.h"

const char *const add_bench[] = { "a=8x128x256 b=8x128x256", "a=64x128x256 b=64x128x256", "a=8x256x512 b=8x256x512",
	"a=64x256x512 b=64x256x512", "a=8x512x768 b=8x512x768", "a=32x512x768 b=32x512x768", NULL };

struct hlx_work add_work(const struct hlx_node *node, bool backward)
{
	double n = work_count(&node->desc[Y]);
	struct hlx_work w = { n * (1 + OPS_STORE), 12 * n };

	if (backward)
		w = (struct hlx_work){ 0, 4 * n };
	for (int s = A; s <= B && backward; s++)
		if (work_wants(node, s)) {
			w.ops += node->accum >> s & 1 ? n * (1 + OPS_STORE) : 0;
			w.bytes += work_grad(node, s);
		}
	return w;
}
