/*
 * gelu.c - y = x * Phi(x) in its tanh form, element by element.
 *
 * x, y: any shape
 */
#include "plugins/flat.h"
#include "plugins/gelu/gelu.h"

#include "gelu_bwd.spv.h"
#include "gelu_bwd_any.spv.h"
#include "gelu_fwd.spv.h"
#include "gelu_fwd_any.spv.h"

static const struct hlx_shader fwd = { "gelu_fwd", gelu_fwd_spv, sizeof gelu_fwd_spv, 0 };
static const struct hlx_shader bwd = { "gelu_bwd", gelu_bwd_spv, sizeof gelu_bwd_spv, 0 };
static const struct hlx_shader fwd_any = { "gelu_fwd_any", gelu_fwd_any_spv, sizeof gelu_fwd_any_spv, 0 };
static const struct hlx_shader bwd_any = { "gelu_bwd_any", gelu_bwd_any_spv, sizeof gelu_bwd_any_spv, 0 };

static int gelu_infer(const struct hlx_host *host, struct hlx_node *node)
{
	if (node->desc[X].dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "x is not f32");
	flat_like(&node->desc[Y], &node->desc[X]);
	return 0;
}

static int gelu_prepare(const struct hlx_host *host, struct hlx_node *node)
{
	for (int s = X; s <= Y; s++)
		if (!strided_fits(host->caps, &node->desc[s]))
			return host->fail(host, HLX_ENOTSUP, "%s is not dense and larger than the %llu bytes a binding sees",
					s == X ? "x" : "y", (unsigned long long)host->caps->max_range);
	return 0;
}

/* Forward: x, y.  Backward: x, dy, dx. */
static const struct gelu_operand {
	uint16_t slot;
	uint8_t what;
} operands[2][3] = { { { X, HLX_VALUE }, { Y, HLX_VALUE } }, { { X, HLX_VALUE }, { Y, HLX_GRAD }, { X, HLX_GRAD } } };

static int record_flat(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, int backward)
{
	uint64_t n = hlx_numel(&node->desc[X]), window = flat_window(host->caps);
	int status = 0;
	for (uint64_t at = 0; at < n && !status; at += window) {
		uint64_t left = n - at < window ? n - at : window;
		struct flat_grid g = flat_share(host->caps, left);
		uint32_t push[3] = { (uint32_t)left, g.turns, node->accum >> X & 1 };
		struct hlx_pipeline *pipeline;
		struct hlx_arg args[3];
		for (int k = 0; k < 2 + backward; k++)
			args[k] = flat_arg(node, operands[backward][k].slot, operands[backward][k].what, at, left);
		status = host->pipeline(host, backward ? &bwd : &fwd, &g.lanes, 1, &pipeline);
		if (!status)
			status = host->dispatch(rec, pipeline, args, 2 + backward, push, backward ? 12 : 8, g.groups, 1, 1);
	}
	return status;
}

static int record_any(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, int backward)
{
	struct flat_grid g = flat_share(host->caps, hlx_numel(&node->desc[X]));
	struct strided_push push = { .accum = node->accum >> X & 1 };
	struct hlx_pipeline *pipeline;
	struct hlx_arg args[3];
	for (int k = 0; k < 2 + backward; k++)
		args[k] = strided_arg(node, operands[backward][k].slot, operands[backward][k].what, &push, k);
	int status = host->pipeline(host, backward ? &bwd_any : &fwd_any, &g.lanes, 1, &pipeline);
	return status ? status : host->dispatch(rec, pipeline, args, 2 + backward, &push, sizeof push, g.groups, 1, 1);
}

static int record(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, int backward)
{
	bool dense = flat_dense(&node->desc[X]) && flat_dense(&node->desc[Y]);
	return dense ? record_flat(host, node, rec, backward) : record_any(host, node, rec, backward);
}

static int gelu_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return record(host, node, rec, 0);
}

static int gelu_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return node->grads >> X & 1 ? record(host, node, rec, 1) : 0;
}

static const struct hlx_slot slots[] = {
	[X] = { "x", HLX_IN, 0 },
	[Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};

static const char *const cases[] = { "x=1", "x=3x257", "x=2x3x5", "x=2x33x1024", NULL };

static const struct hlx_op op = {
	.struct_size = sizeof(struct hlx_op),
	.name = "gelu",
	.doc = "y = x 0.5 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), element by element",
	.kind = HLX_LAYER,
	.slots = slots,
	.infer = gelu_infer,
	.ref_forward = gelu_ref_forward,
	.ref_backward = gelu_ref_backward,
	.ref64 = gelu_ref64,
	.cases = cases,
	.bench = gelu_bench,
	.work = gelu_work,
};

static const struct hlx_impl flat = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "gelu",
	.name = "flat",
	.doc = "4 elements a lane and turn; any layout",
	.tier = HLX_PORTABLE,
	.prepare = gelu_prepare,
	.forward = gelu_forward,
	.backward = gelu_backward,
};

static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &flat, NULL };

HLX_PLUGIN(.name = "gelu", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
