/*
 * rows.h - what the plugins with row kernels share on the host: how rows go to dispatches, workgroups and windows.
 *
 * A row kernel has two builds.  `rows`: a workgroup is one subgroup, up to 16 lanes own a row, sums go through shuffles
 * (specialization constants: 0 lanes, 1 whether a row's length is a multiple of 4).  `shared`: 16 lanes and shared
 * memory, which is also what is installed as a public shader.
 */
#ifndef ROWS_H
#define ROWS_H

#include "hlx/plugin.h"

#define ROWS_ULL(x) ((unsigned long long)(x))
#define ROWS_SHADER(name, subgroup) { #name, name##_spv, sizeof name##_spv, subgroup }

struct rows_grid {
	uint64_t group;  /* rows a workgroup goes through */
	uint64_t window; /* rows a dispatch does */
};

/* Rows that a workgroup of a row kernel does side by side. */
static inline uint32_t rows_at_once(const struct hlx_host *host, const struct hlx_shader *shader)
{
	return shader->subgroup && host->caps->subgroup > 16 ? host->caps->subgroup / 16 : 1;
}

/*
 * For (rows, cols) of the slot x.  A window starts at a multiple of 64 rows, so that it is aligned for any length of
 * row, and what is kept for each row is too.  A workgroup of a CPU driver does 8 rows in turn: starting one costs
 * as much as a short row.  An invocation's loops stay below 60,000 turns; `passes` over a row are 1/64 of it each.
 */
static inline int rows_plan(const struct hlx_host *host, const struct hlx_node *node, uint32_t x, uint32_t at_once,
			    uint32_t passes, struct rows_grid *grid)
{
	uint64_t cols = hlx_cols(&node->desc[x]), rows = hlx_rows(&node->desc[x]);
	uint64_t turns = passes * (cols / 64 + 1) + 1, in_turn = host->caps->cpu ? 8 : 1;

	grid->group = at_once * (turns * in_turn < 60000 ? in_turn : 60000 / turns);
	grid->window = hlx_window_rows(rows, 4 * cols, host->caps->max_range, 65535 * grid->group);
	grid->window = grid->window < rows ? grid->window / 64 * 64 : rows;
	if (grid->window == 0)
		return host->fail(host, HLX_ENOTSUP, "rows of %llu elements exceed what the device can see at once",
				  ROWS_ULL(cols));
	if (node->desc[x].offset % 64)
		return host->fail(host, HLX_ENOTSUP,
				"the input starts at element %llu of its storage, want a multiple of 64",
				  ROWS_ULL(node->desc[x].offset));
	return 0;
}

static inline uint64_t rows_next(const struct rows_grid *grid, uint64_t rows, uint64_t row)
{
	return rows - row < grid->window ? rows - row : grid->window;
}

static inline uint32_t rows_groups(const struct rows_grid *grid, uint64_t n)
{
	return (uint32_t)((n + grid->group - 1) / grid->group);
}

/* n rows of a slot's value or gradient. */
static inline struct hlx_arg rows_window(const struct hlx_node *node, uint16_t slot, uint8_t what, uint64_t row,
		uint64_t n)
{
	uint64_t cols = hlx_cols(&node->desc[slot]);
	return (struct hlx_arg){ slot, what, HLX_SSBO, 4 * (node->desc[slot].offset + row * cols), 4 * n * cols };
}

/* A row kernel's pipeline, for rows of cols elements. */
static inline int rows_pipeline(const struct hlx_host *host, const struct hlx_shader *shader, uint64_t cols,
				struct hlx_pipeline **out)
{
	const uint32_t spec[2] = { host->caps->subgroup, cols % 4 == 0 };
	return host->pipeline(host, shader, spec, shader->subgroup ? 2 : 0, out);
}

/* That of a kernel with a layout of its own, whose only constant is ROWS_VEC_ID. */
static inline int rows_pipeline_own(const struct hlx_host *host, const struct hlx_shader *shader, uint64_t cols,
				    struct hlx_pipeline **out)
{
	const uint32_t spec[1] = { cols % 4 == 0 };
	return host->pipeline(host, shader, spec, 1, out);
}

static inline int rows_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	const struct hlx_caps *caps = host->caps;
	(void)node;
	if (caps && (!caps->shuffle || caps->subgroup < 4 || caps->subgroup > 64))
		return host->fail(host, HLX_ENOTSUP, "needs shuffles in subgroups of 4 to 64 lanes");
	return 0;
}

#endif
