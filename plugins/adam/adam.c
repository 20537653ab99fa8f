/*
 * adam.c - Adam with bias correction, decoupled weight decay and clipping by the global norm, on the whole arena.
 *
 * param, grad, m, v: (n), n a multiple of 64   flags: (n / 64)   loss, norm: (2)
 */
#include "plugins/adam/adam.h"
#include "plugins/flat.h"

#include "adam_step.spv.h"
#include "adam_step_texel.spv.h"

#include <string.h>

static const struct hlx_shader shaders[] = { FLAT_SHADER(adam_step), FLAT_SHADER(adam_step_texel) };

typedef unsigned long long ull;

static int want(const struct hlx_host *host, const struct hlx_node *node, int slot, const char *name, uint64_t n,
		enum hlx_dtype dtype)
{
	const struct hlx_desc *d = &node->desc[slot];
	if (d->dtype != dtype)
		return host->fail(host, HLX_EDTYPE, "%s is not %s", name, dtype == HLX_F32 ? "f32" : "u32");
	if (hlx_numel(d) != n)
		return host->fail(host, HLX_ESHAPE, "%s has %llu elements, want %llu", name, (ull)hlx_numel(d), (ull)n);
	return 0;
}

static int adam_infer(const struct hlx_host *host, struct hlx_node *node)
{
	static const char *const names[] = { [GRAD] = "grad", [FLAGS] = "flags", [LOSS] = "loss", [NORM] = "norm" };
	uint64_t n = hlx_numel(&node->desc[PARAM]);
	const uint64_t sizes[] = { [GRAD] = n, [FLAGS] = n / ADAM_SEGMENT, [LOSS] = 2, [NORM] = 2 };
	int status = 0;
	if (!n || n % ADAM_SEGMENT)
		return host->fail(host, HLX_ESHAPE, "param has %llu elements, want a multiple of %u", (ull)n, ADAM_SEGMENT);
	for (int s = GRAD; s <= NORM && !status; s++)
		status = want(host, node, s, names[s], sizes[s], s == FLAGS ? HLX_U32 : HLX_F32);
	flat_like(&node->desc[M], &node->desc[PARAM]);
	flat_like(&node->desc[V], &node->desc[PARAM]);
	return status;
}

/* Elements [at, at + n).  The texel build reads what it updates through bindings of its own. */
static int record_window(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, bool texel,
		uint64_t at, uint64_t n)
{
	struct flat_grid g = flat_share(host->caps, n);
	const uint32_t push[] = { (uint32_t)n, g.turns };
	const uint32_t spec[] = { g.lanes, flat_vec(host->caps, texel ? FLAT_TEXEL : FLAT_PLAIN, n), 0 };
	struct hlx_arg args[] = {
		flat_arg(node, PARAM, HLX_VALUE, at, n),
		flat_arg(node, GRAD, HLX_VALUE, at, n),
		flat_arg(node, M, HLX_VALUE, at, n),
		flat_arg(node, V, HLX_VALUE, at, n),
		flat_arg(node, FLAGS, HLX_VALUE, at / ADAM_SEGMENT, n / ADAM_SEGMENT),
		flat_arg(node, LOSS, HLX_VALUE, 0, 2),
		flat_arg(node, NORM, HLX_VALUE, 0, 2),
		{ 0, HLX_STEP, HLX_SSBO, 0, 0 },
		flat_arg(node, PARAM, HLX_VALUE, at, n),
		flat_arg(node, M, HLX_VALUE, at, n),
		flat_arg(node, V, HLX_VALUE, at, n),
	};
	struct hlx_pipeline *pipeline;
	args[1].how = texel ? HLX_TEXEL : HLX_SSBO;
	args[8].how = args[9].how = args[10].how = HLX_TEXEL;
	int status = host->pipeline(host, &shaders[texel], spec, 3, &pipeline);
	return status ? status : host->dispatch(rec, pipeline, args, texel ? 11 : 8, push, sizeof push, g.groups, 1, 1);
}

static int record(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, bool texel)
{
	uint64_t n = hlx_numel(&node->desc[PARAM]), window = flat_window(host->caps);
	int status = 0;
	for (uint64_t at = 0; at < n && !status; at += window)
		status = record_window(host, node, rec, texel, at, n - at < window ? n - at : window);
	return status;
}

static int forward_flat(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return record(host, node, rec, false);
}

static int forward_texel(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return record(host, node, rec, true);
}

static size_t adam_step(const struct hlx_node *node, const struct hlx_step *step, void *scalars, size_t room)
{
	struct adam_scalars s = adam_scalars(node, step);
	if (room < sizeof s)
		return 0;
	memcpy(scalars, &s, sizeof s);
	return sizeof s;
}

static const struct hlx_slot slots[] = {
	[PARAM] = { "param", HLX_STATE, 0 },
	[GRAD] = { "grad", HLX_IN, HLX_NOGRAD },
	[FLAGS] = { "flags", HLX_IN, HLX_NOGRAD },
	[LOSS] = { "loss", HLX_IN, HLX_NOGRAD },
	[NORM] = { "norm", HLX_IN, HLX_NOGRAD },
	[M] = { "m", HLX_STATE, 0 },
	[V] = { "v", HLX_STATE, 0 },
	{ 0 },
};

/* eps stays above 0, so that 0 / 0 does not arise: of it 2^32 times is used, 42 for 1e-8. */
#define AT(member) offsetof(struct adam_attrs, member)
static const struct hlx_attr attrs[] = {
	{ "lr", "learning rate; the schedule gives each step's", HLX_FLOAT, AT(lr), 3e-4, 0, 1e3, NULL },
	{ "beta1", "how much of the first average a step keeps", HLX_FLOAT, AT(beta1), 0.9, 0, 0.999999, NULL },
	{ "beta2", "how much of the second", HLX_FLOAT, AT(beta2), 0.999, 0, 0.999999, NULL },
	{ "eps", "added to the root of the second average", HLX_FLOAT, AT(eps), 1e-8, 1e-20, 1, NULL },
	{ "weight_decay", "decoupled; not of biases and norms", HLX_FLOAT, AT(weight_decay), 0, 0, 1e3, NULL },
	{ "grad_clip", "largest norm of the mean gradient, 0 for any", HLX_FLOAT, AT(grad_clip), 0, 0, 1e9, NULL },
	{ 0 },
};

static const char *const cases[] = {
	"param=64 grad=64 flags=1<4 loss=2 norm=2",
	"param=4416 grad=4416 flags=69<4 loss=2 norm=2 weight_decay=0.1 grad_clip=0.5",
	NULL,
};

static const struct hlx_op op = {
	.struct_size = sizeof(struct hlx_op),
	.name = "adam",
	.doc = "Adam with bias correction, decoupled weight decay and clipping by the global norm",
	.kind = HLX_OPTIMIZER,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct adam_attrs),
	.infer = adam_infer,
	.ref_forward = adam_ref_forward,
	.cases = cases,
	.bench = adam_bench,
	.work = adam_work,
};

static const struct hlx_impl flat = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "adam",
	.name = "flat",
	.doc = "4 elements a lane and turn",
	.tier = HLX_PORTABLE,
	.forward = forward_flat,
	.step = adam_step,
};

static const struct hlx_impl texel = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "adam",
	.name = "texel",
	.doc = "for CPU drivers: as flat, with texel fetches",
	.tier = HLX_PORTABLE,
	.priority = 10,
	.supports = flat_texel_supports,
	.forward = forward_texel,
	.step = adam_step,
};

static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &flat, &texel, NULL };

HLX_PLUGIN(.name = "adam", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
