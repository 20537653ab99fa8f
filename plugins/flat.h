/*
 * flat.h - what elementwise ops share: n elements over windows, workgroups and turns; and where element i of a tensor
 * lies that is not dense.
 *
 * Dense tensors are runs of n elements.  A dispatch takes a window of them, workgroup w of it the groups of 4 elements
 * from w * turns * lanes on, lane l of turn t group (w * turns + t) * lanes + l; and the last n % 4 elements
 * belong to the first lanes of the first workgroup.
 */
#ifndef FLAT_H
#define FLAT_H

#include "hlx/plugin.h"

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
 * busy.  Turns (the iterations of an invocation) are at most 2^28 / 4 / 65,535 = 1,025.
 */
static inline struct flat_grid flat_share(const struct hlx_caps *caps, uint64_t n)
{
	uint32_t most = caps->max_invocations < 256 ? caps->max_invocations : 256;
	struct flat_grid g = { caps->cpu ? caps->subgroup : most, 1, 1 };
	uint64_t runs = ((n + 3) / 4 + g.lanes - 1) / g.lanes;
	uint64_t turns = caps->cpu ? runs / 64 : runs / 4096;
	uint64_t cap = caps->cpu ? 256 / g.lanes : 16;
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

/* Element i (of n) of a tensor of rank 4 lies at first + sum of coordinate * stride: strided.glsl. */
struct strided_map {
	uint32_t first, stride[HLX_MAX_RANK];
};

struct strided_push {
	uint32_t n, accum, dim[3];
	struct strided_map at[3];
};

/* Fills push's dims and operand k, and the window that holds it. */
static inline struct hlx_arg strided_arg(const struct hlx_node *node, uint16_t slot, uint8_t what,
		struct strided_push *push, int k)
{
	const struct hlx_desc *d = &node->desc[slot];
	uint32_t pad = HLX_MAX_RANK - d->rank, block = HLX_ALIGN / 4;
	push->n = (uint32_t)hlx_numel(d);
	push->at[k] = (struct strided_map){ .first = (uint32_t)(d->offset % block) };
	for (uint32_t i = 1; i < HLX_MAX_RANK; i++)
		push->dim[i - 1] = i < pad ? 1 : (uint32_t)d->dim[i - pad];
	for (uint32_t i = pad; i < HLX_MAX_RANK; i++)
		push->at[k].stride[i] = (uint32_t)d->stride[i - pad];
	return (struct hlx_arg){ slot, what, HLX_SSBO, d->offset / block * block * 4,
		(d->offset % block + hlx_extent(d)) * 4 };
}

/* A tensor that is not dense is not windowed. */
static inline bool strided_fits(const struct hlx_caps *caps, const struct hlx_desc *d)
{
	return flat_dense(d) || (hlx_extent(d) + HLX_ALIGN / 4) * 4 <= caps->max_range;
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
