/*
 * gelu.c - y = x * Phi(x) in its tanh form, element by element.
 *
 * x, y: any shape
 */
#include "plugins/flat.h"
#include "plugins/gelu/gelu.h"

#include "gelu_bwd.spv.h"
#include "gelu_bwd_any.spv.h"
#include "gelu_bwd_texel.spv.h"
#include "gelu_fwd.spv.h"
#include "gelu_fwd_any.spv.h"
#include "gelu_fwd_texel.spv.h"

static const struct flat_kernel fwd = { FLAT_SHADERS(gelu_fwd), { { X, HLX_VALUE, FLAT_READ }, { Y, HLX_VALUE, FLAT_WRITE } } };
static const struct flat_kernel bwd = { FLAT_SHADERS(gelu_bwd), { { X, HLX_VALUE, FLAT_READ }, { Y, HLX_GRAD, FLAT_READ },
	{ X, HLX_GRAD, FLAT_BOTH } } };

static const struct hlx_slot slots[] = {
	[X] = { "x", HLX_IN, 0 },
	[Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};

static int gelu_infer(const struct hlx_host *host, struct hlx_node *node)
{
	if (node->desc[X].dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "x is not f32");
	flat_like(&node->desc[Y], &node->desc[X]);
	node->causal = hlx_rows_causal(&node->desc[X]);
	return 0;
}

static int gelu_prepare(const struct hlx_host *host, struct hlx_node *node)
{
	return flat_fits(host, node, slots);
}

static int forward_flat(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return flat_record(host, node, rec, &fwd, FLAT_PLAIN);
}

static int backward_flat(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return node->grads >> X & 1 ? flat_record(host, node, rec, &bwd, FLAT_PLAIN) : 0;
}

static int forward_texel(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return flat_record(host, node, rec, &fwd, FLAT_TEXEL);
}

static int backward_texel(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return node->grads >> X & 1 ? flat_record(host, node, rec, &bwd, FLAT_TEXEL) : 0;
}

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
	.forward = forward_flat,
	.backward = backward_flat,
	.yields = HLX_YIELDS_FORWARD | HLX_YIELDS_BACKWARD,
	.unread = 1ull << Y,
};

static const struct hlx_impl texel = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "gelu",
	.name = "texel",
	.doc = "for CPU drivers: as flat, with texel fetches",
	.tier = HLX_PORTABLE,
	.priority = 10,
	.supports = flat_texel_supports,
	.prepare = gelu_prepare,
	.forward = forward_texel,
	.backward = backward_texel,
	.yields = HLX_YIELDS_FORWARD | HLX_YIELDS_BACKWARD,
	.unread = 1ull << Y,
};

static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &flat, &texel, NULL };

HLX_PLUGIN(.name = "gelu", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
