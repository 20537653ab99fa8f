/*
 * gemm_bias.c - the bias' gradient: dbias (slots, n) from dc (rows, n), as struct gemm_dbias says.
 *
 * One dispatch takes all slots where dc fits a binding; else a window is a range of one slot's blocks, and the next
 * one goes on from what the last one stored.
 */
#include "gemm.h"

#include "gemm_dbias.spv.h"
#include "gemm_dbias_texel.spv.h"

static const struct hlx_shader shaders[2] = {
	{ "gemm_dbias", gemm_dbias_spv, sizeof gemm_dbias_spv, 0 },
	{ "gemm_dbias_texel", gemm_dbias_texel_spv, sizeof gemm_dbias_texel_spv, 0 },
};

#define ALIGN (HLX_ALIGN / 4)
#define MAX_BLOCKS UINT64_C(13000) /* a dispatch: 5 turns of loops a block stay below 65,535 */

/* gemm_dbias.glsl has the same block. */
struct push {
	uint32_t n, row, seq, blocks, first, count, base, slot_rows, slot_stride, go_on;
};

/* Blocks first ... end of slots s0 ... s1; blocks of one slot only unless they are all of them. */
struct window {
	uint64_t s0, s1, first, end;
	bool go_on;
};

/* The row, in its slot, where a block starts. */
static uint64_t block_row(const struct gemm_dbias *t, uint64_t block)
{
	return block / t->blocks * t->seq + block % t->blocks * GEMM_BLOCK;
}

/* A CPU driver's lane takes 4 columns; a GPU's one, and keeps more loads in flight. */
static int dispatch(const struct gemm_run *run, const struct gemm_dbias *t, const struct window *w)
{
	const struct hlx_host *host = run->host;
	const struct hlx_caps *caps = host->caps;
	uint32_t vec = caps->cpu && (t->n | t->row | t->base) % 4 == 0;
	bool texel = vec && caps->max_texels >= caps->max_range / 16;
	uint32_t spec[3] = { caps->cpu ? caps->subgroup : 64, vec, caps->cpu ? 8 : 32 };
	uint32_t cols = spec[0] * (vec ? 4 : 1);
	uint64_t slot_rows = t->runs * t->seq;
	uint64_t from = t->base + (w->s0 * slot_rows + block_row(t, w->first)) * t->row;
	uint64_t to = t->base + ((w->s1 - 1) * slot_rows + block_row(t, w->end - 1)) * t->row;
	uint64_t in = from / ALIGN * ALIGN, out = w->s0 * t->slot_stride;
	struct hlx_pipeline *pipeline;

	uint64_t left = t->seq - (w->end - 1) % t->blocks * GEMM_BLOCK; /* rows of the last block */
	to += ((left < GEMM_BLOCK ? left : GEMM_BLOCK) - 1) * t->row + t->n;
	struct push push = { (uint32_t)t->n, (uint32_t)t->row, (uint32_t)t->seq, (uint32_t)t->blocks,
			     (uint32_t)w->first, (uint32_t)(w->end - w->first),
			     (uint32_t)(t->base + w->s0 * slot_rows * t->row - in), (uint32_t)slot_rows,
			     (uint32_t)t->slot_stride, w->go_on };
	struct hlx_arg args[2] = {
		{ GEMM_C, HLX_GRAD, texel ? HLX_TEXEL : HLX_SSBO, in * 4, (to - in) * 4 },
		{ GEMM_BIAS, HLX_GRAD, HLX_SSBO, out * 4, (w->s1 - w->s0) * t->slot_stride * 4 },
	};
	if (args[0].range > caps->max_range || args[1].range > caps->max_range)
		return host->fail(host, HLX_ENOTSUP, "32 rows of the result's gradient are larger than a binding");
	int rc = host->pipeline(host, &shaders[texel], spec, 3, &pipeline);
	if (rc || !run->rec)
		return rc;
	return host->dispatch(run->rec, pipeline, args, 2, &push, sizeof push, (push.n + cols - 1) / cols,
			      (uint32_t)(w->s1 - w->s0), 1);
}

int gemm_run_dbias(const struct gemm_run *run)
{
	struct gemm_dbias t = gemm_task_dbias(run->node);
	struct window w = { 0, t.slots, 0, t.runs * t.blocks, gemm_accumulates(run->node, GEMM_BIAS) };
	uint64_t total = w.end, room = run->host->caps->max_range / 4, rows = room > ALIGN ? (room - ALIGN) / t.row : 0;
	uint64_t most = rows / GEMM_BLOCK < MAX_BLOCKS ? rows / GEMM_BLOCK : MAX_BLOCKS;
	int rc = 0;

	if (total <= MAX_BLOCKS && t.slots * t.runs * t.seq <= rows)
		return dispatch(run, &t, &w);
	most = most ? most : 1;
	for (uint64_t s = 0; rc == 0 && s < t.slots; s++)
		for (uint64_t b = 0; rc == 0 && b < total; b += most) {
			struct window part = { s, s + 1, b, b + most < total ? b + most : total, w.go_on || b > 0 };
			rc = dispatch(run, &t, &part);
		}
	return rc;
}
