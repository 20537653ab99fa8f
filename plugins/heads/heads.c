/*
 * heads.c - splitting rows into attention heads and merging them again, without a copy: one tensor is a view of the
 * other, and nothing is dispatched.
 *
 * heads:   x: (B, T, parts * H * dh)   y: (B, H, T, dh), a view of x: head h of `part` of parts
 * unheads: x: (B, H, T, dh)            y: (B, T, H * dh)
 *
 *     a row of x, parts = 3, H = 2:   | q: h0 | h1 | k: h0 | h1 | v: h0 | h1 |     each box dh wide
 *
 * unheads' y is a view of x where heads already lie side by side in x (a view made by heads), else x is asked to live
 * inside y: whoever writes x then writes the merged rows directly.
 */
#include "plugins/heads/heads.h"

typedef unsigned long long ull;

static int heads_infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct heads_attrs *a = node->attrs;
	const struct hlx_desc *x = &node->desc[X];
	if (x->rank != 3)
		return host->fail(host, HLX_ESHAPE, "x has %u dims, want 3 (batch, seq, columns)", x->rank);
	if (a->part >= a->parts)
		return host->fail(host, HLX_EINVAL, "part=%lld of parts=%lld: parts are counted from 0", (long long)a->part,
				(long long)a->parts);
	if (!a->num_heads)
		return host->fail(host, HLX_EINVAL, "num_heads is 0 or missing: want at least 1, here or in [model]");
	uint64_t parts = (uint64_t)a->parts, heads = (uint64_t)a->num_heads, width = x->dim[2] / parts;
	if (x->dim[2] % parts)
		return host->fail(host, HLX_ESHAPE, "x has %llu columns, not divisible by parts %llu", (ull)x->dim[2], (ull)parts);
	if (width % heads)
		return host->fail(host, HLX_ESHAPE, "d_model %llu is not divisible by num_heads %llu", (ull)width, (ull)heads);
	uint64_t dh = width / heads, s = x->stride[2];
	node->causal = hlx_rows_causal(x);
	node->desc[Y] = (struct hlx_desc){
		.dtype = x->dtype,
		.rank = 4,
		.dim = { x->dim[0], heads, x->dim[1], dh },
		.stride = { x->stride[0], dh * s, x->stride[1], s },
		.axis = { x->axis[0], HLX_OTHER, x->axis[1], HLX_OTHER },
		.view_of = X + 1,
		.offset = (uint64_t)a->part * width * s,
	};
	return 0;
}

static int unheads_infer(const struct hlx_host *host, struct hlx_node *node)
{
	struct hlx_desc *x = &node->desc[X], *y = &node->desc[Y];
	if (x->rank != 4)
		return host->fail(host, HLX_ESHAPE, "x has %u dims, want 4 (batch, heads, seq, d_head)", x->rank);
	node->causal = hlx_rows_causal(x) && x->axis[1] == HLX_OTHER;
	uint64_t b = x->dim[0], h = x->dim[1], t = x->dim[2], dh = x->dim[3];
	*y = (struct hlx_desc){
		.dtype = x->dtype,
		.rank = 3,
		.dim = { b, t, h * dh },
		.axis = { x->axis[0], x->axis[2], HLX_OTHER },
	};
	if (h == 1 || x->stride[1] == dh * x->stride[3]) {
		y->view_of = X + 1;
		y->stride[0] = x->stride[0];
		y->stride[1] = x->stride[2];
		y->stride[2] = x->stride[3];
		return 0;
	}
	hlx_contiguous(y);
	x->view_of = Y + 1;
	x->offset = 0;
	x->stride[0] = y->stride[0];
	x->stride[1] = dh;
	x->stride[2] = y->stride[1];
	x->stride[3] = 1;
	return 0;
}

/* Forward and backward: the view is all. */
static int nothing(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	(void)host, (void)node, (void)rec;
	return 0;
}

static const struct hlx_slot slots[] = {
	[X] = { "x", HLX_IN, 0 },
	[Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};

#define AT(member) offsetof(struct heads_attrs, member)
static const struct hlx_attr heads_attrs[] = {
	{ "part", "which part of a row, from 0: q, k, v", HLX_INT, AT(part), 0, 0, 65535, NULL },
	{ "parts", "how many parts a row has", HLX_INT, AT(parts), 3, 1, 65536, NULL },
	{ "num_heads", "heads of a part (default: [model] num_heads)", HLX_INT, AT(num_heads), 0, 0, 1 << 24, NULL },
	{ 0 },
};

static const char *const heads_cases[] = { "x=2x5x24 part=1 num_heads=4", "x=3x7x10 part=0 parts=1 num_heads=2",
	"x=1x1x3 part=2 num_heads=1", NULL };
static const char *const unheads_cases[] = { "x=2x4x5x8", "x=3x1x7x5", "x=1x3x1x257", NULL };

static const struct hlx_op heads = {
	.struct_size = sizeof(struct hlx_op),
	.name = "heads",
	.doc = "part `part` of each row, split into heads: (batch, seq, columns) seen as (batch, heads, seq, d_head)",
	.kind = HLX_LAYER,
	.slots = slots,
	.attrs = heads_attrs,
	.attrs_size = sizeof(struct heads_attrs),
	.infer = heads_infer,
	.ref_forward = heads_ref_forward,
	.ref_backward = heads_ref_backward,
	.ref64 = heads_ref64,
	.cases = heads_cases,
};

static const struct hlx_op unheads = {
	.struct_size = sizeof(struct hlx_op),
	.name = "unheads",
	.doc = "heads merged into rows: (batch, heads, seq, d_head) seen as (batch, seq, heads * d_head)",
	.kind = HLX_LAYER,
	.slots = slots,
	.infer = unheads_infer,
	.ref_forward = heads_ref_forward,
	.ref_backward = heads_ref_backward,
	.ref64 = unheads_ref64,
	.cases = unheads_cases,
};

static const struct hlx_impl heads_view = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "heads",
	.name = "view",
	.doc = "no copy, no dispatch",
	.tier = HLX_PORTABLE,
	.forward = nothing,
	.backward = nothing,
};

static const struct hlx_impl unheads_view = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "unheads",
	.name = "view",
	.doc = "no copy, no dispatch",
	.tier = HLX_PORTABLE,
	.forward = nothing,
	.backward = nothing,
};

static const struct hlx_op *const ops[] = { &heads, &unheads, NULL };
static const struct hlx_impl *const impls[] = { &heads_view, &unheads_view, NULL };

HLX_PLUGIN(.name = "heads", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
