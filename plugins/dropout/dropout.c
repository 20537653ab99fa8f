/*
 * dropout.c - each element of x is dropped with probability p while training, and what is left is scaled by 1 / (1 - p).
 *
 * x, y: any shape, the batch first
 *
 * Which ones is a function of seed, node, step, sequence and place (dropout_ref.c): the backward pass, and a layer that
 * is made again, draw the same words once more, and nothing is saved.  Where nothing is dropped, in validation, sampling
 * and with p = 0, y is a view of x and nothing runs.
 */
#include "plugins/dropout/dropout.h"
#include "plugins/flat.h"

#include <string.h>

#include "dropout_bwd.spv.h"
#include "dropout_bwd_any.spv.h"
#include "dropout_bwd_texel.spv.h"
#include "dropout_fwd.spv.h"
#include "dropout_fwd_any.spv.h"
#include "dropout_fwd_texel.spv.h"

typedef unsigned long long ull;

static const struct flat_kernel fwd = { FLAT_SHADERS(dropout_fwd), { { X, HLX_VALUE, FLAT_READ }, { Y, HLX_VALUE, FLAT_WRITE } } };
static const struct flat_kernel bwd = { FLAT_SHADERS(dropout_bwd), { { Y, HLX_GRAD, FLAT_READ }, { X, HLX_GRAD, FLAT_BOTH } } };

static const struct hlx_slot slots[] = {
	[X] = { "x", HLX_IN, 0 },
	[Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};

static const struct hlx_attr attrs[] = {
	{ "p", "probability with which an element is dropped, below 1", HLX_FLOAT, offsetof(struct dropout_attrs, p), 0.1, 0, 1,
		NULL },
	{ 0 },
};

static int dropout_infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct dropout_attrs *a = node->attrs;
	const struct hlx_desc *x = &node->desc[X];
	if (x->dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "x is not f32");
	if (a->p >= 1)
		return host->fail(host, HLX_EINVAL, "p is 1, which drops everything: want at least 0 and below 1");
	if (x->axis[0] != HLX_BATCH)
		return host->fail(host, HLX_ESHAPE, "the first dim of x is not the batch: what is dropped is drawn sequence by sequence");
	flat_like(&node->desc[Y], x);
	if (a->p > 0 && node->train)
		return 0;
	memcpy(node->desc[Y].stride, x->stride, sizeof x->stride);
	node->desc[Y].view_of = X + 1;
	node->causal = 1;
	return 0;
}

/* Places in a sequence and a window's elements, at most 2^30, are added up in 32 bits. */
static int dropout_prepare(const struct hlx_host *host, struct hlx_node *node)
{
	uint64_t per_seq = hlx_numel(&node->desc[X]) / node->desc[X].dim[0];
	if (per_seq > 1u << 31)
		return host->fail(host, HLX_ENOTSUP, "a sequence has %llu elements, more than 2^31", (ull)per_seq);
	return node->desc[Y].view_of ? 0 : flat_fits(host, node, slots);
}

/* Elements [at, at + n). */
static int record_window(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct flat_kernel *kernel, enum flat_build build, uint64_t at, uint64_t n)
{
	uint64_t per_seq = hlx_numel(&node->desc[X]) / node->desc[X].dim[0];
	struct flat_grid g = flat_share(host->caps, n);
	struct flat_push any = { (uint32_t)n, g.turns, { 0 }, { { 0 } } };
	const uint32_t dense[] = { (uint32_t)n, g.turns, (uint32_t)(at / per_seq), (uint32_t)(at % per_seq) };
	const uint32_t spec[] = { g.lanes, flat_vec(host->caps, build, n), flat_accum(node, kernel), per_seq % 4 == 0 };
	struct hlx_pipeline *pipeline;
	struct hlx_arg args[7];
	uint32_t n_args = flat_args(node, kernel, build, at, n, &any, args);
	args[n_args++] = (struct hlx_arg){ 0, HLX_STEP, HLX_SSBO, 0, 0 };
	int status = host->pipeline(host, &kernel->build[build], spec, 4, &pipeline);
	if (status)
		return status;
	return build == FLAT_ANY ? host->dispatch(rec, pipeline, args, n_args, &any, sizeof any, g.groups, 1, 1) :
			host->dispatch(rec, pipeline, args, n_args, dense, sizeof dense, g.groups, 1, 1);
}

static int record(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct flat_kernel *kernel, enum flat_build build)
{
	uint64_t n = hlx_numel(&node->desc[X]), window = flat_window(host->caps);
	int status = 0;
	if (node->desc[Y].view_of)
		return 0;
	build = flat_choose(node, kernel, build);
	window = build == FLAT_ANY ? n : window;
	for (uint64_t at = 0; at < n && !status; at += window)
		status = record_window(host, node, rec, kernel, build, at, n - at < window ? n - at : window);
	return status;
}

static int forward_flat(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return record(host, node, rec, &fwd, FLAT_PLAIN);
}

static int backward_flat(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return node->grads >> X & 1 ? record(host, node, rec, &bwd, FLAT_PLAIN) : 0;
}

static int forward_texel(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return record(host, node, rec, &fwd, FLAT_TEXEL);
}

static int backward_texel(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return node->grads >> X & 1 ? record(host, node, rec, &bwd, FLAT_TEXEL) : 0;
}

static size_t dropout_step(const struct hlx_node *node, const struct hlx_step *step, void *scalars, size_t room)
{
	struct dropout_scalars s = dropout_scalars(node, step);
	if (room < sizeof s)
		return 0;
	memcpy(scalars, &s, sizeof s);
	return sizeof s;
}

static const char *const cases[] = { "x=1x1 p=0.5", "x=3x257", "x=2x3x5 p=0.7", "x=5x3 p=0.25", "x=2x33x1024 p=0.2",
	"x=2x3x7x7 p=0.5", "x=3x5x8 p=0", NULL };

static const struct hlx_op op = {
	.struct_size = sizeof(struct hlx_op),
	.name = "dropout",
	.doc = "training: y = x / (1 - p), and 0 with probability p, element by element; else y = x",
	.kind = HLX_LAYER,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct dropout_attrs),
	.infer = dropout_infer,
	.ref_forward = dropout_ref_forward,
	.ref_backward = dropout_ref_backward,
	.ref64 = dropout_ref64,
	.cases = cases,
	.bench = dropout_bench,
	.work = dropout_work,
};

static const struct hlx_impl flat = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "dropout",
	.name = "flat",
	.doc = "4 elements a lane and turn; any layout",
	.tier = HLX_PORTABLE,
	.prepare = dropout_prepare,
	.forward = forward_flat,
	.backward = backward_flat,
	.step = dropout_step,
};

static const struct hlx_impl texel = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "dropout",
	.name = "texel",
	.doc = "for CPU drivers: as flat, with texel fetches",
	.tier = HLX_PORTABLE,
	.priority = 10,
	.supports = flat_texel_supports,
	.prepare = dropout_prepare,
	.forward = forward_texel,
	.backward = backward_texel,
	.step = dropout_step,
};

static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &flat, &texel, NULL };

HLX_PLUGIN(.name = "dropout", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
