/*
 * gemm_coopmat.c - for GPUs with matrix units (VK_KHR_cooperative_matrix): fp32 products as three of fp16 (coopmat.glsl).  Of the
 * device tier: how matrix units add is theirs.
 */
#include "gemm_tile.h"

#include "coopmat_nn.spv.h"
#include "coopmat_nn_next.spv.h"
#include "coopmat_nt.spv.h"
#include "coopmat_nt_next.spv.h"
#include "coopmat_tn.spv.h"
#include "coopmat_tt.spv.h"

#define SHADER(name) { #name, name##_spv, sizeof name##_spv, 1 }
static const struct hlx_shader coopmat_shaders[3][2] = {
	{ SHADER(coopmat_nn), SHADER(coopmat_nt) }, { SHADER(coopmat_tn), SHADER(coopmat_tt) },
	{ SHADER(coopmat_nn_next), SHADER(coopmat_nt_next) },
};

/* Measured on an H200 (bench/README.md): of 14 tiles, those that are together within 8 % of the best one for each product of
 * tiny, small and medium.  bk of 16 where it fits: sums of fp16 products are cut off less often, and pieces are sooner there. */
static const struct gemm_tile coopmat_table[] = {
	{ 128, 128, 16, 64, 32, 1, 0, 100, 2 },
	{ 128, 64, 16, 32, 32, 1, 0, 84, 2 },
	{ 64, 64, 32, 32, 16, 1, 0, 72, 2 },
	{ 32, 64, 32, 16, 16, 1, 0, 51, 2 },
	{ 0 },
};

static uint32_t invocations(const struct hlx_caps *caps, const struct gemm_tile *t)
{
	return (uint32_t)(t->bm / t->tm) * (t->bn / t->tn) * caps->subgroup;
}

/* Of rows of n elements, high and low halves, 16 bytes apart. */
static uint32_t piece_bytes(uint32_t rows, uint32_t n)
{
	return rows * (2 * n + 8) * 2;
}

/* Two buffers, in the order of elements that takes more, or a row of each subgroup's matrices of sums; and four words. */
static uint32_t shared_bytes(const struct hlx_caps *caps, const struct gemm_tile *t)
{
	uint32_t pieces = 2 * (piece_bytes(t->bm, t->bk) + piece_bytes(t->bn, t->bk));
	uint32_t ends = (uint32_t)(t->bm / t->tm) * (t->bn / t->tn) * caps->coopmat_m * (t->tn + 4u) * 4;

	return (pieces > ends ? pieces : ends) + 16;
}

/* Whole matrices, and as many fetches for each invocation.  A CPU driver has these matrices for tests: there the last tile, which
 * compiles soonest. */
static bool suits(const struct hlx_caps *caps, const struct gemm_tile *t)
{
	uint32_t n = invocations(caps, t);

	return (!caps->cpu || !t[1].bm) && t->tm % caps->coopmat_m == 0 && t->tn % caps->coopmat_n == 0 &&
		t->bk % caps->coopmat_k == 0 && t->bm * t->bk / 4 % n == 0 && t->bn * t->bk / 4 % n == 0;
}

static uint32_t own(const struct hlx_caps *caps, const struct gemm_tile *tile, const struct gemm_task *t, uint32_t spec[])
{
	(void)tile;
	(void)t;
	spec[TILE_OWN] = caps->subgroup;
	spec[TILE_OWN + 1] = caps->coopmat_m;
	spec[TILE_OWN + 2] = caps->coopmat_n;
	spec[TILE_OWN + 3] = caps->coopmat_k;
	return 4;
}

/* What a neighbour does there runs in a loop, a few elements of each invocation at a time. */
#define NEXT_MOST (128u * 64u)

static const struct gemm_tiles coopmat_tiles = {
	coopmat_table, coopmat_shaders, invocations, shared_bytes, suits, own, NEXT_MOST
};
GEMM_TILE_PASSES(coopmat)

static int coopmat_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	const struct hlx_caps *caps = host->caps;

	(void)node;
	if (!caps->coopmat)
		return host->fail(host, HLX_ENOTSUP, "the device has no cooperative matrices of fp16 with sums of fp32");
	if (caps->cpu && caps->subgroup != 8) /* lavapipe 26.2.6 crashes on these kernels with 16 */
		return host->fail(host, HLX_ENOTSUP, "wants subgroups of 8 on a CPU, the device has %u: LP_NATIVE_VECTOR_WIDTH=256 in the "
				  "environment is 8 on lavapipe", caps->subgroup);
	if (!gemm_tile_choose(&coopmat_tiles, caps, 1, 1, 1))
		return host->fail(host, HLX_ENOTSUP, "wants matrices that 16x16x32 is a multiple of, subgroups of 4 to 32 and 28 KiB of shared "
				  "memory, the device has %ux%ux%u, %u and %u KiB", caps->coopmat_m, caps->coopmat_n, caps->coopmat_k,
				  caps->subgroup, caps->shared_bytes / 1024);
	return 0;
}

/* fma's is 8.  On an H200, of rate 15, steps take 0.7 to 0.9 of the time of fma (bench/README.md); where the rate is 2 or 3,
 * three products for one leave nothing to gain. */
static int coopmat_prefers(const struct hlx_host *host, const struct hlx_node *node)
{
	(void)node;
	return host->caps->coopmat_rate >= 8 ? 9 : 7;
}

const struct hlx_impl gemm_impl_coopmat = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "gemm",
	.name = "coopmat",
	.doc = "fp32 by three fp16 products on matrix units, for GPUs; the bits are the device's own",
	.tier = HLX_DEVICE,
	.priority = 7,
	.supports = coopmat_supports,
	.prepare = coopmat_prepare,
	.forward = coopmat_forward,
	.backward = coopmat_backward,
	.finishes = coopmat_finishes,
	.unread = GEMM_UNREAD,
	.prefers = coopmat_prefers,
	.accuracy = GEMM_ACCURACY,
};
