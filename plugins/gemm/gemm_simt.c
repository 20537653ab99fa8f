/*
 * gemm_simt.c - for GPUs: register tiles over double-buffered shared memory (simt.glsl); simt is portable, fma of the
 * device tier.
 *
 * Large tiles reuse most, small ones leave no multiprocessor without work.  The tables are measured (docs/kernels.md,
 * bench/README.md): of 60 tiles and ways to order their loads, those few that are together within 1 % of the best one
 * for each product of tiny, small and medium.
 */
#include "gemm_tile.h"

#include "fma_nn.spv.h"
#include "fma_nn_next.spv.h"
#include "fma_nt.spv.h"
#include "fma_nt_next.spv.h"
#include "fma_tn.spv.h"
#include "fma_tt.spv.h"
#include "simt_nn.spv.h"
#include "simt_nn_next.spv.h"
#include "simt_nt.spv.h"
#include "simt_nt_next.spv.h"
#include "simt_tn.spv.h"
#include "simt_tt.spv.h"

#define SHADER(name) { #name, name##_spv, sizeof name##_spv, 0 }
/* [a transposed][b transposed], and with a neighbour's work, where a is not */
static const struct hlx_shader simt_shaders[3][2] = {
	{ SHADER(simt_nn), SHADER(simt_nt) }, { SHADER(simt_tn), SHADER(simt_tt) }, { SHADER(simt_nn_next), SHADER(simt_nt_next) },
};
static const struct hlx_shader fma_shaders[3][2] = {
	{ SHADER(fma_nn), SHADER(fma_nt) }, { SHADER(fma_tn), SHADER(fma_tt) }, { SHADER(fma_nn_next), SHADER(fma_nt_next) },
};

static const struct gemm_tile simt_table[] = {
	{ 128, 256, 8, 8, 16, 1, FORM_MID | FORM_AHEAD, 100, 2 },
	{ 64, 64, 8, 8, 8, 1, FORM_MID, 88, 7 },
	{ 64, 64, 16, 4, 8, 1, FORM_MID, 86, 3 },
	{ 32, 64, 16, 4, 4, 1, 0, 66, 6 },
	{ 32, 64, 32, 4, 4, 1, 0, 60, 2 },
	{ 0 },
};
static const struct gemm_tile fma_table[] = {
	{ 256, 128, 16, 16, 8, 1, FORM_MID | FORM_AHEAD, 100, 12 },
	{ 128, 128, 16, 8, 8, 1, FORM_EARLY, 88, 2 },
	{ 64, 64, 16, 8, 8, 2, FORM_MID, 80, 4 },
	{ 32, 64, 16, 4, 4, 1, 0, 66, 6 },
	{ 32, 64, 32, 4, 4, 1, 0, 60, 2 },
	{ 0 },
};

static uint32_t invocations(const struct hlx_caps *caps, const struct gemm_tile *t)
{
	(void)caps;
	return (uint32_t)(t->bm / t->tm) * (t->bn / t->tn) * t->split;
}

/* Two buffers of bk x (bm + bn), or C's tile for all but one of each two that share an output. */
static uint32_t shared_bytes(const struct hlx_caps *caps, const struct gemm_tile *t)
{
	uint32_t pieces = 2u * t->bk * (t->bm + t->bn) * 4, tree = (uint32_t)t->bm * t->bn * (t->split / 2) * 4;

	(void)caps;
	return pieces > tree ? pieces : tree;
}

/* AHEAD, on an H200, 2,048 cubed: simt nt and tn 0.7 and 1.2 % faster, fma nt and tn 0.8 and 3.6 %, but nn 8 % slower. */
static uint32_t simt_own(const struct hlx_caps *caps, const struct gemm_tile *tile, const struct gemm_task *t, uint32_t spec[])
{
	(void)caps;
	(void)tile;
	if (t->a.col == 1 && t->b.row != 1)
		spec[TILE_FORM] &= ~(uint32_t)FORM_AHEAD;
	return 0;
}

static uint32_t fma_own(const struct hlx_caps *caps, const struct gemm_tile *tile, const struct gemm_task *t, uint32_t spec[])
{
	spec[TILE_OWN] = tile->split;
	return 1 + simt_own(caps, tile, t, spec);
}

/*
 * In large tiles few invocations have much to do at the end, with nothing beside them: there gelu's own kernel is faster (H200,
 * tiny 64x128: 5.48 ms apart, 5.71 together; 8x128, in tiles of 64x64: 1.419 and 1.395; portable 1.87 and 1.81).
 */
#define NEXT_MOST (64u * 64u)

static const struct gemm_tiles simt_tiles = { simt_table, simt_shaders, invocations, shared_bytes, NULL, simt_own, NEXT_MOST };
static const struct gemm_tiles fma_tiles = { fma_table, fma_shaders, invocations, shared_bytes, NULL, fma_own, NEXT_MOST };
GEMM_TILE_PASSES(simt)
GEMM_TILE_PASSES(fma)

static int check_tiles(const struct hlx_host *host, const struct gemm_tiles *tiles)
{
	if (!gemm_tile_choose(tiles, host->caps, 1, 1, 1))
		return host->fail(host, HLX_ENOTSUP, "wants workgroups of 128 and 16 KiB of shared memory");
	return 0;
}

static int simt_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	(void)node;
	return check_tiles(host, &simt_tiles);
}

static int fma_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	(void)node;
	return check_tiles(host, &fma_tiles);
}

/* Both below simd, which takes CPU drivers alone; there barriers make these slow, but they can be named. */
const struct hlx_impl gemm_impl_simt = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "gemm",
	.name = "simt",
	.doc = "register tiles over shared memory, for GPUs",
	.tier = HLX_PORTABLE,
	.priority = 5,
	.supports = simt_supports,
	.prepare = simt_prepare,
	.forward = simt_forward,
	.backward = simt_backward,
	.finishes = simt_finishes,
	.unread = GEMM_UNREAD,
};

const struct hlx_impl gemm_impl_fma = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "gemm",
	.name = "fma",
	.doc = "the same with fused multiply-add, for GPUs; the bits are the device's own",
	.tier = HLX_DEVICE,
	.priority = 8,
	.supports = fma_supports,
	.prepare = fma_prepare,
	.forward = fma_forward,
	.backward = fma_backward,
	.finishes = fma_finishes,
	.unread = GEMM_UNREAD,
	.accuracy = GEMM_ACCURACY,
};
