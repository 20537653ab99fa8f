/*
 * gemm_simd.c - for CPU drivers: one subgroup a workgroup, registers and shuffles, no shared memory (simd.glsl).
 *
 * A window's whole tiles run without any bound checks; what is left of rows and columns runs in a second kernel, unless
 * that is most of it.  Texel buffers where one can see as much as a storage buffer (lavapipe: 45 against 15 GFLOP/s
 * a core), else storage buffers (SwiftShader: 1 MiB of texels).
 */
#include "gemm.h"
#include "plugins/cpu.h"

#include "simd_nn.spv.h"
#include "simd_nn_ssbo.spv.h"
#include "simd_nt.spv.h"
#include "simd_nt_ssbo.spv.h"
#include "simd_tn.spv.h"
#include "simd_tn_ssbo.spv.h"
#include "simd_tt.spv.h"
#include "simd_tt_ssbo.spv.h"
#include "simd_nn_next.spv.h"
#include "simd_nn_next_ssbo.spv.h"
#include "simd_nt_next.spv.h"
#include "simd_nt_next_ssbo.spv.h"

#define SHADER(name) { #name, name##_spv, sizeof name##_spv, 1 }
/* [texel][a transposed][b transposed] */
static const struct hlx_shader shaders[2][2][2] = {
	{ { SHADER(simd_nn_ssbo), SHADER(simd_nt_ssbo) }, { SHADER(simd_tn_ssbo), SHADER(simd_tt_ssbo) } },
	{ { SHADER(simd_nn), SHADER(simd_nt) }, { SHADER(simd_tn), SHADER(simd_tt) } },
};

/* [texel][b transposed] */
static const struct hlx_shader next_shaders[2][2] = {
	{ SHADER(simd_nn_next_ssbo), SHADER(simd_nt_next_ssbo) }, { SHADER(simd_nn_next), SHADER(simd_nt_next) },
};

#define TM 32u
enum { SPEC_LANES, SPEC_EDGE, SPEC_A_SCALAR, SPEC_B_SCALAR, SPEC_C_SCALAR, SPEC_GO_ON, SPEC_ADD, SPEC_UNIFORM, SPEC_COUNT };

/* Steps of k: two fetches of 4 values of k each, or one of a k a lane, up to as many. */
static uint32_t k_step(const struct hlx_caps *caps, const struct gemm_task *t)
{
	return t->a.col == 1 || caps->subgroup > 8 ? 8 : caps->subgroup;
}

static struct gemm_kernel choose(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	const struct hlx_caps *caps = run->host->caps;
	bool texel = caps->max_texels >= caps->max_range / 16, ta = t->a.col != 1;
	/* of one column both ways are right, but what ends with gelu's backward pass is there one way */
	bool tb = t->b.row == 1 && t->next != GEMM_NEXT_GELU_BACKWARD;
	uint64_t m = w->m1 - w->m0, n = w->n1 - w->n0, k = w->k1 - w->k0;
	struct gemm_kernel kernel = {
		.shader = &shaders[texel][ta][tb], .n_spec = SPEC_COUNT,
		.tile_m = TM, .tile_n = 4 * caps->subgroup, .texel = texel,
	};
	uint32_t *spec = kernel.spec;

	spec[SPEC_LANES] = caps->subgroup;
	spec[SPEC_A_SCALAR] = ta ? !gemm_whole(&t->a, w->m0, t->a.col, m) : !gemm_whole(&t->a, w->k0, t->a.row, k);
	spec[SPEC_B_SCALAR] = tb ? !gemm_whole(&t->b, w->k0, t->b.col, k) : !gemm_whole(&t->b, w->n0, t->b.row, n);
	spec[SPEC_C_SCALAR] = !gemm_whole(&t->c, w->n0, t->c.row, n) ||
			      ((t->flags & GEMM_ADD_BIAS) && (t->bias_base + w->n0) % 4);
	spec[SPEC_EDGE] = m % TM || n % kernel.tile_n || k % k_step(caps, t);
	spec[SPEC_GO_ON] = w->k0 > 0 || (t->flags & GEMM_CONTINUE);
	spec[SPEC_ADD] = w->k1 == t->k && (t->flags & GEMM_ACCUM);
	spec[SPEC_UNIFORM] = caps->uniform;
	kernel.next = gemm_next_of(t, w) != GEMM_ALONE;
	if (kernel.next)
		kernel.shader = &next_shaders[texel][tb];
	return kernel;
}

static int emit_part(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	struct gemm_kernel kernel = choose(run, t, w);

	return gemm_dispatch(run, t, w, &kernel);
}

static int emit(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	uint64_t tile_n = 4 * run->host->caps->subgroup;
	uint64_t m = w->m1 - w->m0, n = w->n1 - w->n0, k = w->k1 - w->k0;
	uint64_t in_m = m / TM * TM, in_n = n / tile_n * tile_n;
	struct gemm_window inner = *w, right = *w, below = *w;
	int rc;

	if ((in_m == m && in_n == n) || k % k_step(run->host->caps, t) || in_m * in_n * 4 < m * n * 3)
		return emit_part(run, t, w);
	inner.m1 = below.m0 = right.m1 = w->m0 + in_m;
	inner.n1 = right.n0 = w->n0 + in_n;
	rc = emit_part(run, t, &inner);
	if (rc == 0 && in_n < n)
		rc = emit_part(run, t, &right);
	if (rc == 0 && in_m < m)
		rc = emit_part(run, t, &below);
	return rc;
}

/* k / 4 turns an invocation at most; a subgroup of 4 has tiles of 16 columns */
static const struct gemm_engine engine = { TM, 16, 196608, emit };

static int supports(const struct hlx_host *host, const struct hlx_node *node)
{
	const struct hlx_caps *caps = host->caps;

	(void)node;
	if (!caps->cpu)
		return host->fail(host, HLX_ENOTSUP, "made for CPU drivers");
	return cpu_lanes(host);
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

const struct hlx_impl gemm_impl_simd = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "gemm",
	.name = "simd",
	.doc = "32 rows a subgroup in registers, for CPU drivers",
	.tier = HLX_PORTABLE,
	.priority = 10,
	.supports = supports,
	.prepare = prepare,
	.forward = forward,
	.backward = backward,
	.finishes = gemm_finishes,
	.unread = GEMM_UNREAD,
};
