/*
 * toy_host.c - scale with a host call in the middle of its backward pass, and the same bits:
 *
 *   dy --dispatch--> work[0] --host call: times k--> work[1] --dispatch--> dx
 *
 * It is where a collective between processes will sit, or a kernel in C.
 */
#include <stdlib.h>

#include "hlx/math.h"
#include "tests/plugins/toy.h"

struct call { /* outlives the program */
	uint64_t n;
	float k;
};

static int times_k(void *ctx, void *const *data, const struct hlx_step *step)
{
	const struct call *c = ctx;
	const float *in = data[0];
	float *out = data[1];

	if (!step->train)
		return HLX_EINVAL;
	for (uint64_t i = 0; i < c->n; i++)
		out[i] = hlx_store(hlx_mul(in[i], c->k));
	return 0;
}

static int prepare(const struct hlx_host *host, struct hlx_node *node)
{
	const struct toy_scale_attrs *a = node->attrs;
	struct call *c = malloc(sizeof(*c));

	if (!c)
		return host->fail(host, HLX_ENOMEM, "out of memory");
	*c = (struct call){ hlx_numel(&node->desc[TOY_X]), (float)a->k };
	node->work_bytes = 2 * toy_padded(c->n);
	node->priv = c;
	return 0;
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	const struct call *c = node->priv;

	return toy_scale(host, rec, node, hlx_value(TOY_X), &node->desc[TOY_X], hlx_value(TOY_Y), &node->desc[TOY_Y], c->k,
			false);
}

static int backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	struct call *c = node->priv;
	struct hlx_arg work[] = { { .what = HLX_WORK, .range = c->n * 4 },
		{ .what = HLX_WORK, .offset = toy_padded(c->n), .range = c->n * 4 } };
	int status = toy_scale(host, rec, node, hlx_grad(TOY_Y), &node->desc[TOY_Y], work[0], NULL, 1.0f, false);

	if (status >= 0)
		status = host->host_call(rec, times_k, c, work, (const bool[]){ false, true }, 2);
	return status < 0 ? status : toy_scale(host, rec, node, work[1], NULL, hlx_grad(TOY_X), &node->desc[TOY_X], 1.0f,
			node->accum & 1);
}

static void destroy(const struct hlx_host *host, struct hlx_node *node)
{
	(void)host;
	free(node->priv);
}

const struct hlx_impl toy_scale_host = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "scale",
	.name = "host",
	.doc = "for tests: a host call inside the backward pass",
	.tier = HLX_PORTABLE,
	.priority = -1,
	.prepare = prepare,
	.forward = forward,
	.backward = backward,
	.destroy = destroy,
};
