/*
 * toy.c - layers: scale y = k x, sum y = x + b, square y = x x, shift y = x + w (a parameter), stepped y = x step(),
 * copied and texel y = x.  The views are in toy_views.c, the backward pass with a host call in toy_host.c.
 */
#include "tests/plugins/toy.h"

#include <string.h>

#include "toy_add.spv.h"
#include "toy_mul.spv.h"
#include "toy_scale.spv.h"
#include "toy_step.spv.h"
#include "toy_texel.spv.h"

static const struct hlx_shader scale = { "toy_scale", toy_scale_spv, sizeof(toy_scale_spv), 0 };
static const struct hlx_shader add = { "toy_add", toy_add_spv, sizeof(toy_add_spv), 0 };
static const struct hlx_shader mul = { "toy_mul", toy_mul_spv, sizeof(toy_mul_spv), 0 };
static const struct hlx_shader step_kernel = { "toy_step", toy_step_spv, sizeof(toy_step_spv), 0 };
static const struct hlx_shader texel_kernel = { "toy_texel", toy_texel_spv, sizeof(toy_texel_spv), 0 };

/* -- scale ------------------------------------------------------------------------------------------------- */

int toy_scale(const struct hlx_host *host, struct hlx_rec *rec, const struct hlx_node *node, struct hlx_arg from,
		const struct hlx_desc *x, struct hlx_arg to, const struct hlx_desc *y, float k, bool accum)
{
	uint64_t n = hlx_numel(&node->desc[TOY_X]), cols = hlx_cols(&node->desc[TOY_X]);
	struct toy_scale_push push = { (uint32_t)n, (uint32_t)cols, x ? (uint32_t)x->offset : 0,
		(uint32_t)(x ? x->stride[0] : cols), y ? (uint32_t)y->offset : 0, (uint32_t)(y ? y->stride[0] : cols), k,
		accum };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, &scale, NULL, 0, &pipeline);

	if (status < 0)
		return status;
	return host->dispatch(rec, pipeline, (struct hlx_arg[]){ from, to }, 2, &push, sizeof(push), toy_groups(n), 1, 1);
}

static int infer_like(const struct hlx_host *host, struct hlx_node *node)
{
	toy_like(&node->desc[TOY_Y], &node->desc[TOY_X]);
	return toy_rank(host, node);
}

static int scale_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct toy_scale_attrs *a = node->attrs;

	return toy_scale(host, rec, node, hlx_value(TOY_X), &node->desc[TOY_X], hlx_value(TOY_Y), &node->desc[TOY_Y],
			(float)a->k, false);
}

static int scale_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct toy_scale_attrs *a = node->attrs;

	return toy_scale(host, rec, node, hlx_grad(TOY_Y), &node->desc[TOY_Y], hlx_grad(TOY_X), &node->desc[TOY_X],
			(float)a->k, node->accum & 1);
}

/* -- sum, shift, square ------------------------------------------------------------------------------------ */

static int infer_sum(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *x = &node->desc[TOY_X], *b = &node->desc[TOY_B];

	toy_like(&node->desc[TOY_Y], x);
	if (b->rank != 2 || b->dim[0] != x->dim[0] || b->dim[1] != x->dim[1])
		return host->fail(host, HLX_ESHAPE, "x is (%llu, %llu), b is (%llu, %llu): want the same",
				(unsigned long long)x->dim[0], (unsigned long long)x->dim[1], (unsigned long long)b->dim[0],
				(unsigned long long)b->dim[1]);
	return toy_rank(host, node);
}

static int infer_shift(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *x = &node->desc[TOY_X];

	if (toy_rank(host, node) < 0)
		return HLX_ESHAPE;
	toy_like(&node->desc[TOY_Y], x);
	if (!node->desc[TOY_B].rank) /* a tied one is left as it is, for the core to refuse */
		node->desc[TOY_B] = (struct hlx_desc){ .dtype = HLX_F32, .rank = 1, .dim = { x->dim[1] } };
	else if (node->desc[TOY_B].dim[0] != x->dim[1])
		node->desc[TOY_B].dim[0] = x->dim[1];
	node->init[TOY_B].constant = 0.5;
	return 0;
}

static int sum_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	struct hlx_arg args[] = { hlx_value(TOY_X), hlx_value(TOY_B), hlx_value(TOY_Y) };
	uint32_t n = (uint32_t)hlx_numel(&node->desc[TOY_X]);
	uint32_t push[] = { n, (uint32_t)hlx_numel(&node->desc[TOY_B]) };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, &add, NULL, 0, &pipeline);

	return status < 0 ? status : host->dispatch(rec, pipeline, args, 3, push, sizeof(push), toy_groups(n), 1, 1);
}

static int sum_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	int status = 0;

	for (uint16_t s = TOY_X; s <= TOY_B && status >= 0; s++)
		if (s != TOY_Y && (node->grads >> s & 1))
			status = toy_scale(host, rec, node, hlx_grad(TOY_Y), &node->desc[TOY_Y], hlx_grad(s), &node->desc[s],
					1.0f, node->accum >> s & 1);
	return status;
}

static int dispatch_mul(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct hlx_arg *args, bool accum)
{
	uint32_t n = (uint32_t)hlx_numel(&node->desc[TOY_X]), push[] = { n, accum };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, &mul, NULL, 0, &pipeline);

	return status < 0 ? status : host->dispatch(rec, pipeline, args, 3, push, sizeof(push), toy_groups(n), 1, 1);
}

/* What forward keeps for backward: 2 x. */
static int square_prepare(const struct hlx_host *host, struct hlx_node *node)
{
	(void)host;
	node->saved_bytes = hlx_numel(&node->desc[TOY_X]) * 4;
	return 0;
}

static int square_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	struct hlx_arg args[] = { hlx_value(TOY_X), hlx_value(TOY_X), hlx_value(TOY_Y) };
	int status = dispatch_mul(host, node, rec, args, false);

	return status < 0 ? status : toy_scale(host, rec, node, hlx_value(TOY_X), &node->desc[TOY_X],
			(struct hlx_arg){ .what = HLX_SAVED }, NULL, 2.0f, false);
}

static int square_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	struct hlx_arg args[] = { hlx_grad(TOY_Y), { .what = HLX_SAVED }, hlx_grad(TOY_X) };

	return dispatch_mul(host, node, rec, args, node->accum & 1);
}

/* -- stepped, copied, texel -------------------------------------------------------------------------------- */

static int run_simple(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct hlx_shader *shader, const struct hlx_arg *args, uint32_t n_args)
{
	uint32_t n = (uint32_t)hlx_numel(&node->desc[TOY_X]);
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, shader, NULL, 0, &pipeline);

	return status < 0 ? status : host->dispatch(rec, pipeline, args, n_args, &n, sizeof(n), toy_groups(n), 1, 1);
}

static int stepped_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	struct hlx_arg args[] = { hlx_value(TOY_X), hlx_value(TOY_Y), { .what = HLX_STEP } };

	return run_simple(host, node, rec, &step_kernel, args, 3);
}

static size_t stepped_step(const struct hlx_node *node, const struct hlx_step *step, void *scalars, size_t room)
{
	float k = (float)step->n_seq;

	(void)node, (void)room;
	memcpy(scalars, &k, sizeof(k));
	return sizeof(k);
}

static int copied_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	struct hlx_arg x = hlx_value(TOY_X), y = hlx_value(TOY_Y), head = y;
	int status = host->fill(rec, &y, 0xffffffffu);

	(void)node;
	if (status >= 0)
		status = host->copy(rec, &y, &x);
	head.range = 4;
	return status < 0 ? status : host->fill(rec, &head, 0x40e00000u); /* y[0] = 7 */
}

static int texel_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	struct hlx_arg args[] = { { .slot = TOY_X, .how = HLX_TEXEL }, hlx_value(TOY_Y) };

	return run_simple(host, node, rec, &texel_kernel, args, 2);
}

/* -- tables ------------------------------------------------------------------------------------------------ */

static const struct hlx_slot one_slots[] = {
	[TOY_X] = { "x", HLX_IN, 0 },
	[TOY_Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};
static const struct hlx_slot sum_slots[] = {
	[TOY_X] = { "x", HLX_IN, 0 },
	[TOY_Y] = { "y", HLX_OUT, 0 },
	[TOY_B] = { "b", HLX_IN, 0 },
	{ 0 },
};
static const struct hlx_slot shift_slots[] = {
	[TOY_X] = { "x", HLX_IN, 0 },
	[TOY_Y] = { "y", HLX_OUT, 0 },
	[TOY_B] = { "w", HLX_PARAM, 0 },
	{ 0 },
};
static const struct hlx_attr scale_attrs[] = {
	{ "k", "the factor", HLX_FLOAT, offsetof(struct toy_scale_attrs, k), 2, -100, 100, NULL },
	{ 0 },
};

#define OP(id, ...) \
	static const struct hlx_op op_##id = { .struct_size = sizeof(struct hlx_op), .name = #id, .doc = "for tests", \
		.kind = HLX_LAYER, __VA_ARGS__ }
#define IMPL(id, of, label, ...) \
	static const struct hlx_impl id = { .struct_size = sizeof(struct hlx_impl), .op = of, .name = label, \
		.doc = "for tests", .tier = HLX_PORTABLE, __VA_ARGS__ }

OP(scale, .slots = one_slots, .attrs = scale_attrs, .attrs_size = sizeof(struct toy_scale_attrs), .infer = infer_like);
OP(sum, .slots = sum_slots, .infer = infer_sum);
OP(square, .slots = one_slots, .infer = infer_like);
OP(shift, .slots = shift_slots, .infer = infer_shift);
OP(stepped, .slots = one_slots, .infer = infer_like);
OP(copied, .slots = one_slots, .infer = infer_like);
OP(texel, .slots = one_slots, .infer = infer_like);

IMPL(scale_plain, "scale", "plain", .forward = scale_forward, .backward = scale_backward);
IMPL(scale_ahead, "scale", "ahead", .priority = 3, .forward = scale_forward); /* no backward */
IMPL(sum_plain, "sum", "plain", .forward = sum_forward, .backward = sum_backward);
IMPL(square_plain, "square", "plain", .prepare = square_prepare, .forward = square_forward,
		.backward = square_backward);
IMPL(shift_plain, "shift", "plain", .forward = sum_forward);
IMPL(stepped_plain, "stepped", "plain", .forward = stepped_forward, .step = stepped_step);
IMPL(copied_plain, "copied", "plain", .forward = copied_forward);
IMPL(texel_plain, "texel", "plain", .forward = texel_forward);

static const struct hlx_op *const ops[] = { &op_scale, &op_sum, &op_square, &op_shift, &op_stepped, &op_copied, &op_texel,
	NULL };
static const struct hlx_impl *const impls[] = { &scale_plain, &scale_ahead, &toy_scale_host, &sum_plain, &square_plain,
	&shift_plain, &stepped_plain, &copied_plain, &texel_plain, NULL };

HLX_PLUGIN(.name = "toy", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
