/* wrong.c - an op whose forward pass asks the core for something it must refuse; `how` says for what. */
#include "tests/plugins/toy.h"

#include "toy_add.spv.h"
#include "toy_double.spv.h"
#include "toy_scale.spv.h"
#include "toy_set.spv.h"
#include "toy_texel.spv.h"
#include "toy_wide.spv.h"

static const struct hlx_shader scale = { "toy_scale", toy_scale_spv, sizeof(toy_scale_spv), 0 };
static const struct hlx_shader add = { "toy_add", toy_add_spv, sizeof(toy_add_spv), 0 };
static const struct hlx_shader texel = { "toy_texel", toy_texel_spv, sizeof(toy_texel_spv), 0 };
static const struct hlx_shader wide = { "toy_wide", toy_wide_spv, sizeof(toy_wide_spv), 0 };
static const struct hlx_shader set1 = { "toy_set", toy_set_spv, sizeof(toy_set_spv), 0 };
static const struct hlx_shader float64 = { "toy_double", toy_double_spv, sizeof(toy_double_spv), 0 };
static const uint32_t rubbish[] = { 0x07230203, 0x00010500, 0, 8, 0, 0xffff0001 };
static const struct hlx_shader broken = { "broken", rubbish, sizeof(rubbish), 0 };

enum how { FEW, MANY, PUSH_SHORT, PUSH_LONG, PAST_END, PAST_START, WRAPS, UNALIGNED, KIND_TEXEL, KIND_SSBO, KIND_STEP, GROUPS,
	SAVED, WORK, GRAD, SLOT, WHAT, COPY_SIZES, COPY_OVERLAP, FILL_ODD, HOST_MANY, HOST_FAILS, DOUBLE, BROKEN, SET_1,
	SPEC, WIDE, TOO_MANY_SPECS, PREPARE, NOTHING };
static const char *const names[] = { "few", "many", "push_short", "push_long", "past_end", "past_start", "wraps", "unaligned",
	"kind_texel", "kind_ssbo", "kind_step", "groups", "saved", "work", "grad", "slot", "what", "copy_sizes",
	"copy_overlap", "fill_odd", "host_many", "host_fails", "double", "broken", "set_1", "spec", "wide", "too_many_specs",
	"prepare", "nothing", NULL };

struct attrs {
	int32_t how;
};

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	toy_like(&node->desc[TOY_Y], &node->desc[TOY_X]);
	return toy_rank(host, node);
}

static int prepare(const struct hlx_host *host, struct hlx_node *node)
{
	const struct attrs *a = node->attrs;

	return a->how == PREPARE ? host->fail(host, HLX_ENOTSUP, "rows of more than 3 elements") : 0;
}

static int dispatch(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, struct hlx_arg to,
		uint32_t n_args, size_t push_size, uint32_t groups)
{
	uint32_t n = (uint32_t)hlx_numel(&node->desc[TOY_X]), cols = (uint32_t)hlx_cols(&node->desc[TOY_X]);
	struct toy_scale_push push[2] = { { n, cols, 0, cols, 0, cols, 1.0f, 0 } };
	struct hlx_arg args[] = { hlx_value(TOY_X), to, hlx_value(TOY_Y) };
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, &scale, NULL, 0, &pipeline);

	return status < 0 ? status : host->dispatch(rec, pipeline, args, n_args, push, push_size, groups, 1, 1);
}

static int other(const struct hlx_host *host, struct hlx_rec *rec, const struct hlx_shader *shader, uint32_t n_args,
		const uint32_t *spec, uint32_t n_spec)
{
	struct hlx_arg args[] = { hlx_value(TOY_X), hlx_value(TOY_Y), { .what = HLX_STEP } };
	struct hlx_pipeline *pipeline;
	uint32_t n = 1;
	int status = host->pipeline(host, shader, spec, n_spec, &pipeline);

	return status < 0 ? status : host->dispatch(rec, pipeline, args, n_args, &n, shader == &texel ? 4 : 0, 1, 1, 1);
}

static int call(void *ctx, void *const *data, const struct hlx_step *step)
{
	(void)ctx, (void)data, (void)step;
	return HLX_EINVAL;
}

static int record_rest(const struct hlx_host *host, struct hlx_rec *rec, int how)
{
	static const uint32_t specs[20] = { 1 }, lanes = 1u << 20;
	static const bool write[20] = { false };
	struct hlx_arg args[20] = { { 0 } }, y = hlx_value(TOY_Y), x = hlx_value(TOY_X);

	switch (how) {
	case COPY_SIZES: x.range = 8; y.range = 12; return host->copy(rec, &y, &x);
	case COPY_OVERLAP: x = y; x.range = y.range = 12; return host->copy(rec, &y, &x);
	case FILL_ODD: y.range = 3; return host->fill(rec, &y, 0);
	case HOST_MANY: return host->host_call(rec, call, NULL, args, write, 20);
	case HOST_FAILS: return host->host_call(rec, call, NULL, args, write, 1);
	case DOUBLE: return other(host, rec, &float64, 2, NULL, 0);
	case BROKEN: return other(host, rec, &broken, 2, NULL, 0);
	case SET_1: return other(host, rec, &set1, 2, NULL, 0);
	case SPEC: return other(host, rec, &add, 2, specs, 1);
	case WIDE: return other(host, rec, &wide, 2, &lanes, 1);
	case TOO_MANY_SPECS: return other(host, rec, &wide, 2, specs, 20);
	case KIND_SSBO: return other(host, rec, &texel, 2, NULL, 0);
	}
	return 0;
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct attrs *a = node->attrs;
	size_t push = sizeof(struct toy_scale_push);
	struct hlx_arg y = hlx_value(TOY_Y);

	switch (a->how) {
	case FEW: return dispatch(host, node, rec, y, 1, push, 1);
	case MANY: return dispatch(host, node, rec, y, 3, push, 1);
	case PUSH_SHORT: return dispatch(host, node, rec, y, 2, push - 4, 1);
	case PUSH_LONG: return dispatch(host, node, rec, y, 2, push + 4, 1);
	case PAST_END: y.range = hlx_numel(&node->desc[TOY_Y]) * 4 + 4; break;
	case PAST_START: y.offset = toy_padded(hlx_numel(&node->desc[TOY_Y])); break;
	case WRAPS: y.offset = HLX_ALIGN; y.range = UINT64_MAX - HLX_ALIGN + 1; break;
	case UNALIGNED: y.offset = 4; break;
	case KIND_TEXEL: y.how = HLX_TEXEL; break;
	case KIND_STEP: y.what = HLX_STEP; break;
	case GROUPS: return dispatch(host, node, rec, y, 2, push, UINT32_MAX);
	case SAVED: y.what = HLX_SAVED; break;
	case WORK: y.what = HLX_WORK; break;
	case GRAD: y.what = HLX_GRAD; break;
	case SLOT: y.slot = 2; break;
	case WHAT: y.what = 9; break;
	default: return record_rest(host, rec, a->how);
	}
	return dispatch(host, node, rec, y, 2, push, 1);
}

static const struct hlx_slot slots[] = {
	[TOY_X] = { "x", HLX_IN, 0 },
	[TOY_Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};
static const struct hlx_attr attrs[] = {
	{ "how", "what is wrong", HLX_ENUM, offsetof(struct attrs, how), NOTHING, 0, 0, names },
	{ 0 },
};
static const struct hlx_op op = { .struct_size = sizeof(struct hlx_op), .name = "wrong", .doc = "for tests",
	.kind = HLX_LAYER, .slots = slots, .attrs = attrs, .attrs_size = sizeof(struct attrs), .infer = infer };
static const struct hlx_impl impl = { .struct_size = sizeof(struct hlx_impl), .op = "wrong", .name = "plain",
	.doc = "for tests", .tier = HLX_PORTABLE, .prepare = prepare, .forward = forward };
static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &impl, NULL };

HLX_PLUGIN(.name = "wrong", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
