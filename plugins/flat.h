/*
 * flat.h - what elementwise ops share: n elements over windows, workgroups and turns; where element i of a tensor
 * lies that is not dense; and the host's side of flat.glsl.
 *
 * Dense tensors are runs of n elements.  A dispatch takes a window of them, workgroup w of it the groups of 4 elements
 * from w * turns * lanes on, lane l of turn t group (w * turns + t) * lanes + l.
 */
#ifndef FLAT_H
#define FLAT_H

#include "plugins/cpu.h"

#define FLAT_BLOCK 4096u /* a window's elements are a multiple: 64 of the arena's flags, so that they start aligned too */

struct flat_grid {
	uint32_t lanes, turns, groups;
};

/* Elements a dispatch may take.  2^30 keeps every index in 32 bits. */
static inline uint64_t flat_window(const struct hlx_caps *caps)
{
	uint64_t n = caps->max_range / 4;
	return (n < (1u << 30) ? n : 1u << 30) / FLAT_BLOCK * FLAT_BLOCK;
}

/*
 * On a CPU driver a workgroup is one subgroup and costs 0.09 us, so it takes up to 1,024 elements (turns on 8 lanes: 32)
 * while there are 64 workgroups for the cores to share; on a GPU 256 lanes take one turn until 4,096 workgroups are
 * busy, and then up to 4 (H200, gelu and its gradient: 120 and 142 us, with 1 turn 131 and 151, with 16 121 and 149).  Turns (the iterations of an invocation) are at most 2^28 / 4 / 65,535 = 1,025.
 */
static inline struct flat_grid flat_share(const struct hlx_caps *caps, uint64_t n)
{
	uint32_t most = caps->max_invocations < 256 ? caps->max_invocations : 256;
	struct flat_grid g = { caps->cpu ? caps->subgroup : most, 1, 1 };
	uint64_t runs = ((n + 3) / 4 + g.lanes - 1) / g.lanes;
	uint64_t turns = caps->cpu ? runs / 64 : runs / 4096;
	uint64_t cap = caps->cpu ? 256 / g.lanes : 4;
	turns = turns > cap ? cap : turns;
	turns = turns ? turns : 1;
	while ((runs + turns - 1) / turns > caps->max_groups[0])
		turns++;
	g.turns = (uint32_t)turns;
	g.groups = (uint32_t)((runs + turns - 1) / turns);
	g.groups = g.groups ? g.groups : 1;
	return g;
}

/* Dense and aligned: a run of elements that kernels may read as vec4. */
static inline bool flat_dense(const struct hlx_desc *d)
{
	return hlx_is_contiguous(d) && d->offset * 4 % HLX_ALIGN == 0;
}

static inline struct hlx_arg flat_arg(const struct hlx_node *node, uint16_t slot, uint8_t what, uint64_t first, uint64_t n)
{
	return (struct hlx_arg){ slot, what, HLX_SSBO, (node->desc[slot].offset + first) * 4, n * 4 };
}

/* ---- kernels of flat.glsl ---- */

/* Element i (of n) of a tensor of rank 4 lies at first + sum of coordinate * stride. */
struct strided_map {
	uint32_t first, stride[HLX_MAX_RANK];
};

/* FLAT_ANY's push block; the others' is its first two words. */
struct flat_push {
	uint32_t n, turns, dim[3];
	struct strided_map at[3];
};

/* A kernel's operands are in the order of its bindings.  In a texel build one that is read is a texel buffer, and one that
 * is also written is bound again, behind the last, to be read. */
enum flat_access { FLAT_READ = 1, FLAT_WRITE = 2, FLAT_BOTH = 3 };
struct flat_operand {
	uint16_t slot;
	uint8_t what, access;
};

enum flat_build { FLAT_PLAIN, FLAT_TEXEL, FLAT_ANY, FLAT_BUILDS };
struct flat_kernel {
	struct hlx_shader build[FLAT_BUILDS];
	struct flat_operand operand[3]; /* what is left out has no access */
};
#define FLAT_SHADER(f) { #f, f##_spv, sizeof f##_spv, 0 }
#define FLAT_SHADERS(f) { FLAT_SHADER(f), FLAT_SHADER(f##_texel), FLAT_SHADER(f##_any) }

/* Texels are 4 elements. */
static inline int flat_texel_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	if (hlx_numel(&node->desc[0]) % 4)
		return host->fail(host, HLX_ENOTSUP, "for tensors whose elements come in fours");
	return cpu_texels(host);
}

/* Fills push's dims and operand k, and the window that holds it. */
static inline struct hlx_arg strided_arg(const struct hlx_node *node, const struct flat_operand *o,
		struct flat_push *push, int k)
{
	const struct hlx_desc *d = &node->desc[o->slot];
	uint32_t pad = HLX_MAX_RANK - d->rank, block = HLX_ALIGN / 4;
	push->at[k] = (struct strided_map){ .first = (uint32_t)(d->offset % block) };
	for (uint32_t i = 1; i < HLX_MAX_RANK; i++)
		push->dim[i - 1] = i < pad ? 1 : (uint32_t)d->dim[i - pad];
	for (uint32_t i = pad; i < HLX_MAX_RANK; i++)
		push->at[k].stride[i] = (uint32_t)d->stride[i - pad];
	return (struct hlx_arg){ o->slot, o->what, HLX_SSBO, d->offset / block * block * 4,
		(d->offset % block + hlx_extent(d)) * 4 };
}

/* The operands' arguments for elements [at, at + n), in the order of their bindings: how many.  FLAT_ANY: for all of
 * them, and their maps. */
static inline uint32_t flat_args(const struct hlx_node *node, const struct flat_kernel *kernel, enum flat_build build,
		uint64_t at, uint64_t n, struct flat_push *push, struct hlx_arg args[6])
{
	uint32_t n_args = 0;
	for (const struct flat_operand *o = kernel->operand; n_args < 3 && o->access; o++, n_args++)
		args[n_args] = build == FLAT_ANY ? strided_arg(node, o, push, (int)n_args) :
				flat_arg(node, o->slot, o->what, at, n);
	for (uint32_t k = 0, end = n_args; k < end && build == FLAT_TEXEL; k++) {
		struct hlx_arg *read = kernel->operand[k].access == FLAT_BOTH ? &args[n_args++] : &args[k];
		*read = args[k];
		read->how = kernel->operand[k].access == FLAT_WRITE ? HLX_SSBO : HLX_TEXEL;
	}
	return n_args;
}

/* Adds to a gradient. */
static inline bool flat_accum(const struct hlx_node *node, const struct flat_kernel *kernel)
{
	for (int k = 0; k < 3 && kernel->operand[k].access; k++)
		if (kernel->operand[k].what == HLX_GRAD && kernel->operand[k].access == FLAT_BOTH)
			return node->accum >> kernel->operand[k].slot & 1;
	return false;
}

/* build where all operands are dense, else FLAT_ANY. */
static inline enum flat_build flat_choose(const struct hlx_node *node, const struct flat_kernel *kernel, enum flat_build build)
{
	for (int k = 0; k < 3 && kernel->operand[k].access; k++)
		if (!flat_dense(&node->desc[kernel->operand[k].slot]))
			return FLAT_ANY;
	return build;
}

/* Specialization constant 1: whether n elements go by vec4s, and of the texel build, where they do, cpu_wide(). */
static inline uint32_t flat_vec(const struct hlx_caps *caps, enum flat_build build, uint64_t n)
{
	return build == FLAT_TEXEL ? cpu_wide(caps) : n % 4 == 0;
}

/* Elements [at, at + n). */
static inline int flat_dispatch(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct flat_kernel *kernel, enum flat_build build, uint64_t at, uint64_t n)
{
	struct flat_grid g = flat_share(host->caps, n);
	struct flat_push push = { (uint32_t)n, g.turns, { 0 }, { { 0 } } };
	const uint32_t spec[3] = { g.lanes, flat_vec(host->caps, build, n), flat_accum(node, kernel) };
	struct hlx_pipeline *pipeline;
	struct hlx_arg args[6];
	uint32_t n_args = flat_args(node, kernel, build, at, n, &push, args);
	int status = host->pipeline(host, &kernel->build[build], spec, 3, &pipeline);
	return status ? status : host->dispatch(rec, pipeline, args, n_args, &push,
			build == FLAT_ANY ? sizeof push : offsetof(struct flat_push, dim), g.groups, 1, 1);
}

/* All of a kernel's elements: by windows where its operands are dense, else in one dispatch. */
static inline int flat_record(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		const struct flat_kernel *kernel, enum flat_build build)
{
	uint64_t n = hlx_numel(&node->desc[kernel->operand[0].slot]), window = flat_window(host->caps);
	int status = 0;
	build = flat_choose(node, kernel, build);
	if (build == FLAT_ANY)
		return flat_dispatch(host, node, rec, kernel, build, 0, n);
	for (uint64_t at = 0; at < n && !status; at += window)
		status = flat_dispatch(host, node, rec, kernel, build, at, n - at < window ? n - at : window);
	return status;
}

/* Refuses what needs windows and is not dense. */
static inline int flat_fits(const struct hlx_host *host, const struct hlx_node *node, const struct hlx_slot *slots)
{
	for (uint32_t s = 0; s < node->n_slots; s++)
		if (!flat_dense(&node->desc[s]) && (hlx_extent(&node->desc[s]) + HLX_ALIGN / 4) * 4 > host->caps->max_range)
			return host->fail(host, HLX_ENOTSUP, "%s is not dense and larger than the %llu bytes a binding sees",
					slots[s].name, (unsigned long long)host->caps->max_range);
	return 0;
}

/* Where element i in row-major order lies, in elements from the first: for references. */
static inline uint64_t strided_at(const struct hlx_desc *d, uint64_t i)
{
	uint64_t at = 0;
	for (uint32_t k = d->rank; k-- > 0; i /= d->dim[k])
		at += i % d->dim[k] * d->stride[k];
	return at;
}

/* y takes x's dims and axes, dense; it may have come filled. */
static inline void flat_like(struct hlx_desc *y, const struct hlx_desc *x)
{
	*y = *x;
	y->view_of = 0;
	y->offset = 0;
	hlx_contiguous(y);
}

#endif
