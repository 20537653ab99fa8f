/* layernorm_bench.c - shapes of the three models, and what they ask of a device. */
#include "plugins/layernorm/layernorm.h"
#include "plugins/work.h"

const char *const layernorm_bench[] = { "x=8x128x256", "x=64x128x256", "x=8x256x512", "x=64x256x512", "x=8x512x768",
	"x=32x512x768", NULL };

/* The definition; mean and rstd are known to the backward pass, so that it starts from xhat. */
struct hlx_work layernorm_work(const struct hlx_node *node, bool backward)
{
	double n = work_count(&node->desc[X]), d = work_count(&node->desc[GAMMA]), rows = n / d;
	double xhat = 1 + OPS_MUL;
	struct hlx_work w = { n * (1 + OPS_MUL + 1) + rows * (3 * OPS_MUL + 4 + OPS_RSQRT) +
		n * (xhat + OPS_MUL + 1 + OPS_STORE), 4 * (2 * n + 2 * d) };

	if (!backward)
		return w;
	w = (struct hlx_work){ n * xhat, 8 * n }; /* x and dy */
	if (work_wants(node, X)) {
		w.ops += n * (2 * OPS_MUL + 2) + rows * 2 * OPS_MUL + n * (2 * OPS_MUL + 2 + OPS_STORE);
		w.bytes += work_grad(node, X) + 4 * d;
	}
	if (work_wants(node, GAMMA)) {
		w.ops += n * (OPS_MUL + 1);
		w.bytes += work_runs(node, GAMMA);
	}
	if (work_wants(node, BETA)) {
		w.ops += n;
		w.bytes += work_runs(node, BETA);
	}
	return w;
}
