/*
 * softmax.c - y = exp(x * scale - max) / sum over the last dim, causal where asked for.
 *
 * x, y, dx, dy: (..., cols), contiguous; rows are all dims but the last
 */
#include "softmax.h"

#include "plugins/rows.h"

#include "softmax_backward.spv.h"
#include "softmax_backward_rows.spv.h"
#include "softmax_backward_texel.spv.h"
#include "softmax_forward.spv.h"
#include "softmax_forward_rows.spv.h"
#include "softmax_forward_texel.spv.h"

static const struct hlx_slot slots[] = {
	[X] = { "x", HLX_IN, 0 },
	[Y] = { "y", HLX_OUT, 0 },
	{ NULL, 0, 0 }
};

#define AT(member) offsetof(struct softmax_attrs, member)
static const struct hlx_attr attrs[] = {
	{ "causal", "query i of T sees the columns j <= i + cols - T only", HLX_BOOL, AT(causal), 0, 0, 1, NULL },
	{ "scale", "what x is multiplied by first", HLX_FLOAT, AT(scale), 1, -1e6, 1e6, NULL },
	{ NULL, NULL, 0, 0, 0, 0, 0, NULL }
};

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct softmax_attrs *at = node->attrs;
	const struct hlx_desc *x = &node->desc[X];

	if (x->dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "x is not of floats");
	if (x->rank < (at->causal ? 2u : 1u))
		return host->fail(host, HLX_ESHAPE, "x has %u dims, want %s", x->rank,
				  at->causal ? "2 to 4 (queries, columns)" : "1 to 4");
	if (!hlx_is_contiguous(x))
		return host->fail(host, HLX_ESHAPE, "x is a view with gaps between its rows, want a contiguous tensor");
	if (hlx_cols(x) > 1u << 30 || (at->causal && x->dim[x->rank - 2] > 1u << 30))
		return host->fail(host, HLX_ESHAPE,
				"x has rows of %llu elements, want at most 2^30", ROWS_ULL(hlx_cols(x)));
	node->desc[Y] = *x;
	node->desc[Y].view_of = 0;
	node->desc[Y].offset = 0;
	hlx_contiguous(&node->desc[Y]);
	node->causal = !at->causal && hlx_rows_causal(x);
	if (at->causal && x->axis[x->rank - 1] == HLX_SEQ && x->axis[x->rank - 2] == HLX_SEQ) {
		node->desc[Y].axis[x->rank - 1] = HLX_PAST;
		node->causal = 1;
	}
	return 0;
}

static const struct hlx_shader forward_shader[ROWS_BUILDS] =
		ROWS_SHADERS(softmax_forward, softmax_forward_rows, softmax_forward_texel);
static const struct hlx_shader backward_shader[ROWS_BUILDS] =
		ROWS_SHADERS(softmax_backward, softmax_backward_rows, softmax_backward_texel);

struct plan {
	struct hlx_pipeline *forward;
	enum rows_build build;
	struct rows_grid grid;
};

/* The push block of the kernels; the last word is of the shared build's backward alone. */
struct push {
	uint32_t rows, cols;
	uint32_t seq_len, first_row; /* first_row: of the window, within a run of seq_len rows */
	uint32_t causal;
	float scale;
	uint32_t accumulate;
};

static int prepare(const struct hlx_host *host, struct hlx_node *node, enum rows_build build)
{
	uint64_t cols = hlx_cols(&node->desc[X]);
	struct plan *plan = calloc(1, sizeof *plan);
	int rc;

	node->priv = plan;
	if (!plan)
		return host->fail(host, HLX_ENOMEM, "out of memory");
	plan->build = build;
	rc = rows_plan(host, node, X, rows_beside(host, &forward_shader[build], cols), 4, &plan->grid);
	return rc ? rc : rows_pipeline(host, forward_shader, build, cols, 0, &plan->forward);
}

static struct push push_block(const struct hlx_node *node, uint64_t row, uint64_t n)
{
	struct softmax_mask mask = softmax_mask(node);
	return (struct push){
		.rows = (uint32_t)n,
		.cols = (uint32_t)hlx_cols(&node->desc[X]),
		.seq_len = (uint32_t)mask.t,
		.first_row = (uint32_t)(row % mask.t),
		.causal = ((const struct softmax_attrs *)node->attrs)->causal != 0,
		.scale = softmax_scale(node),
		.accumulate = node->accum >> X & 1,
	};
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t rows = hlx_rows(&node->desc[X]), n;
	int rc = 0;

	for (uint64_t r = 0; r < rows && rc == 0; r += n) {
		n = rows_next(&plan->grid, rows, r);
		const struct push push = push_block(node, r, n);
		const struct hlx_arg args[] = {
			rows_read(plan->build, rows_window(node, X, HLX_VALUE, r, n)),
			rows_window(node, Y, HLX_VALUE, r, n),
		};
		rc = host->dispatch(rec, plan->forward, args, 2, &push, offsetof(struct push, accumulate),
				    rows_groups(&plan->grid, n), 1, 1);
	}
	return rc;
}

static int backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct plan *plan = node->priv;
	uint64_t rows = node->grads >> X & 1 ? hlx_rows(&node->desc[X]) : 0, n;
	struct hlx_pipeline *pipeline;
	int rc = rows_pipeline(host, backward_shader, plan->build, hlx_cols(&node->desc[X]), node->accum >> X & 1, &pipeline);

	for (uint64_t r = 0; r < rows && rc == 0; r += n) {
		n = rows_next(&plan->grid, rows, r);
		const struct push push = push_block(node, r, n);
		const struct hlx_arg args[] = {
			rows_read(plan->build, rows_window(node, Y, HLX_VALUE, r, n)),
			rows_read(plan->build, rows_window(node, Y, HLX_GRAD, r, n)),
			rows_window(node, X, HLX_GRAD, r, n),
			rows_read(plan->build, rows_window(node, X, HLX_GRAD, r, n)),
		};
		rc = host->dispatch(rec, pipeline, args, plan->build == ROWS_TEXEL ? 4 : 3, &push,
				    rows_push(plan->build, sizeof push),
				    rows_groups(&plan->grid, n), 1, 1);
	}
	return rc;
}

static const char *const cases[] = {
	"x=3x257",
	"x=5",
	"x=4x1",
	"x=2x3x5x64 scale=0.125",
	"x=2x2x7x7 causal=yes scale=0.5",
	"x=2x3x130 causal=yes",
	"x=2x5x3 causal=yes", /* the first two queries see nothing */
	"x=1x70x70 causal=yes",
	"x=2x1x96 causal=yes",
	"x=2x66x260 causal=yes scale=-0.3",
	"x=2x9x128 causal=yes",
	"x=3x7x1032",
	NULL
};

static const struct hlx_op softmax = {
	.struct_size = sizeof softmax,
	.name = "softmax",
	.doc = "exp(x) / sum(exp(x)) over the last dim, of scaled and, where causal, masked x",
	.kind = HLX_LAYER,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct softmax_attrs),
	.infer = infer,
	.ref_forward = softmax_ref_forward,
	.ref_backward = softmax_ref_backward,
	.ref64 = softmax_ref64,
	.cases = cases,
	.bench = softmax_bench,
	.work = softmax_work,
};

ROWS_IMPLS(static, softmax_, "softmax", backward);

static const struct hlx_op *const ops[] = { &softmax, NULL };
static const struct hlx_impl *const impls[] = { &softmax_texel, &softmax_rows, &softmax_shared, NULL };

HLX_PLUGIN(.name = "softmax", .version = "0.1.0", .license = "MIT", .ops = ops, .impls = impls);
