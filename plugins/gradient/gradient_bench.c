/* gradient_bench.c - parameters of the three models, and what their sums ask of a device. */
#include "gradient.h"
#include "plugins/work.h"

const char *const slots_bench[] = { "partial=256", "partial=1024x256", "partial=2048x512", "partial=3072x768", NULL };
const char *const norm_bench[] = { "squares=3328 table=53<3329 loss=2", "squares=18944 table=77<18945 loss=2",
	"squares=83968 table=149<83969 loss=2", NULL };

struct hlx_work slots_work(const struct hlx_node *node, bool backward)
{
	const struct slots_attrs *a = node->attrs;
	double n = work_count(&node->desc[OUT]), runs = work_runs(node, PARTIAL) / 4;

	(void)backward;
	return (struct hlx_work){ runs - n + (a->first ? 0 : n) + (a->last ? n * (OPS_STORE + OPS_MUL + 1) : 0),
		4 * (runs + n + (a->first ? 0 : n) + (a->last ? n / GRADIENT_BLOCK : 0)) };
}

struct hlx_work norm_work(const struct hlx_node *node, bool backward)
{
	double n = work_count(&node->desc[NORM_SQUARES]), tensors = work_count(&node->desc[NORM_TABLE]);

	(void)backward;
	return (struct hlx_work){ n + tensors + OPS_SQRT + 2 * OPS_DIV, 4 * (n + tensors) };
}
