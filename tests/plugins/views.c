/*
 * views.c - tensors inside other tensors, as heads and unheads make them.
 *
 * part:   x: (rows, cols)                y: (rows, count), a view of x's columns first ... first + count - 1
 * stamped: x: (rows, cols)             y: all of x, its first element 7 from here on
 * joined: x: (rows, a)  b: (rows, b)     y: (rows, a + b); x and b are asked to live in y, side by side
 */
#include "tests/plugins/toy.h"

struct attrs {
	int64_t first, count;
};

static int part_infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct attrs *a = node->attrs;
	struct hlx_desc *x = &node->desc[TOY_X], *y = &node->desc[TOY_Y];

	if (toy_rank(host, node) < 0)
		return HLX_ESHAPE;
	*y = *x;
	y->dim[1] = (uint64_t)a->count;
	y->view_of = TOY_X + 1;
	y->offset = (uint64_t)a->first;
	return 0;
}

static int stamped_infer(const struct hlx_host *host, struct hlx_node *node)
{
	if (toy_rank(host, node) < 0)
		return HLX_ESHAPE;
	node->desc[TOY_Y] = node->desc[TOY_X];
	node->desc[TOY_Y].view_of = TOY_X + 1;
	node->desc[TOY_Y].offset = 0;
	return 0;
}

static int stamped_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct hlx_arg first = { .slot = TOY_Y, .range = 4 };

	(void)node;
	return host->fill(rec, &first, 0x40e00000u);
}

static int joined_infer(const struct hlx_host *host, struct hlx_node *node)
{
	struct hlx_desc *x = &node->desc[TOY_X], *b = &node->desc[TOY_B], *y = &node->desc[TOY_Y];

	if (toy_rank(host, node) < 0)
		return HLX_ESHAPE;
	toy_like(y, x);
	y->dim[1] = x->dim[1] + b->dim[1];
	hlx_contiguous(y);
	x->view_of = b->view_of = TOY_Y + 1;
	x->stride[0] = b->stride[0] = y->dim[1];
	x->offset = 0;
	b->offset = x->dim[1];
	return 0;
}

static int nothing(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	(void)host, (void)node, (void)rec;
	return 0;
}

static const struct hlx_slot part_slots[] = {
	[TOY_X] = { "x", HLX_IN, 0 },
	[TOY_Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};
static const struct hlx_slot joined_slots[] = {
	[TOY_X] = { "x", HLX_IN, 0 },
	[TOY_Y] = { "y", HLX_OUT, 0 },
	[TOY_B] = { "b", HLX_IN, 0 },
	{ 0 },
};
static const struct hlx_attr part_attrs[] = {
	{ "first", "first column", HLX_INT, offsetof(struct attrs, first), 0, 0, 1 << 20, NULL },
	{ "count", "columns", HLX_INT, offsetof(struct attrs, count), 1, 1, 1 << 20, NULL },
	{ 0 },
};

static const struct hlx_op part = { .struct_size = sizeof(struct hlx_op), .name = "part", .doc = "for tests",
	.kind = HLX_LAYER, .slots = part_slots, .attrs = part_attrs, .attrs_size = sizeof(struct attrs), .infer = part_infer };
static const struct hlx_op stamped = { .struct_size = sizeof(struct hlx_op), .name = "stamped", .doc = "for tests",
	.kind = HLX_LAYER, .slots = part_slots, .infer = stamped_infer };
static const struct hlx_op joined = { .struct_size = sizeof(struct hlx_op), .name = "joined", .doc = "for tests",
	.kind = HLX_LAYER, .slots = joined_slots, .infer = joined_infer };
static const struct hlx_impl part_view = { .struct_size = sizeof(struct hlx_impl), .op = "part", .name = "view",
	.doc = "for tests", .tier = HLX_PORTABLE, .forward = nothing, .backward = nothing };
static const struct hlx_impl stamped_view = { .struct_size = sizeof(struct hlx_impl), .op = "stamped", .name = "view",
	.doc = "for tests", .tier = HLX_PORTABLE, .forward = stamped_forward, .backward = nothing };
static const struct hlx_impl joined_view = { .struct_size = sizeof(struct hlx_impl), .op = "joined", .name = "view",
	.doc = "for tests", .tier = HLX_PORTABLE, .forward = nothing, .backward = nothing };

static const struct hlx_op *const ops[] = { &part, &stamped, &joined, NULL };
static const struct hlx_impl *const impls[] = { &part_view, &stamped_view, &joined_view, NULL };

HLX_PLUGIN(.name = "views", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
