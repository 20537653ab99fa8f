/* embedding_rows.h - what the two halves of the implementation "rows" share. */
#ifndef EMBEDDING_ROWS_H
#define EMBEDDING_ROWS_H

#include "plugins/embedding/embedding.h"
#include "plugins/flat.h"

#define EMBEDDING_SHADER(f) { #f, f##_spv, sizeof f##_spv, 0 }
#define MAX_TURNS 16u /* rows a workgroup takes: its 0.09 us on lavapipe are then little against theirs */
#define MAX_LOOPS 65534u

int embedding_prepare_grad(const struct hlx_host *, struct hlx_node *);

/* Kernels count columns in REALs of `unit` floats. */
struct rows {
	uint32_t vec, unit, columns, lanes;
};

static inline struct rows embedding_rows(const struct hlx_host *host, const struct hlx_node *node)
{
	uint32_t d = (uint32_t)node->desc[TOKEN].dim[1], vec = d % 4 == 0, most = host->caps->max_invocations;
	return (struct rows){ vec, vec ? 4 : 1, vec ? d / 4 : d, host->caps->cpu ? host->caps->subgroup : most < 64 ? most : 64 };
}

static inline uint32_t embedding_groups(uint64_t n, uint64_t each)
{
	return (uint32_t)((n + each - 1) / each);
}

/* Rows (of `runs` times as many) a workgroup takes one after the other: up to MAX_TURNS while 64 workgroups are left. */
static inline uint32_t embedding_turns(const struct hlx_host *host, uint64_t rows, uint64_t runs)
{
	uint64_t turns = host->caps->cpu ? rows * runs / 64 : 1;
	turns = turns > MAX_TURNS ? MAX_TURNS : turns ? turns : 1;
	while ((rows + turns - 1) / turns > host->caps->max_groups[0])
		turns++;
	return (uint32_t)turns;
}

/* Rows of a table at a time, 0: not even an aligned few. */
static inline uint64_t embedding_window(const struct hlx_host *host, const struct hlx_node *node, int slot)
{
	const struct hlx_desc *d = &node->desc[slot];
	return hlx_window_rows(d->dim[0], d->dim[1] * 4, host->caps->max_range, d->dim[0]);
}

/* n elements of a tensor that is no view */
static inline struct hlx_arg embedding_arg(uint16_t slot, uint8_t what, uint64_t first, uint64_t n)
{
	return (struct hlx_arg){ slot, what, HLX_SSBO, first * 4, n * 4 };
}

#endif
