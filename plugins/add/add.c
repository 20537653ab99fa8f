/*
 * add.c - y = a + b, element by element: the residual connection.
 *
 * a, b, y: any shape, all the same
 */
#include "plugins/add/add.h"
#include "plugins/flat.h"

#include "add_acc.spv.h"
#include "add_acc_any.spv.h"
#include "add_acc_texel.spv.h"
#include "add_fwd.spv.h"
#include "add_fwd_any.spv.h"
#include "add_fwd_texel.spv.h"

#include <stdio.h>

static const struct flat_kernel fwd = { FLAT_SHADERS(add_fwd), { { A, HLX_VALUE, FLAT_READ }, { B, HLX_VALUE, FLAT_READ },
	{ Y, HLX_VALUE, FLAT_WRITE } } };
static const struct flat_kernel acc[2] = {
	[A] = { FLAT_SHADERS(add_acc), { { Y, HLX_GRAD, FLAT_READ }, { A, HLX_GRAD, FLAT_BOTH } } },
	[B] = { FLAT_SHADERS(add_acc), { { Y, HLX_GRAD, FLAT_READ }, { B, HLX_GRAD, FLAT_BOTH } } },
};

static const struct hlx_slot slots[] = {
	[A] = { "a", HLX_IN, HLX_SAMEGRAD },
	[B] = { "b", HLX_IN, HLX_SAMEGRAD },
	[Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};

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
	node->causal = hlx_rows_causal(a) && hlx_rows_causal(b);
	return 0;
}

static int add_prepare(const struct hlx_host *host, struct hlx_node *node)
{
	return flat_fits(host, node, slots);
}

/* A CPU driver's copy is a memcpy, 4 x as fast as a kernel; a GPU's may go through its DMA engine (H200: 0.83 TB/s, where
 * a kernel has 4.0). */
static int slot_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, uint16_t slot,
		enum flat_build build)
{
	uint64_t n = hlx_numel(&node->desc[Y]);
	if (!host->caps->cpu || node->accum >> slot & 1 || !flat_dense(&node->desc[Y]) || !flat_dense(&node->desc[slot]))
		return flat_record(host, node, rec, &acc[slot], build);
	const struct hlx_arg dst = flat_arg(node, slot, HLX_GRAD, 0, n), src = flat_arg(node, Y, HLX_GRAD, 0, n);
	return host->copy(rec, &dst, &src);
}

static int backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, enum flat_build build)
{
	int status = 0;
	for (uint16_t slot = A; slot <= B && !status; slot++)
		if (node->grads >> slot & 1)
			status = slot_backward(host, node, rec, slot, build);
	return status;
}

static int forward_flat(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return flat_record(host, node, rec, &fwd, FLAT_PLAIN);
}

static int backward_flat(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return backward(host, node, rec, FLAT_PLAIN);
}

static int forward_texel(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return flat_record(host, node, rec, &fwd, FLAT_TEXEL);
}

static int backward_texel(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return backward(host, node, rec, FLAT_TEXEL);
}

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
	.doc = "4 elements a lane and turn; any layout",
	.tier = HLX_PORTABLE,
	.prepare = add_prepare,
	.forward = forward_flat,
	.backward = backward_flat,
	.yields = HLX_YIELDS_FORWARD,
	.unread = 1ull << A | 1ull << B | 1ull << Y,
};

static const struct hlx_impl texel = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "add",
	.name = "texel",
	.doc = "for CPU drivers: as flat, with texel fetches",
	.tier = HLX_PORTABLE,
	.priority = 10,
	.supports = flat_texel_supports,
	.prepare = add_prepare,
	.forward = forward_texel,
	.backward = backward_texel,
	.yields = HLX_YIELDS_FORWARD,
	.unread = 1ull << A | 1ull << B | 1ull << Y,
};

static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &flat, &texel, NULL };

HLX_PLUGIN(.name = "add", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
