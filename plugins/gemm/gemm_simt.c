/*
 * gemm_simt.c - for GPUs: register tiles over double-buffered shared memory (simt.glsl).
 *
 * Tiles of 128 x 128 (8 x 8 an invocation) reuse most; those of 64 x 64 and 32 x 32 (4 x 4) are for shapes that would
 * leave a big card without work: the largest tile that makes at least 256 workgroups (an H100 has 132 units), else
 * the smallest.
 */
#include "gemm.h"

#include "simt4_nn.spv.h"
#include "simt4_nt.spv.h"
#include "simt4_tn.spv.h"
#include "simt4_tt.spv.h"
#include "simt8_nn.spv.h"
#include "simt8_nt.spv.h"
#include "simt8_tn.spv.h"
#include "simt8_tt.spv.h"

#define SHADER(name) { #name, name##_spv, sizeof name##_spv, 0 }
/* [8 x 8][a transposed][b transposed] */
static const struct hlx_shader shaders[2][2][2] = {
	{ { SHADER(simt4_nn), SHADER(simt4_nt) }, { SHADER(simt4_tn), SHADER(simt4_tt) } },
	{ { SHADER(simt8_nn), SHADER(simt8_nt) }, { SHADER(simt8_tn), SHADER(simt8_tt) } },
};

enum { SPEC_INVOCATIONS, SPEC_A_SCALAR, SPEC_B_SCALAR, SPEC_C_SCALAR, SPEC_BM, SPEC_BK, SPEC_COUNT };
#define ENOUGH_GROUPS 256u

/* Two buffers of BK x (BM + 4) of each operand. */
static uint32_t shared_bytes(uint32_t bm, uint32_t bk)
{
	return 2 * 2 * bk * (bm + 4) * 4;
}

static uint32_t choose_tile(const struct hlx_caps *caps, uint64_t m, uint64_t n, uint64_t z)
{
	for (uint32_t bm = 128; bm > 32; bm /= 2)
		if (shared_bytes(bm, bm == 128 ? 8 : 16) <= caps->shared_bytes &&
		    (m + bm - 1) / bm * ((n + bm - 1) / bm) * z >= ENOUGH_GROUPS)
			return bm;
	return 32;
}

static int emit(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	const struct hlx_caps *caps = run->host->caps;
	uint64_t m = w->m1 - w->m0, n = w->n1 - w->n0, k = w->k1 - w->k0;
	uint32_t bm = choose_tile(caps, m, n, w->z1 - w->z0), per = bm == 128 ? 8 : 4;
	bool ta = t->a.col != 1, tb = t->b.row == 1;
	struct gemm_kernel kernel = {
		.shader = &shaders[bm == 128][ta][tb], .n_spec = SPEC_COUNT, .tile_m = bm, .tile_n = bm,
	};

	kernel.spec[SPEC_INVOCATIONS] = bm / per * (bm / per);
	kernel.spec[SPEC_A_SCALAR] = ta ? !gemm_whole(&t->a, w->m0, t->a.col, m) : !gemm_whole(&t->a, w->k0, t->a.row, k);
	kernel.spec[SPEC_B_SCALAR] = tb ? !gemm_whole(&t->b, w->k0, t->b.col, k) : !gemm_whole(&t->b, w->n0, t->b.row, n);
	kernel.spec[SPEC_C_SCALAR] = !gemm_whole(&t->c, w->n0, t->c.row, n) ||
				     ((t->flags & GEMM_ADD_BIAS) && (t->bias_base + w->n0) % 4);
	kernel.spec[SPEC_BM] = bm;
	kernel.spec[SPEC_BK] = shared_bytes(bm, 16) <= caps->shared_bytes ? 16 : 8; /* 8: only of 128, see simt.glsl */
	return gemm_dispatch(run, t, w, &kernel);
}

/* k / 8 turns of the loop over pieces, and room for a driver that keeps the one inside a piece */
static const struct gemm_engine engine = { 32, 32, 49152, emit };

static int supports(const struct hlx_host *host, const struct hlx_node *node)
{
	const struct hlx_caps *caps = host->caps;

	(void)node;
	if (caps->max_invocations < 256 || caps->shared_bytes < shared_bytes(32, 16))
		return host->fail(host, HLX_ENOTSUP, "wants workgroups of 256 and %u bytes of shared memory",
				  shared_bytes(32, 16));
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

/* Below simd, which takes CPU drivers alone; there barriers make this one slow, but it can be named. */
const struct hlx_impl gemm_impl_simt = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "gemm",
	.name = "simt",
	.doc = "register tiles over shared memory, for GPUs",
	.tier = HLX_PORTABLE,
	.priority = 5,
	.supports = supports,
	.prepare = prepare,
	.forward = forward,
	.backward = backward,
};
