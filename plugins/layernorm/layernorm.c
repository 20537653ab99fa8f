/*
 * layernorm.c - y = (x - mean) * rstd * gamma + beta, mean and rstd of each row of d elements.
 *
 * x, y, dx, dy: (batch, ..., d), contiguous   gamma, beta: (d)   dgamma, dbeta: S runs of (d)
 * saved: stats (rows, 2) mean, rstd   work of backward: terms (sequences, blocks of 32 positions, 2, d rounded up to 4)
 *
 * backward is three kernels: dx by rows; the terms of dgamma and dbeta by (block, column); their sums by (slot, column).
 */
#include "layernorm.h"

#include "plugins/rows.h"

#include "layernorm_backward.spv.h"
#include "layernorm_backward_rows.spv.h"
#include "layernorm_backward_texel.spv.h"
#include "layernorm_forward.spv.h"
#include "layernorm_forward_rows.spv.h"
#include "layernorm_forward_texel.spv.h"
#include "layernorm_params.spv.h"
#include "layernorm_terms.spv.h"
#include "layernorm_terms_texel.spv.h"

static const struct hlx_slot slots[] = {
	[X] = { "x", HLX_IN, 0 },
	[GAMMA] = { "gamma", HLX_PARAM, HLX_NODECAY },
	[BETA] = { "beta", HLX_PARAM, HLX_NODECAY },
	[Y] = { "y", HLX_OUT, 0 },
	{ NULL, 0, 0 }
};

static const struct hlx_attr attrs[] = {
	{ "eps", "what is added to the variance", HLX_FLOAT, offsetof(struct layernorm_attrs, eps), 1e-5, 0x1p-40, 1e3,
	  NULL },
	{ NULL, NULL, 0, 0, 0, 0, 0, NULL }
};

static int infer_param(const struct hlx_host *host, struct hlx_node *node, int slot, double start)
{
	struct hlx_desc *p = &node->desc[slot];
	uint64_t d = hlx_cols(&node->desc[X]);

	node->init[slot] = (struct hlx_init){ start, 0.0 };
	if (p->rank == 0) {
		*p = (struct hlx_desc){ .dtype = HLX_F32, .rank = 1, .dim = { d }, .stride = { 1 } };
		return 0;
	}
	if (p->dtype != HLX_F32 || p->rank != 1 || p->dim[0] != d)
		return host->fail(host, HLX_ESHAPE,
				"the tied %s has %llu elements in %u dims, want %llu in 1", slots[slot].name,
				  ROWS_ULL(hlx_numel(p)), p->rank, ROWS_ULL(d));
	return 0;
}

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *x = &node->desc[X];
	int rc;

	if (x->dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "x is not of floats");
	if (x->rank < 2)
		return host->fail(host, HLX_ESHAPE, "x has %u dims, want 2 to 4", x->rank);
	if (x->axis[0] != HLX_BATCH)
		return host->fail(host, HLX_ESHAPE,
				"the first dim of x is not the batch, so gamma and beta have no gradient");
	if (!hlx_is_contiguous(x))
		return host->fail(host, HLX_ESHAPE, "x is a view with gaps between its rows, want a contiguous tensor");
	if (hlx_cols(x) > 1u << 24)
		return host->fail(host, HLX_ESHAPE,
				"x has rows of %llu elements, want at most 2^24", ROWS_ULL(hlx_cols(x)));
	node->causal = hlx_rows_causal(x);
	node->desc[Y] = *x;
	node->desc[Y].view_of = 0;
	node->desc[Y].offset = 0;
	hlx_contiguous(&node->desc[Y]);
	rc = infer_param(host, node, GAMMA, 1.0);
	return rc ? rc : infer_param(host, node, BETA, 0.0);
}

static const struct hlx_shader forward_shader[ROWS_BUILDS] =
		ROWS_SHADERS(layernorm_forward, layernorm_forward_rows, layernorm_forward_texel);
static const struct hlx_shader backward_shader[ROWS_BUILDS] =
		ROWS_SHADERS(layernorm_backward, layernorm_backward_rows, layernorm_backward_texel);
static const struct hlx_shader terms_shader = ROWS_SHADER(layernorm_terms, 0);
static const struct hlx_shader terms_texel = ROWS_SHADER(layernorm_terms_texel, 0);
static const struct hlx_shader params_shader = ROWS_SHADER(layernorm_params, 0);

struct plan {
	struct hlx_pipeline *forward, *terms, *params;
	enum rows_build build;
	struct rows_grid grid; /* of forward and backward */
	uint64_t blocks;       /* of 32 positions, in a sequence */
	uint64_t blocks_here;  /* that a dispatch of terms does */
};

/* Bytes of the terms of one block. */
static uint64_t block_bytes(const struct hlx_node *node)
{
	return (hlx_cols(&node->desc[X]) + 3) / 4 * 4 * sizeof(float) * 2;
}

/* A window of terms starts at a multiple of 64 rows, for alignment: up to 63 rows before its first block. */
static int plan_terms(const struct hlx_host *host, const struct hlx_node *node, struct plan *plan)
{
	uint64_t d = hlx_cols(&node->desc[X]), seen = host->caps->max_range / (4 * d);

	plan->blocks = (layernorm_positions(node) + 31) / 32;
	plan->blocks_here = seen < hlx_rows(&node->desc[X]) ? (seen < 95 ? 0 : (seen - 63) / 32) : 65535;
	if (plan->blocks_here > 65535)
		plan->blocks_here = 65535;
	if (plan->blocks_here == 0)
		return host->fail(host, HLX_ENOTSUP,
				"rows of %llu elements exceed what the device can see at once", ROWS_ULL(d));
	return 0;
}

static int plan_backward(const struct hlx_host *host, struct hlx_node *node, struct plan *plan)
{
	uint64_t batch = node->desc[X].dim[0];
	int rc = plan_terms(host, node, plan);

	if (rc)
		return rc;
	node->work_bytes = batch * plan->blocks * block_bytes(node);
	if (node->work_bytes > host->caps->max_range)
		return host->fail(host, HLX_ENOTSUP,
				"the terms of dgamma and dbeta take %llu bytes, a binding sees %llu",
				  ROWS_ULL(node->work_bytes), ROWS_ULL(host->caps->max_range));
	if (node->slots == 0 || batch % node->slots || batch / node->slots * plan->blocks > 60000)
		return host->fail(host, HLX_ENOTSUP,
				"a batch of %llu sequences of %llu blocks in %u slots", ROWS_ULL(batch),
				  ROWS_ULL(plan->blocks), node->slots);
	return 0;
}

static int prepare(const struct hlx_host *host, struct hlx_node *node, enum rows_build build)
{
	uint64_t cols = hlx_cols(&node->desc[X]);
	uint32_t ahead = host->caps->cpu ? 4 : 8; /* a batch slot of one sequence of 128 has 4 terms */
	struct plan *plan = calloc(1, sizeof *plan);
	int rc;

	node->priv = plan;
	if (!plan)
		return host->fail(host, HLX_ENOMEM, "out of memory");
	plan->build = build;
	node->saved_bytes = node->train ? hlx_rows(&node->desc[X]) * 8 : 0;
	node->work_bytes = node->train ? 0 : hlx_rows(&node->desc[X]) * 8;
	rc = rows_plan(host, node, X, rows_at_once(host, &forward_shader[build]), 2, &plan->grid);
	rc = rc ? rc : rows_pipeline(host, &forward_shader[build], cols, 0, &plan->forward);
	if (rc || !node->train)
		return rc;
	rc = plan_backward(host, node, plan);
	rc = rc ? rc : rows_pipeline_own(host, build == ROWS_TEXEL ? &terms_texel : &terms_shader, cols, &plan->terms);
	return rc ? rc : host->pipeline(host, &params_shader, &ahead, 1, &plan->params);
}

static struct hlx_arg stats_window(const struct hlx_node *node, uint64_t row, uint64_t n)
{
	return (struct hlx_arg){ 0, node->train ? HLX_SAVED : HLX_WORK, HLX_SSBO, 8 * row, 8 * n };
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t rows = hlx_rows(&node->desc[X]), n;
	int rc = 0;

	for (uint64_t r = 0; r < rows && rc == 0; r += n) {
		n = rows_next(&plan->grid, rows, r);
		const struct { uint32_t rows, d; float eps; } push = { (uint32_t)n, (uint32_t)hlx_cols(&node->desc[X]),
								       layernorm_eps(node) };
		const struct hlx_arg args[] = {
			rows_read(plan->build, rows_window(node, X, HLX_VALUE, r, n)),
			rows_window(node, Y, HLX_VALUE, r, n),
			rows_read(plan->build, rows_window(node, GAMMA, HLX_VALUE, 0, 1)),
			rows_read(plan->build, rows_window(node, BETA, HLX_VALUE, 0, 1)),
			stats_window(node, r, n),
		};
		rc = host->dispatch(rec, plan->forward, args, 5, &push, sizeof push,
				    rows_groups(&plan->grid, n), 1, 1);
	}
	return rc;
}

static int backward_dx(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t rows = hlx_rows(&node->desc[X]), d = hlx_cols(&node->desc[X]), n;
	uint32_t accumulate = node->accum >> X & 1;
	struct hlx_pipeline *pipeline;
	int rc = rows_pipeline(host, &backward_shader[plan->build], d, accumulate, &pipeline);

	for (uint64_t r = 0; r < rows && rc == 0; r += n) {
		n = rows_next(&plan->grid, rows, r);
		const uint32_t push[] = { (uint32_t)n, (uint32_t)d, accumulate };
		const struct hlx_arg args[] = {
			rows_read(plan->build, rows_window(node, X, HLX_VALUE, r, n)),
			rows_read(plan->build, rows_window(node, Y, HLX_GRAD, r, n)),
			rows_read(plan->build, rows_window(node, GAMMA, HLX_VALUE, 0, 1)),
			rows_read(plan->build, stats_window(node, r, n)),
			rows_window(node, X, HLX_GRAD, r, n),
			rows_read(plan->build, rows_window(node, X, HLX_GRAD, r, n)),
		};
		rc = host->dispatch(rec, pipeline, args, plan->build == ROWS_TEXEL ? 6 : 5, push,
				    rows_push(plan->build, sizeof push), rows_groups(&plan->grid, n), 1, 1);
	}
	return rc;
}

/* The row where a block starts, or, for the block after the last, where they end. */
static uint64_t block_row(const struct hlx_node *node, uint64_t block)
{
	const struct plan *plan = node->priv;
	return block / plan->blocks * layernorm_positions(node) + block % plan->blocks * 32;
}

static int backward_terms(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t d = hlx_cols(&node->desc[X]), blocks = node->desc[X].dim[0] * plan->blocks, n;
	int rc = 0;

	for (uint64_t b = 0; b < blocks && rc == 0; b += n) {
		n = blocks - b < plan->blocks_here ? blocks - b : plan->blocks_here;
		uint64_t r = block_row(node, b) / 64 * 64, rows_here = block_row(node, b + n) - r;
		const uint32_t push[] = { (uint32_t)layernorm_positions(node), (uint32_t)d, (uint32_t)b, (uint32_t)r };
		const struct hlx_arg args[] = {
			rows_read(plan->build, rows_window(node, X, HLX_VALUE, r, rows_here)),
			rows_read(plan->build, rows_window(node, Y, HLX_GRAD, r, rows_here)),
			rows_read(plan->build, stats_window(node, r, rows_here)),
			{ 0, HLX_WORK, HLX_SSBO, 0, 0 },
		};
		rc = host->dispatch(rec, plan->terms, args, 4, push, sizeof push, (uint32_t)((d + 255) / 256),
				(uint32_t)n, 1);
	}
	return rc;
}

static int backward_param(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint16_t slot)
{
	const struct plan *plan = node->priv;
	uint64_t d = hlx_cols(&node->desc[X]);
	const uint32_t push[] = { (uint32_t)d, (uint32_t)(node->desc[X].dim[0] / node->slots * plan->blocks),
				  (uint32_t)hlx_slot_stride(&node->desc[slot]), slot == BETA, node->accum >> slot & 1 };
	const struct hlx_arg args[] = { { 0, HLX_WORK, HLX_SSBO, 0, 0 }, hlx_grad(slot) };

	return host->dispatch(rec, plan->params, args, 2, push, sizeof push, (uint32_t)((d + 255) / 256),
			      node->slots, 1);
}

static int backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	bool gamma = node->grads >> GAMMA & 1, beta = node->grads >> BETA & 1;
	int rc = gamma || beta ? backward_terms(host, node, rec) : 0;

	if (rc == 0 && gamma)
		rc = backward_param(host, node, rec, GAMMA);
	if (rc == 0 && beta)
		rc = backward_param(host, node, rec, BETA);
	if (rc == 0 && node->grads >> X & 1)
		rc = backward_dx(host, node, rec);
	return rc;
}

static const char *const cases[] = {
	"x=2x3x257",
	"x=1x1",
	"x=3x64",
	"x=2x33x100 eps=1e-3",
	"x=4x70x256",
	"x=2x2x3x5",
	"x=1x3x1025",
	"x=2x5x768", /* more than a CPU driver's lanes keep */
	NULL
};

static const struct hlx_op layernorm = {
	.struct_size = sizeof layernorm,
	.name = "layernorm",
	.doc = "normalize each row to mean 0 and variance 1, then scale by gamma and add beta",
	.kind = HLX_LAYER,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct layernorm_attrs),
	.infer = infer,
	.ref_forward = layernorm_ref_forward,
	.ref_backward = layernorm_ref_backward,
	.ref64 = layernorm_ref64,
	.cases = cases,
	.bench = layernorm_bench,
	.work = layernorm_work,
};

ROWS_IMPLS(static, layernorm_, "layernorm", backward);

static const struct hlx_op *const ops[] = { &layernorm, NULL };
static const struct hlx_impl *const impls[] = { &layernorm_texel, &layernorm_rows, &layernorm_shared, NULL };

HLX_PLUGIN(.name = "layernorm", .version = "0.1.0", .license = "MIT", .ops = ops, .impls = impls);
