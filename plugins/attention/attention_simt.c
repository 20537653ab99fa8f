/*
 * attention_simt.c - for GPUs: register tiles over double-buffered shared memory (simt.glsl).
 *
 * Tiles of 64 x 64 reuse most.  Those of 32 x 64 are for a d_head above 64, whose accumulators fill the registers, for
 * devices with 32 KiB of shared memory, and for grids that would leave a big card without work.
 */
#include "attention.h"

#include "simt_dkv.spv.h"
#include "simt_dq.spv.h"
#include "simt_forward.spv.h"

#define SHADER(name) { #name, name##_spv, sizeof name##_spv, 0 }
static const struct hlx_shader forward_shader = SHADER(simt_forward), dq_shader = SHADER(simt_dq),
			       dkv_shader = SHADER(simt_dkv);

enum { SPEC_R, SPEC_N, SPEC_SCALAR, SPEC_COUNT };
#define MAX_DHEAD 256u
#define ENOUGH_GROUPS 256u

/* vec4s of d an invocation has, 16 of them a row; a power of two */
static uint32_t columns(const struct hlx_node *node)
{
	uint64_t dh = node->desc[Q].dim[3];

	return dh > 128 ? 4 : dh > 64 ? 2 : 1;
}

/* What simt.glsl and, at most, simt_forward.comp have. */
static uint32_t shared_bytes(uint32_t r, uint32_t n)
{
	uint32_t ab = 16 * (8 * r + 1 + 17), m = 256 * n, piece = ab > m ? ab : m;

	return 16 * ((n > 2 ? 1 : 2) * piece + 64 * 8 * r + 18 * 8 * r);
}

static uint32_t choose(const struct hlx_host *host, const struct hlx_node *node, enum attention_kernel which, uint32_t *rows,
		       uint32_t spec[4])
{
	const struct hlx_desc *d = node->desc;
	uint32_t n = columns(node), r = n > 1 || shared_bytes(2, n) > host->caps->shared_bytes ? 1 : 2;
	uint64_t length = d[which == ATTENTION_DKV ? K : Q].dim[2];

	if ((length + 63) / 64 * d[Q].dim[0] * d[Q].dim[1] < ENOUGH_GROUPS)
		r = 1;
	*rows = 32 * r;
	spec[SPEC_R] = r;
	spec[SPEC_N] = n;
	spec[SPEC_SCALAR] = !attention_whole(node);
	return d[Q].dim[3] <= MAX_DHEAD && shared_bytes(r, n) <= host->caps->shared_bytes ? SPEC_COUNT : 0;
}

/* Both kinds of pieces, and as much again for a driver that keeps a short loop. */
static uint32_t turns(const struct hlx_node *node)
{
	return 4 * (uint32_t)(2 * ((node->desc[Q].dim[3] + 15) / 16 + 1) + 2 * 5);
}

static const struct attention_engine engine = {
	.shader = { &forward_shader, &dq_shader, &dkv_shader }, .choose = choose, .turns = turns,
};

static int supports(const struct hlx_host *host, const struct hlx_node *node)
{
	uint32_t rows, spec[4];

	if (node->desc[Q].dim[3] > MAX_DHEAD)
		return host->fail(host, HLX_ENOTSUP, "d_head is %llu, at most %u can be held",
				  (unsigned long long)node->desc[Q].dim[3], MAX_DHEAD);
	if (host->caps->max_invocations < 128 || !choose(host, node, ATTENTION_FORWARD, &rows, spec))
		return host->fail(host, HLX_ENOTSUP, "wants workgroups of 128 and %u bytes of shared memory",
				  shared_bytes(1, columns(node)));
	return 0;
}

static int prepare(const struct hlx_host *host, struct hlx_node *node)
{
	return attention_prepare(host, node, &engine);
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return attention_forward(host, node, rec, &engine);
}

static int backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return attention_backward(host, node, rec, &engine);
}

const struct hlx_impl attention_impl_simt = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "attention",
	.name = "simt",
	.doc = "register tiles over shared memory, for GPUs",
	.tier = HLX_PORTABLE,
	.priority = 5,
	.supports = supports,
	.prepare = prepare,
	.forward = forward,
	.backward = backward,
};
