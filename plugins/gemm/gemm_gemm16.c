/* gemm_gemm16.c - the specification's 16 x 16 tiles: any device, any shape, slow on CPU drivers (barriers). */
#include "gemm.h"

#include "gemm16.spv.h"

static const struct hlx_shader shader = { "gemm16", gemm16_spv, sizeof gemm16_spv, 0 };

static int emit(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	static const struct gemm_kernel kernel = { .shader = &shader, .tile_m = 16, .tile_n = 16 };

	return gemm_dispatch(run, t, w, &kernel);
}

/* k + k / 16 turns an invocation */
static const struct gemm_engine engine = { 16, 16, 61440, emit };

static int supports(const struct hlx_host *host, const struct hlx_node *node)
{
	(void)node;
	if (host->caps->max_invocations < 256 || host->caps->shared_bytes < 2 * 16 * 17 * 4)
		return host->fail(host, HLX_ENOTSUP, "the device has no workgroups of 256");
	return 0;
}

static int prepare(const struct hlx_host *host, struct hlx_node *node)
{
	return gemm_prepare(host, node, &engine);
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return gemm_forward(host, node, rec, &engine);
}

static int backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return gemm_backward(host, node, rec, &engine);
}

const struct hlx_impl gemm_impl_gemm16 = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "gemm",
	.name = "gemm16",
	.doc = "16x16 tiles in shared memory, any device",
	.tier = HLX_PORTABLE,
	.priority = 0,
	.supports = supports,
	.prepare = prepare,
	.forward = forward,
	.backward = backward,
	.unread = GEMM_UNREAD,
};
