/* gemm_tile.c - see gemm_tile.h. */
#include "gemm_tile.h"

#define UNITS 132u /* multiprocessors of an H100 or H200; Vulkan does not tell how many there are */

static bool fits(const struct gemm_tiles *tiles, const struct hlx_caps *caps, const struct gemm_tile *t)
{
	return tiles->invocations(caps, t) <= caps->max_invocations && tiles->shared_bytes(caps, t) <= caps->shared_bytes &&
		(!tiles->suits || tiles->suits(caps, t));
}

static uint64_t time_of(const struct gemm_tile *t, uint64_t m, uint64_t n, uint64_t z)
{
	uint64_t groups = (m + t->bm - 1) / t->bm * ((n + t->bn - 1) / t->bn) * z;
	uint64_t halves = (groups + UNITS - 1) / UNITS * 2;

	return (halves > t->least ? halves : t->least) * t->bm * t->bn * 100 / t->speed;
}

const struct gemm_tile *gemm_tile_choose(const struct gemm_tiles *tiles, const struct hlx_caps *caps, uint64_t m, uint64_t n,
					 uint64_t z)
{
	const struct gemm_tile *best = NULL;

	for (const struct gemm_tile *t = tiles->tile; t->bm; t++)
		if (fits(tiles, caps, t) && (!best || time_of(t, m, n, z) < time_of(best, m, n, z)))
			best = t;
	return best;
}

static uint32_t edges(const struct gemm_tile *tile, const struct gemm_task *t, const struct gemm_window *w)
{
	uint64_t m = w->m1 - w->m0, n = w->n1 - w->n0, k = w->k1 - w->k0;
	bool ta = t->a.col != 1, tb = t->b.row == 1;
	bool a = ta ? gemm_whole(&t->a, w->m0, t->a.col, m) : gemm_whole(&t->a, w->k0, t->a.row, k);
	bool b = tb ? gemm_whole(&t->b, w->k0, t->b.col, k) : gemm_whole(&t->b, w->n0, t->b.row, n);
	bool c = gemm_whole(&t->c, w->n0, t->c.row, n) && !((t->flags & GEMM_ADD_BIAS) && (t->bias_base + w->n0) % 4);

	return (a ? 0 : FORM_A_SCALAR) | (b ? 0 : FORM_B_SCALAR) | (c ? 0 : FORM_C_SCALAR | FORM_EDGE) |
		(k % tile->bk ? FORM_TAIL : 0) | (m % tile->bm || n % tile->bn ? FORM_EDGE : 0);
}

int gemm_tile_emit(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w,
		   const struct gemm_tiles *tiles)
{
	const struct hlx_caps *caps = run->host->caps;
	const struct gemm_tile *tile = gemm_tile_choose(tiles, caps, w->m1 - w->m0, w->n1 - w->n0, w->z1 - w->z0);
	struct gemm_kernel kernel = {
		.shader = &tiles->shaders[t->a.col != 1][t->b.row == 1], .tile_m = tile->bm, .tile_n = tile->bn,
		.spec = {
			[TILE_INVOCATIONS] = tiles->invocations(caps, tile),
			[TILE_BM] = tile->bm, [TILE_BN] = tile->bn, [TILE_BK] = tile->bk,
			[TILE_TM] = tile->tm, [TILE_TN] = tile->tn, [TILE_FORM] = tile->form | edges(tile, t, w),
		},
		.next = gemm_next_of(t, w) != GEMM_ALONE,
	};

	kernel.n_spec = TILE_OWN + tiles->own(caps, tile, t, kernel.spec);
	if (kernel.next) {
		kernel.shader = &tiles->shaders[2][t->b.row == 1];
		kernel.spec[kernel.n_spec++] = gemm_next_of(t, w);
	}
	return gemm_dispatch(run, t, w, &kernel);
}

int gemm_tile_finishes(const struct hlx_host *host, const struct hlx_node *node, const struct hlx_finish *f, bool backward,
		       const struct gemm_tiles *tiles)
{
	struct gemm_task t = backward ? gemm_task_grad(node, GEMM_A) : gemm_task_forward(node);
	const struct gemm_tile *tile = gemm_tile_choose(tiles, host->caps, t.m, t.n, t.z);

	return (uint32_t)tile->bm * tile->bn > tiles->next_most ? HLX_ENOTSUP : gemm_finishes(host, node, f, backward);
}
