/*
 * leaky.c - an op in a plugin of its own: y = x where x > 0, else slope * x.
 *
 * x, y: any shape, dense      dx = or += dy where x > 0, else slope * dy
 */
#include "hlx/math.h"
#include "hlx/plugin.h"

#include "leaky_bwd.spv.h"
#include "leaky_fwd.spv.h"

enum { X, Y };

struct leaky {
	double slope;
};

/* What is computed. */

static int leaky_infer(const struct hlx_host *host, struct hlx_node *node)
{
	if (node->desc[X].dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "x is not f32");
	node->causal = hlx_rows_causal(&node->desc[X]);
	node->desc[Y] = node->desc[X];
	node->desc[Y].view_of = 0;
	node->desc[Y].offset = 0;
	hlx_contiguous(&node->desc[Y]);
	return 0;
}

static float slope_of(const struct hlx_node *node)
{
	return (float)((const struct leaky *)node->attrs)->slope;
}

/* Where element i of a tensor lies, for the references, which take any layout. */
static uint64_t at(const struct hlx_desc *d, uint64_t i)
{
	uint64_t offset = 0;

	for (uint32_t k = d->rank; k-- > 0; i /= d->dim[k])
		offset += i % d->dim[k] * d->stride[k];
	return offset;
}

static int leaky_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const float *x = value[X];
	float *y = value[Y], slope = slope_of(node);
	uint64_t n = hlx_numel(&node->desc[X]);

	(void)step;
	for (uint64_t i = 0; i < n; i++) {
		float v = x[at(&node->desc[X], i)];
		y[at(&node->desc[Y], i)] = hlx_store(v > 0.0f ? v : hlx_mul(v, slope));
	}
	return 0;
}

static int leaky_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		const struct hlx_step *step)
{
	const float *x = value[X], *dy = grad[Y];
	float *dx = grad[X], slope = slope_of(node);
	uint64_t n = node->grads >> X & 1 ? hlx_numel(&node->desc[X]) : 0;

	(void)step;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t to = at(&node->desc[X], i);
		float g = dy[at(&node->desc[Y], i)], r = x[to] > 0.0f ? g : hlx_mul(g, slope);
		dx[to] = node->accum >> X & 1 ? hlx_accum(dx[to], r) : hlx_store(r);
	}
	return 0;
}

static int leaky_ref64(const struct hlx_node *node, double *const value[])
{
	double slope = ((const struct leaky *)node->attrs)->slope;
	uint64_t n = hlx_numel(&node->desc[X]);

	for (uint64_t i = 0; i < n; i++) {
		double v = value[X][at(&node->desc[X], i)];
		value[Y][at(&node->desc[Y], i)] = v > 0 ? v : v * slope;
	}
	return 0;
}

static const struct hlx_slot slots[] = {
	[X] = { "x", HLX_IN, 0 },
	[Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};

static const struct hlx_attr attrs[] = {
	{ "slope", "what a negative x is multiplied with", HLX_FLOAT, offsetof(struct leaky, slope), 0.01, -1, 1, NULL },
	{ 0 },
};

static const char *const cases[] = { "x=1", "x=3x257", "x=2x3x5 slope=0.2", "x=2x33x1024", NULL };

static const struct hlx_op leaky = {
	.struct_size = sizeof(struct hlx_op),
	.name = "leaky",
	.doc = "y = x where x > 0, else slope * x",
	.kind = HLX_LAYER,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct leaky),
	.infer = leaky_infer,
	.ref_forward = leaky_ref_forward,
	.ref_backward = leaky_ref_backward,
	.ref64 = leaky_ref64,
	.cases = cases,
};

/* How it is computed. */

static const struct hlx_shader fwd = { "leaky_fwd", leaky_fwd_spv, sizeof(leaky_fwd_spv), 0 };
static const struct hlx_shader bwd = { "leaky_bwd", leaky_bwd_spv, sizeof(leaky_bwd_spv), 0 };

#define LOCAL 64u                  /* local_size_x of the kernels */
#define WINDOW (65535u * LOCAL)    /* elements a dispatch takes: 16 MiB, less than any device's binding */

struct push {
	uint32_t n;
	float slope;
	uint32_t accum;
};

static int flat_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	for (int s = X; s <= Y; s++)
		if (!hlx_is_contiguous(&node->desc[s]) || node->desc[s].offset * 4 % HLX_ALIGN)
			return host->fail(host, HLX_ENOTSUP, "%s is a view, and this kernel wants it dense", slots[s].name);
	return 0;
}

static struct hlx_arg window(const struct hlx_node *node, uint16_t slot, uint8_t what, uint64_t first, uint64_t n)
{
	return (struct hlx_arg){ slot, what, HLX_SSBO, (node->desc[slot].offset + first) * 4, n * 4 };
}

static int record(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec, bool backward)
{
	uint64_t n = hlx_numel(&node->desc[X]);
	struct hlx_pipeline *pipeline;
	int status = host->pipeline(host, backward ? &bwd : &fwd, NULL, 0, &pipeline);

	for (uint64_t first = 0; first < n && status >= 0; first += WINDOW) {
		uint64_t count = n - first < WINDOW ? n - first : WINDOW;
		struct push push = { (uint32_t)count, slope_of(node), node->accum >> X & 1 };
		struct hlx_arg args[3] = { window(node, X, HLX_VALUE, first, count) }; /* as the bindings are numbered */
		args[1] = window(node, Y, backward ? HLX_GRAD : HLX_VALUE, first, count);
		args[2] = window(node, X, HLX_GRAD, first, count);
		status = host->dispatch(rec, pipeline, args, backward ? 3 : 2, &push, backward ? 12 : 8,
				(uint32_t)((count + LOCAL - 1) / LOCAL), 1, 1);
	}
	return status;
}

static int flat_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return record(host, node, rec, false);
}

static int flat_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return node->grads >> X & 1 ? record(host, node, rec, true) : 0;
}

static const struct hlx_impl flat = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "leaky",
	.name = "flat",
	.doc = "an element an invocation",
	.tier = HLX_PORTABLE,
	.priority = 100,
	.supports = flat_supports,
	.forward = flat_forward,
	.backward = flat_backward,
};

static const struct hlx_op *const ops[] = { &leaky, NULL };
static const struct hlx_impl *const impls[] = { &flat, NULL };

HLX_PLUGIN(.name = "leaky", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
