/*
 * gemm_simt.c - for GPUs: register tiles over double-buffered shared memory (simt.glsl); simt is portable, fma of the
 * device tier.
 *
 * Large tiles reuse most, small ones leave no multiprocessor without work.  The tables are measured (docs/kernels.md,
 * bench/README.md): of 60 tiles and ways to order their loads, those few that are together within 1 % of the best one
 * for each product of tiny, small and medium.
 */
#include "gemm.h"

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

/* What follows is split, of fma alone, and then next, of kernels that do a neighbour's work. */
enum { SPEC_INVOCATIONS, SPEC_BM, SPEC_BN, SPEC_BK, SPEC_TM, SPEC_TN, SPEC_FORM, SPEC_SPLIT };
enum { FORM_A_SCALAR = 1, FORM_B_SCALAR = 2, FORM_C_SCALAR = 4, FORM_TAIL = 8, FORM_EARLY = 16, FORM_MID = 32, FORM_EDGE = 64,
	FORM_AHEAD = 128 };

/*
 * bm x bn of C a workgroup, tm x tn an invocation, bk of k a piece, split invocations an output.  With g workgroups a
 * multiprocessor, the products of one k take about  max(g, least / 2) bm bn / speed : few workgroups leave it waiting.
 */
struct tile {
	uint16_t bm, bn, bk, tm, tn, split, form;
	uint16_t speed, least;
};
static const struct tile simt_tiles[] = {
	{ 128, 256, 8, 8, 16, 1, FORM_MID | FORM_AHEAD, 100, 2 },
	{ 64, 64, 8, 8, 8, 1, FORM_MID, 88, 7 },
	{ 64, 64, 16, 4, 8, 1, FORM_MID, 86, 3 },
	{ 32, 64, 16, 4, 4, 1, 0, 66, 6 },
	{ 32, 64, 32, 4, 4, 1, 0, 60, 2 },
	{ 0 },
};
static const struct tile fma_tiles[] = {
	{ 256, 128, 16, 16, 8, 1, FORM_MID | FORM_AHEAD, 100, 12 },
	{ 128, 128, 16, 8, 8, 1, FORM_EARLY, 88, 2 },
	{ 64, 64, 16, 8, 8, 2, FORM_MID, 80, 4 },
	{ 32, 64, 16, 4, 4, 1, 0, 66, 6 },
	{ 32, 64, 32, 4, 4, 1, 0, 60, 2 },
	{ 0 },
};
#define UNITS 132u /* multiprocessors of an H100 or H200; Vulkan does not tell how many there are */

static uint32_t invocations(const struct tile *t)
{
	return (uint32_t)(t->bm / t->tm) * (t->bn / t->tn) * t->split;
}

/* Two buffers of bk x (bm + bn), or C's tile for all but one of each two that share an output. */
static uint32_t shared_bytes(const struct tile *t)
{
	uint32_t pieces = 2u * t->bk * (t->bm + t->bn) * 4, tree = (uint32_t)t->bm * t->bn * (t->split / 2) * 4;

	return pieces > tree ? pieces : tree;
}

static bool fits(const struct hlx_caps *caps, const struct tile *t)
{
	return invocations(t) <= caps->max_invocations && shared_bytes(t) <= caps->shared_bytes;
}

static uint64_t time_of(const struct tile *t, uint64_t m, uint64_t n, uint64_t z)
{
	uint64_t groups = (m + t->bm - 1) / t->bm * ((n + t->bn - 1) / t->bn) * z;
	uint64_t halves = (groups + UNITS - 1) / UNITS * 2;

	return (halves > t->least ? halves : t->least) * t->bm * t->bn * 100 / t->speed;
}

/* NULL: none fits. */
static const struct tile *choose(const struct tile *tiles, const struct hlx_caps *caps, uint64_t m, uint64_t n,
				  uint64_t z)
{
	const struct tile *best = NULL;

	for (const struct tile *t = tiles; t->bm; t++)
		if (fits(caps, t) && (!best || time_of(t, m, n, z) < time_of(best, m, n, z)))
			best = t;
	return best;
}

static uint32_t edges(const struct tile *tile, const struct gemm_task *t, const struct gemm_window *w)
{
	uint64_t m = w->m1 - w->m0, n = w->n1 - w->n0, k = w->k1 - w->k0;
	bool ta = t->a.col != 1, tb = t->b.row == 1;
	bool a = ta ? gemm_whole(&t->a, w->m0, t->a.col, m) : gemm_whole(&t->a, w->k0, t->a.row, k);
	bool b = tb ? gemm_whole(&t->b, w->k0, t->b.col, k) : gemm_whole(&t->b, w->n0, t->b.row, n);
	bool c = gemm_whole(&t->c, w->n0, t->c.row, n) && !((t->flags & GEMM_ADD_BIAS) && (t->bias_base + w->n0) % 4);

	return (a ? 0 : FORM_A_SCALAR) | (b ? 0 : FORM_B_SCALAR) | (c ? 0 : FORM_C_SCALAR | FORM_EDGE) |
		(k % tile->bk ? FORM_TAIL : 0) | (m % tile->bm || n % tile->bn ? FORM_EDGE : 0);
}

/* AHEAD, on an H200, 2,048 cubed: simt nt and tn 0.7 and 1.2 % faster, fma nt and tn 0.8 and 3.6 %, but nn 8 % slower. */
static uint32_t form(const struct tile *tile, const struct gemm_task *t)
{
	bool straight = t->a.col == 1 && t->b.row != 1;

	return straight ? tile->form & ~(uint32_t)FORM_AHEAD : tile->form;
}

static int emit(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w,
		const struct tile *tiles, const struct hlx_shader shaders[3][2], uint32_t n_spec)
{
	const struct tile *tile = choose(tiles, run->host->caps, w->m1 - w->m0, w->n1 - w->n0, w->z1 - w->z0);
	struct gemm_kernel kernel = {
		.shader = &shaders[t->a.col != 1][t->b.row == 1], .n_spec = n_spec, .tile_m = tile->bm, .tile_n = tile->bn,
		.spec = {
			[SPEC_INVOCATIONS] = invocations(tile),
			[SPEC_BM] = tile->bm, [SPEC_BN] = tile->bn, [SPEC_BK] = tile->bk,
			[SPEC_TM] = tile->tm, [SPEC_TN] = tile->tn,
			[SPEC_FORM] = form(tile, t) | edges(tile, t, w), [SPEC_SPLIT] = tile->split,
		},
		.next = gemm_next_of(t, w) != GEMM_ALONE,
	};

	if (kernel.next) {
		kernel.shader = &shaders[2][t->b.row == 1];
		kernel.spec[kernel.n_spec++] = gemm_next_of(t, w);
	}
	return gemm_dispatch(run, t, w, &kernel);
}

static int emit_simt(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	return emit(run, t, w, simt_tiles, simt_shaders, SPEC_SPLIT);
}

static int emit_fma(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	return emit(run, t, w, fma_tiles, fma_shaders, SPEC_SPLIT + 1);
}

/* k / 8 turns of the loop over pieces, and room for a driver that keeps the one inside a piece */
static const struct gemm_engine simt = { 32, 64, 49152, emit_simt }, fma = { 32, 64, 49152, emit_fma };

static int check_tiles(const struct hlx_host *host, const struct tile *tiles)
{
	if (!choose(tiles, host->caps, 1, 1, 1))
		return host->fail(host, HLX_ENOTSUP, "wants workgroups of 128 and 16 KiB of shared memory");
	return 0;
}

static int simt_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	(void)node;
	return check_tiles(host, simt_tiles);
}

static int fma_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	(void)node;
	return check_tiles(host, fma_tiles);
}

/*
 * In large tiles few invocations have much to do at the end, with nothing beside them: there gelu's own kernel is faster (H200,
 * tiny 64x128: 5.48 ms apart, 5.71 together; 8x128, in tiles of 64x64: 1.419 and 1.395; portable 1.87 and 1.81).
 */
#define NEXT_MOST (64u * 64u)

static int finishes_in(const struct hlx_host *host, const struct hlx_node *node, const struct hlx_finish *f, bool backward,
		       const struct tile *tiles)
{
	struct gemm_task t = backward ? gemm_task_grad(node, GEMM_A) : gemm_task_forward(node);
	const struct tile *tile = choose(tiles, host->caps, t.m, t.n, t.z);

	return (uint32_t)tile->bm * tile->bn > NEXT_MOST ? HLX_ENOTSUP : gemm_finishes(host, node, f, backward);
}

/* prepare, forward, backward and finishes of an implementation on an engine of the same name */
#define PASSES(engine) \
	static int engine##_finishes(const struct hlx_host *host, const struct hlx_node *node, const struct hlx_finish *f, \
				     bool backward) \
	{ \
		return finishes_in(host, node, f, backward, engine##_tiles); \
	} \
	static int engine##_prepare(const struct hlx_host *host, struct hlx_node *node) \
	{ \
		return gemm_prepare(host, node, &engine); \
	} \
	static int engine##_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec) \
	{ \
		return gemm_forward(host, node, rec, &engine); \
	} \
	static int engine##_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec) \
	{ \
		return gemm_backward(host, node, rec, &engine); \
	}
PASSES(simt)
PASSES(fma)

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
};
