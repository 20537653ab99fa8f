/* toy.h - small ops for tests of the core, whose results can be told in a line of C.  All tensors are (rows, cols). */
#ifndef TOY_H
#define TOY_H

#include "hlx/plugin.h"

enum { TOY_X, TOY_Y, TOY_B };

/* toy_scale.comp: y = k x; x and y may be columns of something wider. */
struct toy_scale_push {
	uint32_t n, cols, x_first, x_pitch, y_first, y_pitch;
	float k;
	uint32_t accum;
};

static inline uint32_t toy_groups(uint64_t n)
{
	return (uint32_t)((n + 7) / 8);
}

static inline uint64_t toy_padded(uint64_t n)
{
	return (n * 4 + HLX_ALIGN - 1) / HLX_ALIGN * HLX_ALIGN;
}

/* y as x, dense. */
static inline void toy_like(struct hlx_desc *y, const struct hlx_desc *x)
{
	*y = *x;
	y->view_of = 0;
	y->offset = 0;
	hlx_contiguous(y);
}

static inline int toy_rank(const struct hlx_host *host, const struct hlx_node *node)
{
	return node->desc[TOY_X].rank == 2 && node->desc[TOY_X].dtype == HLX_F32 ? 0 :
		host->fail(host, HLX_ESHAPE, "x has %u dims, want 2 of f32", node->desc[TOY_X].rank);
}

int toy_scale(const struct hlx_host *, struct hlx_rec *, const struct hlx_node *, struct hlx_arg from,
		const struct hlx_desc *x, struct hlx_arg to, const struct hlx_desc *y, float k, bool accum);

extern const struct hlx_impl toy_scale_host; /* toy_host.c */

struct toy_scale_attrs {
	double k;
};

#endif
