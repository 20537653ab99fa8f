/*
 * layernorm.c - y = (x - mean) * rstd * gamma + beta, mean and rstd of each row of d elements.  Backward: layernorm_grad.c.
 *
 * x, y, dx, dy: (batch, ..., d), contiguous   gamma, beta: (d)   dgamma, dbeta: S runs of (d)
 * saved: stats (rows, 2) mean, rstd
 */
#include "plugins/layernorm/layernorm_rows.h"

#include "layernorm_forward.spv.h"
#include "layernorm_forward_rows.spv.h"
#include "layernorm_forward_texel.spv.h"

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
static int prepare(const struct hlx_host *host, struct hlx_node *node, enum rows_build build)
{
	uint64_t cols = hlx_cols(&node->desc[X]);
	struct plan *plan = calloc(1, sizeof *plan);
	int rc;

	node->priv = plan;
	if (!plan)
		return host->fail(host, HLX_ENOMEM, "out of memory");
	plan->build = build;
	node->saved_bytes = node->train ? hlx_rows(&node->desc[X]) * 8 : 0;
	node->work_bytes = node->train ? 0 : hlx_rows(&node->desc[X]) * 8;
	rc = rows_plan(host, node, X, rows_beside(host, &forward_shader[build], cols), 2, &plan->grid);
	rc = rc ? rc : rows_pipeline(host, forward_shader, build, cols, 0, &plan->forward);
	if (rc || !node->train)
		return rc;
	return layernorm_prepare_grad(host, node, plan);
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

static const char *const cases[] = {
	"x=2x3x257",
	"x=1x1",
	"x=3x64",
	"x=2x33x100 eps=1e-3",
	"x=4x70x256",
	"x=2x2x3x5",
	"x=1x3x1025",
	"x=2x5x768", /* more than a CPU driver's lanes keep */
	"x=512x3x12", /* 512 blocks: layernorm_block takes 2 rows at a time */
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

ROWS_IMPLS(static, layernorm_, "layernorm", layernorm_backward);

static const struct hlx_op *const ops[] = { &layernorm, NULL };
static const struct hlx_impl *const impls[] = { &layernorm_texel, &layernorm_rows, &layernorm_shared, NULL };

HLX_PLUGIN(.name = "layernorm", .version = "0.1.0", .license = "MIT", .ops = ops, .impls = impls);
