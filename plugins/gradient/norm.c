/*
 * norm.c - the norm of the mean gradient, from the sums of squares of each tensor's blocks.
 *
 * squares: (blocks)   table: (tensors + 1), the first block of each tensor and the end   loss: (2) sum, count
 * norm: (2) norm, sum of squares   work: (tensors) sums
 */
#include "gradient.h"

#include <stdlib.h>

#include "plugins/rows.h"

#include "norm_tensors.spv.h"
#include "norm_total.spv.h"

/* 32 blocks a turn: a tensor with all of them, and the chain over tensors, stay below 65,535 turns. */
#define MAX_TERMS 2000000u

static const struct hlx_slot slots[] = {
	[NORM_SQUARES] = { "squares", HLX_IN, 0 },
	[NORM_TABLE] = { "table", HLX_IN, HLX_NOGRAD },
	[NORM_LOSS] = { "loss", HLX_IN, 0 },
	[NORM_OUT] = { "norm", HLX_OUT, 0 },
	{ NULL, 0, 0 }
};

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *table = &node->desc[NORM_TABLE], *loss = &node->desc[NORM_LOSS];

	if (node->desc[NORM_SQUARES].dtype != HLX_F32 || loss->dtype != HLX_F32 || table->dtype != HLX_U32)
		return host->fail(host, HLX_EDTYPE, "squares and loss are not of floats, or table not of u32");
	if (table->rank != 1 || node->desc[NORM_SQUARES].rank != 1)
		return host->fail(host, HLX_ESHAPE,
				"squares have %u dims and table %u, want 1", node->desc[NORM_SQUARES].rank,
				  table->rank);
	if (hlx_numel(loss) != 2)
		return host->fail(host, HLX_ESHAPE,
				"loss has %llu elements, want 2: sum and count", ROWS_ULL(hlx_numel(loss)));
	node->desc[NORM_OUT] = (struct hlx_desc){ .dtype = HLX_F32, .rank = 1, .dim = { 2 }, .stride = { 1 } };
	return 0;
}

static const struct hlx_shader tensors_shader = ROWS_SHADER(norm_tensors, 0);
static const struct hlx_shader total_shader = ROWS_SHADER(norm_total, 0);

struct plan {
	struct hlx_pipeline *tensors, *total;
};

static uint64_t tensors(const struct hlx_node *node)
{
	return hlx_numel(&node->desc[NORM_TABLE]) - 1;
}

static int prepare(const struct hlx_host *host, struct hlx_node *node)
{
	uint64_t blocks = hlx_numel(&node->desc[NORM_SQUARES]);
	struct plan *plan = calloc(1, sizeof *plan);
	int rc;

	node->priv = plan;
	if (!plan)
		return host->fail(host, HLX_ENOMEM, "out of memory");
	if (blocks > MAX_TERMS || tensors(node) > MAX_TERMS)
		return host->fail(host, HLX_ENOTSUP, "%llu blocks of %llu tensors, want at most %u", ROWS_ULL(blocks),
				  ROWS_ULL(tensors(node)), MAX_TERMS);
	for (int slot = NORM_SQUARES; slot <= NORM_LOSS; slot++)
		if (node->desc[slot].offset % 64)
			return host->fail(host, HLX_ENOTSUP, "%s starts at no multiple of 64 elements of its storage",
					  slots[slot].name);
	node->work_bytes = 4 * (tensors(node) ? tensors(node) : 1);
	rc = host->pipeline(host, &tensors_shader, NULL, 0, &plan->tensors);
	return rc ? rc : host->pipeline(host, &total_shader, NULL, 0, &plan->total);
}

static void destroy(const struct hlx_host *host, struct hlx_node *node)
{
	(void)host;
	free(node->priv);
	node->priv = NULL;
}

static struct hlx_arg all(const struct hlx_node *node, uint16_t slot)
{
	const struct hlx_desc *d = &node->desc[slot];
	return (struct hlx_arg){ slot, HLX_VALUE, HLX_SSBO, 4 * d->offset, 4 * hlx_numel(d) };
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	const struct hlx_arg sums = { 0, HLX_WORK, HLX_SSBO, 0, 0 };
	const struct hlx_arg args[] = { all(node, NORM_SQUARES), all(node, NORM_TABLE), sums };
	const struct hlx_arg total_args[] = { sums, all(node, NORM_LOSS), hlx_value(NORM_OUT) };
	uint32_t count = (uint32_t)tensors(node), n;
	int rc = 0;

	for (uint32_t first = 0; first < count && rc == 0; first += n) {
		n = count - first < 65535 ? count - first : 65535;
		rc = host->dispatch(rec, plan->tensors, args, 3, &first, sizeof first, n, 1, 1);
	}
	return rc ? rc : host->dispatch(rec, plan->total, total_args, 3, &count, sizeof count, 1, 1, 1);
}

static const char *const cases[] = { "squares=300 table=9<300 loss=2", "squares=1 table=2<1 loss=2",
				     "squares=40 table=1<40 loss=2", NULL };

const struct hlx_op norm_op = {
	.struct_size = sizeof norm_op,
	.name = "norm",
	.doc = "the norm of the mean gradient, over all parameters",
	.kind = HLX_NORM,
	.slots = slots,
	.infer = infer,
	.ref_forward = norm_ref_forward,
	.cases = cases,
	.bench = norm_bench,
	.work = norm_work,
};

const struct hlx_impl norm_chain = {
	.struct_size = sizeof norm_chain,
	.op = "norm",
	.name = "chain",
	.doc = "a lane a tensor, 32 blocks read at a time",
	.tier = HLX_PORTABLE,
	.priority = 0,
	.prepare = prepare,
	.forward = forward,
	.destroy = destroy,
};
