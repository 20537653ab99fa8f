/*
 * attention_simt.c - for GPUs: register tiles over double-buffered shared memory (simt.glsl).
 *
 * A workgroup of 256 has 128 queries in forward, 8 x 4 scores an invocation; backward, with three to four tiles in registers,
 * 64 rows, 4 x 4: on an H200 (d_head 64, seq 1,024) forward takes 0.92 of what it does with 64 rows, and backward
 * 0.87 of what it does with 128 rows.  Those of 128 with 32 rows are for grids that would leave a
 * big card without work, and for devices with little shared memory.
 */
#include "attention.h"

#include "simt_dkv.spv.h"
#include "simt_dkv_keep.spv.h"
#include "simt_dq.spv.h"
#include "simt_dq_kept.spv.h"
#include "simt_forward.spv.h"

#define SHADER(name) { #name, name##_spv, sizeof name##_spv, 0 }
static const struct hlx_shader forward_shader = SHADER(simt_forward), dq_shader = SHADER(simt_dq),
			       dkv_shader = SHADER(simt_dkv), dkv_keep_shader = SHADER(simt_dkv_keep),
			       dq_kept_shader = SHADER(simt_dq_kept);

enum { SPEC_INVOCATIONS, SPEC_R, SPEC_N, SPEC_SCALAR, SPEC_COUNT };
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
	uint32_t buffers = n > 2 ? 1 : 2, ab = buffers * 16 * (w * r + 1 + 17), pm = 64 * w * r + buffers * 256 * n;

	return 16 * ((ab > pm ? ab : pm) + 2 * w * r);
}

/* rows: 4 w r */
static const struct shape {
	uint32_t w, r, shortest; /* the least length it is for: short ones are mostly diagonal */
} shapes[] = { { 16, 2, 512 }, { 16, 1, 128 }, { 8, 1, 0 } };

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
	return (s->r == 1 || (which == ATTENTION_FORWARD && n == 1)) && length >= s->shortest &&
	       (length + rows - 1) / rows * d[Q].dim[0] * d[Q].dim[1] >= enough;
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
	return SPEC_COUNT;
}

/* Both kinds of pieces, and as much again for a driver that keeps a short loop. */
static uint32_t turns(const struct hlx_node *node)
{
	return 4 * (uint32_t)(2 * ((node->desc[Q].dim[3] + 15) / 16 + 1) + 2 * 5);
}

static const struct attention_engine engine = {
	.shader = { &forward_shader, &dq_shader, &dkv_shader, &dkv_keep_shader, &dq_kept_shader },
	.choose = choose,
	.turns = turns,
};

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
