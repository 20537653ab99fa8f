/*
 * gemm_tile.h - engines that give each workgroup a tile of C, of sizes chosen by shape and device: gemm_simt.c, gemm_coopmat.c.
 */
#ifndef GEMM_TILE_H
#define GEMM_TILE_H

#include "gemm.h"

/*
 * bm x bn of C a workgroup, tm x tn an invocation (coopmat: a subgroup), bk of k a piece, split invocations an output.  With g
 * workgroups a multiprocessor, the products of one k take about  max(g, least / 2) bm bn / speed : few workgroups leave it waiting.
 */
struct gemm_tile {
	uint16_t bm, bn, bk, tm, tn, split, form;
	uint16_t speed, least;
};

/* Constants 0 to 6 of every such kernel; what is an engine's own follows, then what gemm_next_of() says, where that is a neighbour. */
enum { TILE_INVOCATIONS, TILE_BM, TILE_BN, TILE_BK, TILE_TM, TILE_TN, TILE_FORM, TILE_OWN };
/* tile.glsl knows those above, simt.glsl the rest. */
enum { FORM_A_SCALAR = 1, FORM_B_SCALAR = 2, FORM_C_SCALAR = 4, FORM_TAIL = 8, FORM_EARLY = 16, FORM_MID = 32, FORM_EDGE = 64,
	FORM_AHEAD = 128 };

struct gemm_tiles {
	const struct gemm_tile *tile; /* up to one whose bm is 0 */
	const struct hlx_shader (*shaders)[2]; /* [a transposed, or 2 with a neighbour's work][b transposed] */
	uint32_t (*invocations)(const struct hlx_caps *, const struct gemm_tile *);
	uint32_t (*shared_bytes)(const struct hlx_caps *, const struct gemm_tile *);
	bool (*suits)(const struct hlx_caps *, const struct gemm_tile *); /* NULL: all that have room */
	/* The constants from TILE_OWN on, for a task; how many there are.  May change the form. */
	uint32_t (*own)(const struct hlx_caps *, const struct gemm_tile *, const struct gemm_task *, uint32_t spec[]);
	uint32_t next_most; /* elements of C in tiles that do a neighbour's work */
};

/* NULL: none fits. */
const struct gemm_tile *gemm_tile_choose(const struct gemm_tiles *, const struct hlx_caps *, uint64_t m, uint64_t n, uint64_t z);
int gemm_tile_emit(const struct gemm_run *, const struct gemm_task *, const struct gemm_window *, const struct gemm_tiles *);
int gemm_tile_finishes(const struct hlx_host *, const struct hlx_node *, const struct hlx_finish *, bool backward,
		       const struct gemm_tiles *);

/* k / 8 turns of the loop over pieces, and room for a driver that keeps the one inside a piece */
#define GEMM_TILE_MAX_K 49152u

/* The engine NAME of NAME_tiles, and an implementation's prepare, forward, backward and finishes on it. */
#define GEMM_TILE_PASSES(name) \
	static int name##_emit(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w) \
	{ \
		return gemm_tile_emit(run, t, w, &name##_tiles); \
	} \
	static const struct gemm_engine name = { 32, 64, GEMM_TILE_MAX_K, name##_emit }; \
	static int name##_finishes(const struct hlx_host *host, const struct hlx_node *node, const struct hlx_finish *f, \
				   bool backward) \
	{ \
		return gemm_tile_finishes(host, node, f, backward, &name##_tiles); \
	} \
	static int name##_prepare(const struct hlx_host *host, struct hlx_node *node) \
	{ \
		return gemm_prepare(host, node, &name); \
	} \
	static int name##_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec) \
	{ \
		return gemm_forward(host, node, rec, &name); \
	} \
	static int name##_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec) \
	{ \
		return gemm_backward(host, node, rec, &name); \
	}

#endif
