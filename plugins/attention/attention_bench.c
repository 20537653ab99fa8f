/* attention_bench.c - shapes of the three models and of longer sequences, and what they ask of a device. */
#include "plugins/attention/attention.h"
#include "plugins/work.h"

#define SHAPE(s) "q=" s " k=" s " v=" s " causal=yes scale=0.125"
const char *const attention_bench[] = {
	SHAPE("8x4x128x64"), SHAPE("64x8x256x64"), SHAPE("32x12x512x64"), SHAPE("16x16x1024x64"), SHAPE("8x16x2048x64"),
	SHAPE("4x16x4096x64"), NULL
};

/* Pairs of a query and a key that it sees, of all heads. */
static double pairs(const struct hlx_node *node)
{
	const uint64_t *q = node->desc[Q].dim;
	struct attention_mask mask = attention_mask(node);
	double n = 0;

	for (uint64_t i = 0; i < q[2]; i++) {
		int64_t seen = mask.first + mask.slope * (int64_t)i;
		n += seen > 0 ? (double)seen : 0;
	}
	return n * (double)(q[0] * q[1]);
}

/* Backward makes the scores once more: five products, forward two. */
struct hlx_work attention_work(const struct hlx_node *node, bool backward)
{
	double n = pairs(node), dh = (double)node->desc[Q].dim[3], inputs = 0, rows = (double)hlx_rows(&node->desc[Q]);

	for (unsigned s = Q; s < O; s++)
		inputs += work_count(&node->desc[s]);
	if (!backward)
		return (struct hlx_work){ n * (4 * dh + OPS_MUL + 1 + 1 + OPS_EXP + 1) + rows * (OPS_RCP + dh * (OPS_MUL + OPS_STORE)),
			4 * (inputs + work_count(&node->desc[O])) };
	return (struct hlx_work){ n * (10 * dh + OPS_MUL + 1 + OPS_EXP + 2 + OPS_STORE),
		4 * (inputs + 2 * work_count(&node->desc[O])) + work_grad(node, Q) + work_grad(node, K) + work_grad(node, V) };
}
