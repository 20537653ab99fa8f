/*
 * xent.c - the loss: cross-entropy of softmax(logits) with a target index, summed over positions.
 *
 * logits, dlogits: (batch, ..., vocab), contiguous   targets: (batch, ...)   loss: S runs of (2): sum, count
 * saved: stats (rows, 2) max, 1 / sum of exp(x - max)
 * work: losses (rows), or terms (blocks of 32 positions, 2) | stats, where nothing is saved
 *
 * forward is two kernels: losses by rows, and their sums by batch slot; or, on a GPU and for short rows, the sums over blocks of 32
 * positions, and those of the blocks by batch slot.
 */
#include "xent.h"

#include "plugins/rows.h"

#include "xent_backward.spv.h"
#include "xent_backward_texel.spv.h"
#include "xent_block.spv.h"
#include "xent_forward_rows.spv.h"
#include "xent_forward_shared.spv.h"
#include "xent_forward_texel.spv.h"
#include "xent_sum.spv.h"
#include "xent_terms.spv.h"

static const struct hlx_slot slots[] = {
	[LOGITS] = { "logits", HLX_IN, 0 },
	[TARGETS] = { "targets", HLX_IN, HLX_NOGRAD },
	[LOSS] = { "loss", HLX_OUT, HLX_SLOTTED },
	{ NULL, 0, 0 }
};

static const struct hlx_attr attrs[] = {
	{ "ignore_index", "the target of positions that do not count", HLX_INT,
	  offsetof(struct xent_attrs, ignore_index), -1, -2147483648.0, 4294967295.0, NULL },
	{ NULL, NULL, 0, 0, 0, 0, 0, NULL }
};

static int infer_targets(const struct hlx_host *host, const struct hlx_node *node)
{
	const struct hlx_desc *x = &node->desc[LOGITS], *t = &node->desc[TARGETS];

	if (t->dtype != HLX_U32 && t->dtype != HLX_I32)
		return host->fail(host, HLX_EDTYPE, "targets are not u32 or i32");
	if (t->rank != x->rank - 1)
		return host->fail(host, HLX_ESHAPE,
				"targets have %u dims, want %u: those of logits but the last", t->rank,
				  x->rank - 1);
	for (uint32_t i = 0; i < t->rank; i++)
		if (t->dim[i] != x->dim[i])
			return host->fail(host, HLX_ESHAPE, "dim %u of targets is %llu, that of logits %llu", i,
					  ROWS_ULL(t->dim[i]), ROWS_ULL(x->dim[i]));
	if (!hlx_is_contiguous(t))
		return host->fail(host, HLX_ESHAPE, "targets are a view with gaps, want a contiguous tensor");
	return 0;
}

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *x = &node->desc[LOGITS];

	if (x->dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "logits are not of floats");
	if (x->rank < 2)
		return host->fail(host, HLX_ESHAPE, "logits have %u dims, want 2 to 4", x->rank);
	if (x->axis[0] != HLX_BATCH)
		return host->fail(host, HLX_ESHAPE, "the first dim of logits is not the batch");
	if (!hlx_is_contiguous(x))
		return host->fail(host, HLX_ESHAPE,
				"logits are a view with gaps between rows, want a contiguous tensor");
	if (hlx_rows(x) > 1u << 24)
		return host->fail(host, HLX_ESHAPE,
				"%llu positions, want at most 2^24: beyond, a float cannot count them",
				  ROWS_ULL(hlx_rows(x)));
	node->causal = hlx_rows_causal(x);
	node->desc[LOSS] = (struct hlx_desc){ .dtype = HLX_F32, .rank = 1, .dim = { 2 }, .stride = { 1 } };
	return infer_targets(host, node);
}

static const struct hlx_shader forward_shader[ROWS_BUILDS] =
		ROWS_SHADERS(xent_forward_shared, xent_forward_rows, xent_forward_texel);
static const struct hlx_shader backward_shader = ROWS_SHADER(xent_backward, 0);
static const struct hlx_shader backward_texel = ROWS_SHADER(xent_backward_texel, 0);
static const struct hlx_shader sum = ROWS_SHADER(xent_sum, 0);
static const struct hlx_shader block_shader = ROWS_SHADER(xent_block, 1);
static const struct hlx_shader terms_shader = ROWS_SHADER(xent_terms, 0);

struct plan {
	struct hlx_pipeline *forward, *backward, *sum; /* sum: of losses, or of terms */
	enum rows_build build;
	uint32_t ahead, column_groups; /* backward: rows that a workgroup takes at a time, and workgroups that share their columns */
	struct rows_grid grid;
	uint64_t blocks;      /* of 32 positions, in a batch slot */
	uint32_t block_lanes; /* of a workgroup of xent_block, which is then `forward`; 0: xent_forward */
	uint64_t stats_at;    /* bytes, in work */
};

static uint64_t align(uint64_t bytes)
{
	return (bytes + HLX_ALIGN - 1) / HLX_ALIGN * HLX_ALIGN;
}

/*
 * Lanes of xent_block, or 0: 16 a row for all 32 rows of a block, or half of them and so on.  Rows of up to 256: those of 1,024 fill the
 * registers (H200, 16,384 of them: 35 us or more, with xent_forward 29).
 */
static uint32_t block_lanes(const struct hlx_host *host, const struct hlx_node *node, const struct plan *plan)
{
	const struct hlx_caps *caps = host->caps;
	uint64_t bytes = 4 * hlx_numel(&node->desc[LOGITS]);
	uint32_t lanes = 512;

	while (lanes > caps->max_invocations)
		lanes /= 2;
	if (plan->build != ROWS_SUBGROUP || caps->cpu || caps->subgroup < 16 || lanes % caps->subgroup || lanes < 32 ||
			xent_positions(node) < 32 || hlx_cols(&node->desc[LOGITS]) > 256 || bytes > caps->max_range ||
			plan->blocks * node->slots > caps->max_groups[0])
		return 0;
	return lanes;
}

static int plan_sums(const struct hlx_host *host, struct hlx_node *node, struct plan *plan)
{
	uint64_t rows = hlx_rows(&node->desc[LOGITS]), batch = node->desc[LOGITS].dim[0];
	const struct hlx_desc *targets = &node->desc[TARGETS];

	if (node->slots == 0 || batch % node->slots || node->slots > host->caps->max_groups[0])
		return host->fail(host, HLX_ENOTSUP, "a batch of %llu sequences in %u slots", ROWS_ULL(batch), node->slots);
	plan->blocks = batch / node->slots * ((xent_positions(node) + 31) / 32);
	plan->block_lanes = block_lanes(host, node, plan);
	plan->stats_at = align(plan->block_lanes ? 8 * plan->blocks * node->slots : 4 * rows);
	node->saved_bytes = node->train ? 8 * rows : 0;
	node->work_bytes = plan->stats_at + (node->train ? 0 : 8 * rows);
	if (targets->offset % 64)
		return host->fail(host, HLX_ENOTSUP,
				"targets start at element %llu of their storage, want a multiple of 64",
				  ROWS_ULL(targets->offset));
	return 0;
}

/* Rows at a time: on an H200 4 where there are many and short ones (16,384 of 256: 11.2 us with 1 became 9.1); long ones are shared
 * out, 4,096 columns to a workgroup. */
static int plan_backward(const struct hlx_host *host, const struct hlx_node *node, struct plan *plan)
{
	uint64_t vocab = hlx_cols(&node->desc[LOGITS]);
	bool few = host->caps->cpu || vocab > 4096 || hlx_rows(&node->desc[LOGITS]) < 8192;
	const uint32_t spec[2] = { rows_unit(vocab), few ? 1 : 4 };
	plan->ahead = spec[1];
	plan->column_groups = host->caps->cpu ? 1 : (uint32_t)(vocab / 4096 < 64 ? vocab / 4096 + 1 : 64);
	return host->pipeline(host, plan->build == ROWS_TEXEL ? &backward_texel : &backward_shader, spec, 2, &plan->backward);
}

static int plan_forward(const struct hlx_host *host, const struct hlx_node *node, struct plan *plan)
{
	uint64_t vocab = hlx_cols(&node->desc[LOGITS]);
	uint32_t lanes = host->caps->cpu ? host->caps->subgroup : 64; /* of xent_sum; a CPU driver runs all, whatever they do */
	const uint32_t block[3] = { plan->block_lanes, rows_unit(vocab), (uint32_t)((vocab + 63) / 64) };
	int rc = plan->block_lanes ? host->pipeline(host, &block_shader, block, 3, &plan->forward) :
			rows_pipeline(host, forward_shader, plan->build, vocab, 0, &plan->forward);

	if (rc || plan->block_lanes)
		return rc ? rc : host->pipeline(host, &terms_shader, NULL, 0, &plan->sum);
	return host->pipeline(host, &sum, &lanes, 1, &plan->sum);
}

static int prepare(const struct hlx_host *host, struct hlx_node *node, enum rows_build build)
{
	uint64_t vocab = hlx_cols(&node->desc[LOGITS]);
	struct plan *plan = calloc(1, sizeof *plan);
	int rc;

	node->priv = plan;
	if (!plan)
		return host->fail(host, HLX_ENOMEM, "out of memory");
	plan->build = build;
	rc = rows_plan(host, node, LOGITS, rows_beside(host, &forward_shader[build], vocab), 2, &plan->grid);
	rc = rc ? rc : plan_sums(host, node, plan);
	rc = rc ? rc : plan_forward(host, node, plan);
	return rc || !node->train ? rc : plan_backward(host, node, plan);
}

/* n positions' words: of targets, losses. */
static struct hlx_arg words(const struct hlx_node *node, uint16_t slot, uint8_t what, uint64_t row, uint64_t n)
{
	uint64_t start = what == HLX_WORK ? 0 : node->desc[slot].offset;
	return (struct hlx_arg){ slot, what, HLX_SSBO, 4 * (start + row), 4 * n };
}

static struct hlx_arg stats_window(const struct hlx_node *node, uint64_t row, uint64_t n)
{
	const struct plan *plan = node->priv;
	return node->train ? (struct hlx_arg){ 0, HLX_SAVED, HLX_SSBO, 8 * row, 8 * n }
			   : (struct hlx_arg){ 0, HLX_WORK, HLX_SSBO, plan->stats_at + 8 * row, 8 * n };
}

static int forward_losses(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t rows = hlx_rows(&node->desc[LOGITS]), n;
	int rc = 0;

	for (uint64_t r = 0; r < rows && rc == 0; r += n) {
		n = rows_next(&plan->grid, rows, r);
		const uint32_t push[] = { (uint32_t)n, (uint32_t)hlx_cols(&node->desc[LOGITS]), xent_ignore(node) };
		const struct hlx_arg args[] = {
			rows_read(plan->build, rows_window(node, LOGITS, HLX_VALUE, r, n)),
			words(node, TARGETS, HLX_VALUE, r, n), words(node, 0, HLX_WORK, r, n), stats_window(node, r, n),
		};
		rc = host->dispatch(rec, plan->forward, args, 4, push, sizeof push, rows_groups(&plan->grid, n), 1, 1);
	}
	return rc;
}

static int forward_sums(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t rows = hlx_rows(&node->desc[LOGITS]);
	const struct hlx_arg args[] = { words(node, 0, HLX_WORK, 0, rows), words(node, TARGETS, HLX_VALUE, 0, rows),
					hlx_value(LOSS) };
	const uint32_t push[] = { (uint32_t)xent_positions(node), xent_ignore(node), (uint32_t)plan->blocks,
				  (uint32_t)hlx_slot_stride(&node->desc[LOSS]) / 2, node->accum >> LOSS & 1 };

	return host->dispatch(rec, plan->sum, args, 3, push, sizeof push, node->slots, 1, 1);
}

static int forward_blocks(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t rows = hlx_rows(&node->desc[LOGITS]), blocks = plan->blocks * node->slots;
	const struct hlx_arg terms = { 0, HLX_WORK, HLX_SSBO, 0, 8 * blocks };
	const struct hlx_arg args[] = { rows_window(node, LOGITS, HLX_VALUE, 0, rows), words(node, TARGETS, HLX_VALUE, 0, rows),
					stats_window(node, 0, rows), terms };
	const struct hlx_arg sum_args[] = { terms, hlx_value(LOSS) };
	const uint32_t push[] = { (uint32_t)xent_positions(node), (uint32_t)hlx_cols(&node->desc[LOGITS]), xent_ignore(node) };
	const uint32_t sum_push[] = { (uint32_t)plan->blocks, (uint32_t)hlx_slot_stride(&node->desc[LOSS]) / 2,
				      node->accum >> LOSS & 1 };
	int rc = host->dispatch(rec, plan->forward, args, 4, push, sizeof push, (uint32_t)blocks, 1, 1);

	return rc ? rc : host->dispatch(rec, plan->sum, sum_args, 2, sum_push, sizeof sum_push, node->slots, 1, 1);
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	int rc;

	if (plan->block_lanes)
		return forward_blocks(host, node, rec);
	rc = forward_losses(host, node, rec);
	return rc ? rc : forward_sums(host, node, rec);
}

/* The kernel takes as many turns as it must. */
static uint32_t backward_groups(const struct hlx_host *host, const struct plan *plan, uint64_t n)
{
	uint64_t groups = !host->caps->cpu ? (n + plan->ahead - 1) / plan->ahead : rows_groups(&plan->grid, n);
	return groups < 65535 ? (uint32_t)groups : 65535;
}

static int backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t rows = node->grads >> LOGITS & 1 ? hlx_rows(&node->desc[LOGITS]) : 0, n;
	int rc = 0;

	for (uint64_t r = 0; r < rows && rc == 0; r += n) {
		n = rows_next(&plan->grid, rows, r);
		const uint32_t push[] = { (uint32_t)n, (uint32_t)hlx_cols(&node->desc[LOGITS]), xent_ignore(node),
					  node->accum >> LOGITS & 1 };
		const struct hlx_arg args[] = {
			rows_read(plan->build, rows_window(node, LOGITS, HLX_VALUE, r, n)),
			words(node, TARGETS, HLX_VALUE, r, n), stats_window(node, r, n),
			rows_window(node, LOGITS, HLX_GRAD, r, n),
			rows_read(plan->build, rows_window(node, LOGITS, HLX_GRAD, r, n)),
		};
		rc = host->dispatch(rec, plan->backward, args, plan->build == ROWS_TEXEL ? 5 : 4, push, sizeof push,
				    backward_groups(host, plan, n), plan->column_groups, 1);
	}
	return rc;
}

static const char *const cases[] = {
	"logits=66x33x5 targets=66x33<5",
	"logits=2x3x257 targets=2x3<257",
	"logits=1x1 targets=1<1",
	"logits=3x64 targets=3<64",
	"logits=4x70x100 targets=4x70<100",
	"logits=2x33x256 targets=2x33<256 ignore_index=7",
	"logits=3x5x1028 targets=3x5<1028",
	"logits=2x2x2x5 targets=2x2x2<5 ignore_index=0",
	NULL
};

static const struct hlx_op xent = {
	.struct_size = sizeof xent,
	.name = "xent",
	.doc = "cross-entropy of softmax(logits) with the index in targets: its sum, and the count of positions",
	.kind = HLX_LOSS,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct xent_attrs),
	.infer = infer,
	.ref_forward = xent_ref_forward,
	.ref_backward = xent_ref_backward,
	.ref64 = xent_ref64,
	.cases = cases,
	.bench = xent_bench,
	.work = xent_work,
};

ROWS_IMPLS(static, xent_, "xent", backward);

static const struct hlx_op *const ops[] = { &xent, NULL };
static const struct hlx_impl *const impls[] = { &xent_texel, &xent_rows, &xent_shared, NULL };

HLX_PLUGIN(.name = "xent", .version = "0.1.0", .license = "MIT", .ops = ops, .impls = impls);
