/*
 * rows.h - what the plugins with row kernels share on the host: how rows go to dispatches, workgroups and windows.
 *
 * A row kernel has three builds, and a plugin as many implementations, chosen by what the device has:
 *     rows     a workgroup is rows_lanes(), up to 16 lanes own a row, sums go through shuffles (specialization constants:
 *              0 lanes, 1 rows_unit(), and where rows are kept in registers 2 rows_keep(), 3 whether backward accumulates,
 *              4 how many turns of a row that is not kept are read together, and of the texel build 5 cpu_wide())
 *     texel    the same for CPU drivers, where a texel fetch is a gather and another load a loop over the lanes: rows
 *              whose length is a multiple of 4
 *     shared   16 lanes and shared memory, which is also what is installed as a public shader
 */
#ifndef ROWS_H
#define ROWS_H

#include <stdlib.h>

#include "plugins/cpu.h"

#define ROWS_ULL(x) ((unsigned long long)(x))
#define ROWS_SHADER(name, subgroup) { #name, name##_spv, sizeof name##_spv, subgroup }

enum rows_build { ROWS_SHARED, ROWS_SUBGROUP, ROWS_TEXEL, ROWS_BUILDS };
#define ROWS_SHADERS(shared, rows, texel) \
	{ [ROWS_SHARED] = ROWS_SHADER(shared, 0), [ROWS_SUBGROUP] = ROWS_SHADER(rows, 1), [ROWS_TEXEL] = ROWS_SHADER(texel, 1) }

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
 * Lanes of a workgroup for rows of cols elements.  A GPU starts one or two workgroups a nanosecond, so short rows are taken
 * several subgroups at a time (H200, softmax of 32,768 rows of 128: 13.3 us forward and 13.0 backward, so 11.8 and 8.9).  Where
 * a subgroup is less than 16, a workgroup is one.
 */
static inline uint32_t rows_lanes(const struct hlx_host *host, uint64_t cols)
{
	uint32_t lanes = host->caps->subgroup, most = host->caps->max_invocations < 128 ? host->caps->max_invocations : 128;
	return host->caps->cpu || lanes < 16 || lanes > most || cols > 512 ? lanes : most / lanes * lanes;
}

/* Rows that such a workgroup does side by side. */
static inline uint32_t rows_beside(const struct hlx_host *host, const struct hlx_shader *shader, uint64_t cols)
{
	uint32_t lanes = rows_lanes(host, cols);
	return shader->subgroup && lanes > 16 ? lanes / 16 : 1;
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

/* What a texel build only reads, it reads as texels; so it has a second argument for what it also writes. */
static inline struct hlx_arg rows_read(enum rows_build build, struct hlx_arg arg)
{
	arg.how = build == ROWS_TEXEL ? HLX_TEXEL : HLX_SSBO;
	return arg;
}

static inline uint32_t rows_unit(uint64_t cols)
{
	return cols % 64 == 0 ? 64 : cols % 4 == 0 ? 4 : 1;
}

/* Turns of 64 elements that a row takes, where a lane can keep its part: on a GPU 16 vec4s (d_model 1,024), on a CPU driver
 * 8, as it compiles each of them; else 0. */
static inline uint32_t rows_keep(const struct hlx_host *host, uint64_t cols)
{
	uint64_t turns = (cols + 63) / 64, groups = host->caps->subgroup < 16 ? 16 / host->caps->subgroup : 1;
	return turns * groups <= (host->caps->cpu ? 8 : 16) ? (uint32_t)turns : 0;
}

/* Bytes of a backward kernel's push constants: only the shared build's have `accumulate` at their end. */
static inline size_t rows_push(enum rows_build build, size_t all)
{
	return build == ROWS_SHARED ? all : all - sizeof(uint32_t);
}

/* A row kernel's pipeline, for rows of cols elements. */
static inline int rows_pipeline(const struct hlx_host *host, const struct hlx_shader shaders[ROWS_BUILDS], enum rows_build build,
				uint64_t cols, uint32_t accumulate, struct hlx_pipeline **out)
{
	static const uint32_t constants[ROWS_BUILDS] = { [ROWS_SHARED] = 0, [ROWS_SUBGROUP] = 5, [ROWS_TEXEL] = 6 };
	const uint32_t spec[6] = { rows_lanes(host, cols), rows_unit(cols), rows_keep(host, cols), accumulate, host->caps->cpu ? 1 : 8,
		cpu_wide(host->caps) };
	return host->pipeline(host, &shaders[build], spec, constants[build], out);
}

static inline int rows_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	const struct hlx_caps *caps = host->caps;
	(void)node;
	if (caps && (!caps->shuffle || caps->subgroup < 4 || caps->subgroup > 64))
		return host->fail(host, HLX_ENOTSUP, "needs shuffles in subgroups of 4 to 64 lanes");
	return 0;
}

static inline int rows_texel_supports(const struct hlx_host *host, const struct hlx_node *node)
{
	int rc;
	if (hlx_cols(&node->desc[0]) % 4)
		return host->fail(host, HLX_ENOTSUP, "rows of %llu elements are not whole texels",
				ROWS_ULL(hlx_cols(&node->desc[0])));
	rc = cpu_texels(host);
	return rc ? rc : rows_supports(host, node);
}

static inline void rows_destroy(const struct hlx_host *host, struct hlx_node *node)
{
	(void)host;
	free(node->priv);
	node->priv = NULL;
}

#define ROWS_IMPL(op_, name_, doc_, priority_, supports_, prepare_, backward_) { \
		.struct_size = sizeof(struct hlx_impl), \
		.op = op_, \
		.name = name_, \
		.doc = doc_, \
		.tier = HLX_PORTABLE, \
		.priority = priority_, \
		.supports = supports_, \
		.prepare = prepare_, \
		.forward = forward, \
		.backward = backward_, \
		.destroy = rows_destroy, \
	}

/* The implementations name##texel, ... of an op that has prepare(host, node, build), forward and, or NULL, backward. */
#define ROWS_IMPLS(linkage, name, op, backward) \
	static int prepare_texel(const struct hlx_host *host, struct hlx_node *node) \
	{ \
		return prepare(host, node, ROWS_TEXEL); \
	} \
	static int prepare_rows(const struct hlx_host *host, struct hlx_node *node) \
	{ \
		return prepare(host, node, ROWS_SUBGROUP); \
	} \
	static int prepare_shared(const struct hlx_host *host, struct hlx_node *node) \
	{ \
		return prepare(host, node, ROWS_SHARED); \
	} \
	linkage const struct hlx_impl name##texel = ROWS_IMPL(op, "texel", "for CPU drivers: as rows, with texel fetches", 20, \
			rows_texel_supports, prepare_texel, backward); \
	linkage const struct hlx_impl name##rows = ROWS_IMPL(op, "rows", "up to 16 lanes of a subgroup a row, sums through shuffles", \
			10, rows_supports, prepare_rows, backward); \
	linkage const struct hlx_impl name##shared = ROWS_IMPL(op, "shared", \
			"16 lanes a row, sums through shared memory: for devices without shuffles", 0, NULL, prepare_shared, backward)

#endif
