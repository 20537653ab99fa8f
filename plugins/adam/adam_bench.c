/* adam_bench.c - the three models' parameters, and what they ask of a device. */
#include "plugins/adam/adam.h"
#include "plugins/work.h"

const char *const adam_bench[] = {
	"param=3323392 grad=3323392 flags=51928<2 loss=2 norm=2 weight_decay=0.1 grad_clip=1",
	"param=19308544 grad=19308544 flags=301696<2 loss=2 norm=2 weight_decay=0.1 grad_clip=1",
	"param=85842432 grad=85842432 flags=1341288<2 loss=2 norm=2 weight_decay=0.1 grad_clip=1", NULL
};

/* param, m and v are read and written, grad is read. */
struct hlx_work adam_work(const struct hlx_node *node, bool backward)
{
	const double gradient = 5, average = 1 + OPS_MUL + 1 + OPS_STORE, update = 2 + OPS_SQRT + 1 + OPS_DIV;
	double n = work_count(&node->desc[PARAM]);

	(void)backward;
	return (struct hlx_work){ n * (gradient + OPS_MUL + 2 * average + update + 2 + OPS_MUL + 1 + OPS_STORE),
		28 * n + 4 * work_count(&node->desc[FLAGS]) };
}
