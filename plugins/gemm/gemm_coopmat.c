/*
 * gemm_coopmat.c - for GPUs with matrix units (VK_KHR_cooperative_matrix): fp32 products as three of fp16 (coopmat.glsl).
 * Of the device tier: how matrix units round is theirs.
 */
#include "gemm.h"
#include <stdlib.h>
#include <stdio.h>

#include "coopmat_nn.spv.h"
#include "coopmat_nt.spv.h"
#include "coopmat_tn.spv.h"
#include "coopmat_tt.spv.h"

#define SHADER(name) { #name, name##_spv, sizeof name##_spv, 1 }
static const struct hlx_shader shaders[2][2] = { /* [a transposed][b transposed] */
	{ SHADER(coopmat_nn), SHADER(coopmat_nt) }, { SHADER(coopmat_tn), SHADER(coopmat_tt) },
};

enum { SPEC_INVOCATIONS, SPEC_BM, SPEC_BN, SPEC_BK, SPEC_WM, SPEC_WN, SPEC_FORM, SPEC_LANES, SPEC_M, SPEC_N, SPEC_K, N_SPEC };
enum { FORM_A_SCALAR = 1, FORM_B_SCALAR = 2, FORM_C_SCALAR = 4, FORM_TAIL = 8, FORM_EDGE = 64 };

/* bm x bn of C a workgroup, wm x wn a subgroup, bk of k a piece */
struct tile {
	uint16_t bm, bn, bk, wm, wn;
	uint16_t speed, least;
};
static const struct tile tiles[] = {
	{ 128, 128, 16, 64, 32, 100, 2 },
	{ 64, 64, 16, 32, 32, 80, 2 },
	{ 32, 64, 32, 16, 32, 60, 2 },
	{ 0 },
};
#define UNITS 132u /* multiprocessors of an H100 or H200; Vulkan does not tell how many there are */

static uint32_t invocations(const struct hlx_caps *caps, const struct tile *t)
{
	return (uint32_t)(t->bm / t->wm) * (t->bn / t->wn) * caps->subgroup;
}

/* Of rows of n fp16s, high and low halves, 16 bytes apart. */
static uint32_t piece_bytes(uint32_t rows, uint32_t n)
{
	return rows * (2 * n + 8) * 2;
}

/* Two buffers, in the order that takes more. */
static uint32_t shared_bytes(const struct tile *t)
{
	return 2 * (piece_bytes(t->bm, t->bk) + piece_bytes(t->bn, t->bk)) + 16;
}

static bool fits(const struct hlx_caps *caps, const struct tile *t)
{
	uint32_t n = invocations(caps, t);

	return n <= caps->max_invocations && shared_bytes(t) <= caps->shared_bytes && t->bk % caps->coopmat_k == 0 &&
		t->wm % caps->coopmat_m == 0 && t->wn % caps->coopmat_n == 0 && t->bm * t->bk / 4 % n == 0 &&
		t->bn * t->bk / 4 % n == 0;
}

static uint64_t time_of(const struct tile *t, uint64_t m, uint64_t n, uint64_t z)
{
	uint64_t groups = (m + t->bm - 1) / t->bm * ((n + t->bn - 1) / t->bn) * z;
	uint64_t halves = (groups + UNITS - 1) / UNITS * 2;

	return (halves > t->least ? halves : t->least) * t->bm * t->bn * 100 / t->speed;
}

static const struct tile *choose(const struct hlx_caps *caps, uint64_t m, uint64_t n, uint64_t z)
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

static int emit(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	const struct hlx_caps *caps = run->host->caps;
	const struct tile *tile = choose(caps, w->m1 - w->m0, w->n1 - w->n0, w->z1 - w->z0);
	static struct tile env; unsigned e[5];
	if (getenv("COOP") && sscanf(getenv("COOP"), "%u,%u,%u,%u,%u", e, e+1, e+2, e+3, e+4) == 5) {
		env = (struct tile){ (uint16_t)e[0], (uint16_t)e[1], (uint16_t)e[2], (uint16_t)e[3], (uint16_t)e[4], 1, 1 };
		if (!fits(caps, &env)) return run->host->fail(run->host, HLX_ENOTSUP, "COOP does not fit: %u of shared", shared_bytes(&env));
		tile = &env;
	}
	struct gemm_kernel kernel = {
		.shader = &shaders[t->a.col != 1][t->b.row == 1], .n_spec = N_SPEC, .tile_m = tile->bm, .tile_n = tile->bn,
		.spec = {
			[SPEC_INVOCATIONS] = invocations(caps, tile),
			[SPEC_BM] = tile->bm, [SPEC_BN] = tile->bn, [SPEC_BK] = tile->bk,
			[SPEC_WM] = tile->wm, [SPEC_WN] = tile->wn, [SPEC_FORM] = edges(tile, t, w), [SPEC_LANES] = caps->subgroup,
			[SPEC_M] = caps->coopmat_m, [SPEC_N] = caps->coopmat_n, [SPEC_K] = caps->coopmat_k,
		},
	};

	return gemm_dispatch(run, t, w, &kernel);
}

static const struct gemm_engine engine = { 32, 64, 49152, emit };

static int supports(const struct hlx_host *host, const struct hlx_node *node)
{
	const struct hlx_caps *caps = host->caps;

	(void)node;
	if (!caps->coopmat)
		return host->fail(host, HLX_ENOTSUP, "the device has no cooperative matrices of fp16 with sums of fp32");
	if (!choose(caps, 1, 1, 1))
		return host->fail(host, HLX_ENOTSUP, "no tile fits cooperative matrices of %ux%ux%u in %u bytes of shared memory",
				  caps->coopmat_m, caps->coopmat_n, caps->coopmat_k, caps->shared_bytes);
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

const struct hlx_impl gemm_impl_coopmat = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "gemm",
	.name = "coopmat",
	.doc = "fp32 by three fp16 products on matrix units, for GPUs; the bits are the device's own",
	.tier = HLX_DEVICE,
	.priority = 9,
	.supports = supports,
	.prepare = prepare,
	.forward = forward,
	.backward = backward,
	.unread = GEMM_UNREAD,
};
