/*
 * planted.c - total: y[r][c] = x[r][0] + ... + x[r][c], from the left.  plain does that; swapping adds from the right, and
 * dividing holds a division, though both claim to be portable; fast is swapping and says that it is of tier device.
 * With CHANGED, plain is what swapping is: the same names, other SPIR-V.
 */
#include "tests/plugins/toy.h"

#include "hlx/math.h"
#include "planted_divide.spv.h"
#ifndef CHANGED
#include "planted_sum.spv.h"
#endif
#include "planted_swapped.spv.h"

#ifndef CHANGED
static const struct hlx_shader sum = { "planted_sum", planted_sum_spv, sizeof(planted_sum_spv), 0 };
#endif
static const struct hlx_shader swapped = { "planted_swapped", planted_swapped_spv, sizeof(planted_swapped_spv), 0 };
static const struct hlx_shader divide = { "planted_divide", planted_divide_spv, sizeof(planted_divide_spv), 0 };

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	toy_like(&node->desc[TOY_Y], &node->desc[TOY_X]);
	return toy_rank(host, node);
}

static int reference(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	uint64_t cols = hlx_cols(&node->desc[TOY_X]);
	const float *x = value[TOY_X];
	float *y = value[TOY_Y];

	(void)step;
	for (uint64_t r = 0; r < hlx_rows(&node->desc[TOY_X]); r++) {
		float s = 0;
		for (uint64_t c = 0; c < cols; c++) {
			s += x[r * cols + c];
			y[r * cols + c] = hlx_store(s);
		}
	}
	return 0;
}

static int run(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct hlx_shader *shader)
{
	struct hlx_arg args[] = { hlx_value(TOY_X), hlx_value(TOY_Y) };
	uint32_t push[] = { (uint32_t)hlx_rows(&node->desc[TOY_X]), (uint32_t)hlx_cols(&node->desc[TOY_X]) };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, shader, NULL, 0, &pipeline);

	return status < 0 ? status : host->dispatch(rec, pipeline, args, 2, push, sizeof(push), toy_groups(push[0]), 1, 1);
}

static int run_swapped(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return run(host, node, rec, &swapped);
}

static int run_divide(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return run(host, node, rec, &divide);
}

static int run_plain(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
#ifdef CHANGED
	return run(host, node, rec, &swapped);
#else
	return run(host, node, rec, &sum);
#endif
}

static const struct hlx_slot slots[] = {
	[TOY_X] = { "x", HLX_IN, 0 },
	[TOY_Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};
static const char *const cases[] = { "x=2x2", "x=3x17", "x=9x130", NULL }; /* of two there is but one sum */
static const struct hlx_op total = { .struct_size = sizeof(struct hlx_op), .name = "total", .doc = "for tests",
	.kind = HLX_LAYER, .slots = slots, .infer = infer, .ref_forward = reference, .cases = cases };

#define IMPL(id, of_tier, weight, call) \
	static const struct hlx_impl id = { .struct_size = sizeof(struct hlx_impl), .op = "total", .name = #id, \
		.doc = "for tests", .tier = of_tier, .priority = weight, .forward = call }
IMPL(plain, HLX_PORTABLE, 5, run_plain);
IMPL(swapping, HLX_PORTABLE, 1, run_swapped);
IMPL(dividing, HLX_PORTABLE, 1, run_divide);
IMPL(fast, HLX_DEVICE, 9, run_swapped);

static const struct hlx_op *const ops[] = { &total, NULL };
static const struct hlx_impl *const impls[] = { &plain, &swapping, &dividing, &fast, NULL };

HLX_PLUGIN(.name = "planted", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
