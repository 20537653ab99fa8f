/*
 * attention_simd.c - for CPU drivers: one subgroup a workgroup, tiles in registers, no shared memory (simd.glsl).
 *
 * Backward always keeps dS, and has no kernel that makes dq from scores of its own: the fewer to compile.
 */
#include "attention.h"
#include "plugins/cpu.h"

#include "simd_delta.spv.h"
#include "simd_dkv.spv.h"
#include "simd_dq.spv.h"
#include "simd_forward.spv.h"

#define SHADER(name) { #name, name##_spv, sizeof name##_spv, 1 }
static const struct hlx_shader shaders[ATTENTION_KERNELS] = {
	[ATTENTION_FORWARD] = SHADER(simd_forward),
	[ATTENTION_DKV_KEEP] = SHADER(simd_dkv),
	[ATTENTION_DQ_KEPT] = SHADER(simd_dq),
	[ATTENTION_DELTA] = SHADER(simd_delta),
};

#define TM 32u
#define MAX_DHEAD 128u
enum { SPEC_LANES, SPEC_D4, SPEC_ROWS, SPEC_WIDE, SPEC_UNIFORM, SPEC_ADD_0, SPEC_ADD_1, SPEC_COUNT };

/* So that there are 16 accumulators for d_head 64, and as much code for any number of lanes. */
static uint32_t rows_at_once(const struct hlx_caps *caps, const struct hlx_node *node)
{
	uint32_t rows = caps->subgroup / 4;

	return node->desc[Q].dim[3] > 64 && rows > 1 ? rows / 2 : rows;
}

static uint32_t choose(const struct hlx_host *host, const struct hlx_node *node, enum attention_kernel which, uint32_t *rows,
		       uint32_t spec[8])
{
	const struct hlx_caps *caps = host->caps;
	unsigned first = which == ATTENTION_DKV_KEEP ? K : Q;

	*rows = TM;
	spec[SPEC_LANES] = caps->subgroup;
	spec[SPEC_D4] = (uint32_t)node->desc[Q].dim[3] / 4;
	spec[SPEC_ROWS] = rows_at_once(caps, node);
	spec[SPEC_WIDE] = cpu_wide(caps);
	spec[SPEC_UNIFORM] = caps->uniform;
	spec[SPEC_ADD_0] = which != ATTENTION_FORWARD && node->accum >> first & 1;
	spec[SPEC_ADD_1] = which == ATTENTION_DKV_KEEP && node->accum >> V & 1;
	return SPEC_COUNT;
}

/* Groups of rows, TM at most, and in dq of 4 keys or more. */
static uint32_t turns(const struct hlx_node *node)
{
	(void)node;
	return TM + 8;
}

static const struct attention_engine simd = { .shader = shaders, .how = HLX_TEXEL, .choose = choose, .turns = turns };

static int supports(const struct hlx_host *host, const struct hlx_node *node)
{
	int rc = cpu_texels(host);

	rc = rc ? rc : cpu_lanes(host);
	if (rc)
		return rc;
	if (!attention_whole(node))
		return host->fail(host, HLX_ENOTSUP, "wants rows that start at multiples of 16 bytes, and d_head a multiple of 4");
	if (node->desc[Q].dim[3] > MAX_DHEAD)
		return host->fail(host, HLX_ENOTSUP, "d_head is %llu, at most %u are compiled for",
				  (unsigned long long)node->desc[Q].dim[3], MAX_DHEAD);
	if (node->train && attention_kept_heads(host, node) == 0)
		return host->fail(host, HLX_ENOTSUP, "sequences of %llu: backward keeps no dS as large as one head's",
				  (unsigned long long)node->desc[Q].dim[2]);
	return 0;
}

static int prepare(const struct hlx_host *host, struct hlx_node *node)
{
	return attention_prepare(host, node, &simd);
}

static int forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return attention_forward(host, node, rec, &simd);
}

static int backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec)
{
	return attention_backward(host, node, rec, &simd);
}

const struct hlx_impl attention_impl_simd = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "attention",
	.name = "simd",
	.doc = "tiles of 32 rows a subgroup in registers, for CPU drivers",
	.tier = HLX_PORTABLE,
	.priority = 10,
	.supports = supports,
	.prepare = prepare,
	.forward = forward,
	.backward = backward,
};
