/*
 * add.c - y = a + b, element by element: the residual connection.
 *
 * a, b, y: any shape, all the same
 */
#include "plugins/add/add.h"
#include "plugins/flat.h"

#include "add_acc.spv.h"
#include "add_acc_any.spv.h"
#include "add_fwd.spv.h"
#include "add_fwd_any.spv.h"

#include <stdio.h>

static const struct hlx_shader fwd = { "add_fwd", add_fwd_spv, sizeof add_fwd_spv, 0 };
static const struct hlx_shader acc = { "add_acc", add_acc_spv, sizeof add_acc_spv, 0 };
static const struct hlx_shader fwd_any = { "add_fwd_any", add_fwd_any_spv, sizeof add_fwd_any_spv, 0 };
static const struct hlx_shader acc_any = { "add_acc_any", add_acc_any_spv, sizeof add_acc_any_spv, 0 };

/* "2x3x5", for messages */
static const char *shape(const struct hlx_desc *d, char text[96])
{
	int at = 0;
	for (uint32_t i = 0; i < d->rank; i++)
		at += snprintf(text + at, 96 - at, "%s%llu", i ? "x" : "", (unsigned long long)d->dim[i]);
	return text;
}

static int add_infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *a = &node->desc[A], *b = &node->desc[B];
	char ta[96], tb[96];
	bool same = a->rank == b->rank;
	if (a->dtype != HLX_F32 || b->dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "%s is not f32", a->dtype != HLX_F32 ? "a" : "b");
	for (uint32_t i = 0; same && i < a->rank; i++)
		same = a->dim[i] == b->dim[i];
	if (!same)
		return host->fail(host, HLX_ESHAPE, "a is %s and b is %s: they must be of one shape", shape(a, ta), shape(b, tb));
	flat_like(&node->desc[Y], a);
	return 0;
}

static int add_prepare(const struct hlx_host *host, struct hlx_node *node)
{
	for (int s = A; s <= Y; s++)
		if (!strided_fits(host->caps, &node->desc[s]))
			return host->fail(host, HLX_ENOTSUP, "%s is not dense and larger than the %llu bytes a binding sees",
					s == A ? "a" : s == B ? "b" : "y", (unsigned long long)host->caps->max_range);
	return 0;
}

static int add_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	uint64_t n = hlx_numel(&node->desc[Y]), window = flat_window(host->caps);
	bool dense = flat_dense(&node->desc[A]) && flat_dense(&node->desc[B]) && flat_dense(&node->desc[Y]);
	int status = 0;
	for (uint64_t at = 0; at < n && !status; at += dense ? window : n) {
		uint64_t left = dense && n - at > window ? window : n - at;
		struct flat_grid g = flat_share(host->caps, left);
		struct strided_push any = { 0 };
		uint32_t push[2] = { (uint32_t)left, g.turns };
		struct hlx_pipeline *pipeline;
		struct hlx_arg args[3];
		for (uint16_t k = A; k <= Y; k++)
			args[k] = dense ? flat_arg(node, k, HLX_VALUE, at, left) : strided_arg(node, k, HLX_VALUE, &any, k);
		status = host->pipeline(host, dense ? &fwd : &fwd_any, &g.lanes, 1, &pipeline);
		if (!status)
			status = host->dispatch(rec, pipeline, args, 3, dense ? (void *)push : &any,
					dense ? sizeof push : sizeof any, g.groups, 1, 1);
	}
	return status;
}

/* g += dy, windowed */
static int accumulate(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint16_t slot)
{
	uint64_t n = hlx_numel(&node->desc[Y]), window = flat_window(host->caps);
	int status = 0;
	for (uint64_t at = 0; at < n && !status; at += window) {
		uint64_t left = n - at < window ? n - at : window;
		struct flat_grid g = flat_share(host->caps, left);
		uint32_t push[2] = { (uint32_t)left, g.turns };
		const struct hlx_arg args[] = { flat_arg(node, Y, HLX_GRAD, at, left),
			flat_arg(node, slot, HLX_GRAD, at, left) };
		struct hlx_pipeline *pipeline;
		status = host->pipeline(host, &acc, &g.lanes, 1, &pipeline);
		if (!status)
			status = host->dispatch(rec, pipeline, args, 2, push, sizeof push, g.groups, 1, 1);
	}
	return status;
}

/* g = or += dy, whatever their layouts */
static int accumulate_any(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint16_t slot)
{
	struct flat_grid g = flat_share(host->caps, hlx_numel(&node->desc[Y]));
	struct strided_push push = { .accum = node->accum >> slot & 1 };
	const struct hlx_arg args[] = { strided_arg(node, Y, HLX_GRAD, &push, 0),
		strided_arg(node, slot, HLX_GRAD, &push, 1) };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, &acc_any, &g.lanes, 1, &pipeline);
	return status ? status : host->dispatch(rec, pipeline, args, 2, &push, sizeof push, g.groups, 1, 1);
}

static int slot_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint16_t slot)
{
	uint64_t n = hlx_numel(&node->desc[Y]);
	if (!flat_dense(&node->desc[Y]) || !flat_dense(&node->desc[slot]))
		return accumulate_any(host, node, rec, slot);
	if (node->accum >> slot & 1)
		return accumulate(host, node, rec, slot);
	const struct hlx_arg dst = flat_arg(node, slot, HLX_GRAD, 0, n), src = flat_arg(node, Y, HLX_GRAD, 0, n);
	return host->copy(rec, &dst, &src);
}

static int add_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	int status = 0;
	for (uint16_t slot = A; slot <= B && !status; slot++)
		if (node->grads >> slot & 1)
			status = slot_backward(host, node, rec, slot);
	return status;
}

static const struct hlx_slot slots[] = {
	[A] = { "a", HLX_IN, HLX_SAMEGRAD },
	[B] = { "b", HLX_IN, HLX_SAMEGRAD },
	[Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};

static const char *const cases[] = { "a=1 b=1", "a=3x257 b=3x257", "a=2x3x5 b=2x3x5", "a=2x33x1024 b=2x33x1024", NULL };

static const struct hlx_op op = {
	.struct_size = sizeof(struct hlx_op),
	.name = "add",
	.doc = "y = a + b, element by element",
	.kind = HLX_LAYER,
	.slots = slots,
	.infer = add_infer,
	.ref_forward = add_ref_forward,
	.ref_backward = add_ref_backward,
	.ref64 = add_ref64,
	.cases = cases,
	.bench = add_bench,
	.work = add_work,
};

static const struct hlx_impl flat = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "add",
	.name = "flat",
	.doc = "4 elements a lane and turn, gradients by copy; any layout",
	.tier = HLX_PORTABLE,
	.prepare = add_prepare,
	.forward = add_forward,
	.backward = add_backward,
};

static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &flat, NULL };

HLX_PLUGIN(.name = "add", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
