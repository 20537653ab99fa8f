/*
 * attention_simt.c - for GPUs: register tiles over double-buffered shared memory (simt.glsl); simt is portable, fma of the
 * device tier.
 *
 * A workgroup of 256 has 128 queries in forward, 8 x 4 scores an invocation; dk and dv, with three to four tiles in registers,
 * 64 rows, 4 x 4; dq of a kept dS, with one, 64 rows in 128 invocations, 8 x 4.  On an H200 (d_head 64; seq 1,024, for fma 512)
 * forward takes 0.92 of what it does with 64 rows of 4 x 4, fma's 0.83; dk with dv gains nothing by 8 x 4, and fma's loses 7 %;
 * that dq is within 5 % either way.  Workgroups of 128 with 32 rows are for grids that would leave a big card without work, and
 * for devices with little shared memory.
 */
#include "attention.h"

#include "fma_delta.spv.h"
#include "fma_dkv.spv.h"
#include "fma_dkv_keep.spv.h"
#include "fma_dq.spv.h"
#include "fma_dq_kept.spv.h"
#include "fma_forward.spv.h"
#include "simt_delta.spv.h"
#include "simt_dkv.spv.h"
#include "simt_dkv_keep.spv.h"
#include "simt_dq.spv.h"
#include "simt_dq_kept.spv.h"
#include "simt_forward.spv.h"

#define SHADER(name) { #name, name##_spv, sizeof name##_spv, 0 }
#define SHADERS(impl) { \
	[ATTENTION_FORWARD] = SHADER(impl##_forward), \
	[ATTENTION_DQ] = SHADER(impl##_dq), \
	[ATTENTION_DKV] = SHADER(impl##_dkv), \
	[ATTENTION_DKV_KEEP] = SHADER(impl##_dkv_keep), \
	[ATTENTION_DQ_KEPT] = SHADER(impl##_dq_kept), \
	[ATTENTION_DELTA] = SHADER(impl##_delta), \
}
static const struct hlx_shader simt_shaders[ATTENTION_KERNELS] = SHADERS(simt), fma_shaders[ATTENTION_KERNELS] = SHADERS(fma);

enum { SPEC_INVOCATIONS, SPEC_R, SPEC_N, SPEC_SCALAR, SPEC_EDGE, SPEC_COUNT };
#define MAX_DHEAD 256u
#define ENOUGH_GROUPS 256u

/* vec4s of d an invocation has, 16 of them a row; a power of two */
static uint32_t columns(const struct hlx_node *node)
{
	uint64_t dh = node->desc[Q].dim[3];

	return dh > 128 ? 4 : dh > 64 ? 2 : 1;
}

/* What simt.glsl and, at most, simt_forward.comp have. */
static uint32_t shared_bytes(uint32_t w, uint32_t r, uint32_t n)
{
	uint32_t buffers = n > 2 ? 1 : 2, ab = buffers * 16 * (w * r + 16), pm = 64 * w * r + buffers * 256 * n;

	return 16 * ((ab > pm ? ab : pm) + 2 * w * r);
}

/* rows: 4 w r */
static const struct shape {
	uint32_t w, r, shortest; /* the least length it is for: short ones are mostly diagonal */
	uint32_t kernels;
} shapes[] = {
	{ 16, 2, 512, 1 << ATTENTION_FORWARD },
	{ 8, 2, 128, 1 << ATTENTION_DQ_KEPT },
	{ 16, 1, 128, UINT32_MAX },
	{ 8, 1, 0, UINT32_MAX },
};

static bool suits(const struct hlx_host *host, const struct hlx_node *node, enum attention_kernel which,
		  const struct shape *s)
{
	const struct hlx_desc *d = node->desc;
	uint64_t length = d[attention_side(which)].dim[2];
	uint32_t n = columns(node), rows = 4 * s->w * s->r;
	uint64_t enough = host->caps->cpu ? 1 : ENOUGH_GROUPS;

	if (16 * s->w > host->caps->max_invocations || shared_bytes(s->w, s->r, n) > host->caps->shared_bytes)
		return false;
	if (s->shortest == 0)
		return true;
	return s->kernels >> which & 1 && (s->r == 1 || n == 1) && length >= s->shortest &&
	       (length + rows - 1) / rows * d[Q].dim[0] * d[Q].dim[1] >= enough;
}

/* Is something of what workgroups of these rows read outside of the tensors, or SCALAR? */
static bool has_edge(const struct hlx_node *node, enum attention_kernel which, uint32_t rows)
{
	bool keys = attention_side(which) == K;
	uint64_t x = node->desc[keys ? K : Q].dim[2], y = node->desc[keys ? Q : K].dim[2];

	return !attention_whole(node) || node->desc[Q].dim[3] != 64 * columns(node) || x % rows || y % 64;
}

static uint32_t choose(const struct hlx_host *host, const struct hlx_node *node, enum attention_kernel which, uint32_t *rows,
		       uint32_t spec[8])
{
	const struct shape *s = shapes, *end = shapes + sizeof shapes / sizeof *shapes;

	while (s < end && !suits(host, node, which, s))
		s++;
	if (s == end || node->desc[Q].dim[3] > MAX_DHEAD)
		return 0;
	*rows = 4 * s->w * s->r;
	spec[SPEC_INVOCATIONS] = 16 * s->w;
	spec[SPEC_R] = s->r;
	spec[SPEC_N] = columns(node);
	spec[SPEC_SCALAR] = !attention_whole(node);
	spec[SPEC_EDGE] = has_edge(node, which, *rows);
	return SPEC_COUNT;
}

/* Both kinds of pieces, and as much again for a driver that keeps a short loop. */
static uint32_t turns(const struct hlx_node *node)
{
	return 4 * (uint32_t)(2 * ((node->desc[Q].dim[3] + 15) / 16 + 1) + 2 * 5);
}

static const struct attention_engine simt = { .shader = simt_shaders, .choose = choose, .turns = turns },
	fma = { .shader = fma_shaders, .choose = choose, .turns = turns };

static int supports(const struct hlx_host *host, const struct hlx_node *node)
{
	uint32_t rows, spec[8];

	if (node->desc[Q].dim[3] > MAX_DHEAD)
		return host->fail(host, HLX_ENOTSUP, "d_head is %llu, at most %u can be held",
				  (unsigned long long)node->desc[Q].dim[3], MAX_DHEAD);
	if (host->caps->max_invocations < 128 || !choose(host, node, ATTENTION_FORWARD, &rows, spec))
		return host->fail(host, HLX_ENOTSUP, "wants workgroups of 128 and %u bytes of shared memory",
				  shared_bytes(8, 1, columns(node)));
	return 0;
}

/* prepare, forward and backward of an implementation on an engine of the same name */
#define PASSES(engine) \
	static int engine##_prepare(const struct hlx_host *host, struct hlx_node *node) \
	{ \
		return attention_prepare(host, node, &engine); \
	} \
	static int engine##_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec) \
	{ \
		return attention_forward(host, node, rec, &engine); \
	} \
	static int engine##_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec) \
	{ \
		return attention_backward(host, node, rec, &engine); \
	}
PASSES(simt)
PASSES(fma)

const struct hlx_impl attention_impl_simt = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "attention",
	.name = "simt",
	.doc = "register tiles over shared memory, for GPUs",
	.tier = HLX_PORTABLE,
	.priority = 5,
	.supports = supports,
	.prepare = simt_prepare,
	.forward = simt_forward,
	.backward = simt_backward,
};

const struct hlx_impl attention_impl_fma = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "attention",
	.name = "fma",
	.doc = "the same with fused multiply-add and the device's exp; the bits are the device's own",
	.tier = HLX_DEVICE,
	.priority = 8,
	.supports = supports,
	.prepare = fma_prepare,
	.forward = fma_forward,
	.backward = fma_backward,
};
