/*
 * gemm.h - what the files of the gemm plugin share.
 *
 * Every pass is one or more tasks, and a task is one strided, batched product
 *
 *     C[z] (m, n) = A[z] (m, k) * B[z] (k, n)          z = 0 ... batch - 1
 *
 * in which element (i, j) of matrix z of an operand lies at  base + (z / dim1) s0 + (z % dim1) s1 + i row + j col,
 * all in elements of the slot's storage; col or row is 1, and C's col is 1.  So a transposed operand, a head inside
 * (batch, seq, d_model) and a slot of partial sums are strides, never copies.
 */
#ifndef GEMM_H
#define GEMM_H

#include "hlx/plugin.h"

enum { GEMM_A, GEMM_B, GEMM_WEIGHT, GEMM_BIAS, GEMM_C };

struct gemm_attrs {
	int64_t out;
	int32_t bias, transpose_a, transpose_b;
	double std;
};

struct gemm_operand {
	uint16_t slot;
	uint8_t what; /* enum hlx_what */
	uint64_t base, row, col, s0, s1;
};

/* How a task ends; also the flags of the kernels' push block, which has what gemm_next_of() says above bit 8. */
enum {
	GEMM_ADD_BIAS = 1, /* C = hlx_store(acc + bias) */
	GEMM_CONTINUE = 2, /* acc starts from what is stored, else from +0 */
	GEMM_ACCUM = 4,    /* C = hlx_accum(C, acc) */
	GEMM_RAW = 8       /* C = acc, unflushed: a partial sum */
};

/*
 * A neighbour's work that a task's last kernels do (struct hlx_finish; gemm_finish.c).  r is what the task alone would store:
 *     ADD            c = store(r + e)
 *     GELU           c = store(gelu(r))
 *     GELU_KEEP      the same, and f = r
 *     GELU_BACKWARD  c = store(r gelu'(e))
 * Elements of c, e and f have the same index.  The kernels know these numbers, and GEMM_NEXT_BIAS: r = store(acc + bias).
 */
enum gemm_next { GEMM_ALONE, GEMM_NEXT_ADD, GEMM_NEXT_GELU, GEMM_NEXT_GELU_KEEP, GEMM_NEXT_GELU_BACKWARD, GEMM_NEXT_BIAS = 8 };

struct gemm_task {
	uint64_t m, n, k, z, dim1;
	struct gemm_operand a, b, c;
	uint32_t flags;
	uint64_t bias_base;
	enum gemm_next next;
	struct gemm_operand e, f; /* laid out as c; where next has none, one that is there anyway */
};

/*
 * The bias' gradient, (S, n) partial sums: run s adds, in order, the terms of its blocks; a term is the chain over the
 * block's rows of dC.  A block is 32 positions of one sequence (the last one of a sequence short); runs of
 * seq rows follow each other, row elements apart.
 */
#define GEMM_BLOCK 32u
struct gemm_dbias {
	uint64_t n, row, base;   /* dC: columns, row stride, first element */
	uint64_t seq, blocks;    /* rows of a sequence, its blocks */
	uint64_t runs;           /* sequences a slot */
	uint64_t slots, slot_stride;
};

static inline bool gemm_has_weight(const struct hlx_node *node)
{
	return node->desc[GEMM_B].rank == 0;
}

static inline bool gemm_wants(const struct hlx_node *node, unsigned slot)
{
	return node->grads >> slot & 1;
}

static inline bool gemm_accumulates(const struct hlx_node *node, unsigned slot)
{
	return node->accum >> slot & 1;
}

/* Do 16-byte pieces along an operand's rows (step apart, length from first on) start at multiples of 16 bytes, and
 * end with the row? */
static inline bool gemm_whole(const struct gemm_operand *o, uint64_t first, uint64_t step, uint64_t length)
{
	return ((o->base + first) | step | length | o->s0 | o->s1) % 4 == 0;
}

/* The tasks of a node (gemm_task.c).  gemm_task_grad: of slot a, b or weight. */
struct gemm_task gemm_task_forward(const struct hlx_node *node);
struct gemm_task gemm_task_grad(const struct hlx_node *node, unsigned slot);
struct gemm_dbias gemm_task_dbias(const struct hlx_node *node);
/* 0, or HLX_ESHAPE with a message: what strides the kernels can walk. */
int gemm_check_strides(const struct hlx_host *host, const struct hlx_node *node, unsigned slot);

/*
 * gemm_run.c: from tasks to dispatches.  A window is a part of a task; it is cut until each operand's part fits a
 * binding, and is then given to the engine's emit(), which may cut it again.  Parts of K follow each other, the
 * unfinished accumulators lying unflushed in C (or in work memory where C is to be added to), so that
 * the chain is the same one.
 */
struct gemm_window {
	uint64_t z0, z1, m0, m1, n0, n1, k0, k1;
};
struct gemm_run {
	const struct hlx_host *host;
	struct hlx_node *node; /* prepare(): pipelines are made, work_bytes is set, rec is NULL */
	struct hlx_rec *rec;
	const struct gemm_engine *engine;
};
struct gemm_engine {
	uint32_t tile_m, tile_n; /* C of a workgroup, for the bound on workgroups */
	uint64_t max_k;          /* so that no invocation's loops reach 65,535 turns */
	int (*emit)(const struct gemm_run *, const struct gemm_task *, const struct gemm_window *);
};
/*
 * One dispatch of a window that fits: groups (columns / tile_n, rows / tile_m, z); args A, B, C, bias, D (the
 * accumulators to go on from); with texel, A and B are texel buffers, and storage buffers once more after D.
 */
struct gemm_kernel {
	const struct hlx_shader *shader;
	uint32_t spec[12], n_spec, tile_m, tile_n;
	bool texel;
	bool next; /* E and F follow the others; with texel, E is a texel buffer */
};
int gemm_dispatch(const struct gemm_run *, const struct gemm_task *, const struct gemm_window *,
		  const struct gemm_kernel *);
int gemm_prepare(const struct hlx_host *, struct hlx_node *, const struct gemm_engine *);
int gemm_forward(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *, const struct gemm_engine *);
int gemm_backward(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *, const struct gemm_engine *);
/* gemm_finish.c: whether a node's product can end with the neighbour's work; its task, then; what the kernels are to do for
 * a window, with GEMM_NEXT_BIAS. */
int gemm_finishes(const struct hlx_host *, const struct hlx_node *, const struct hlx_finish *, bool backward);
void gemm_finish_task(struct gemm_task *, const struct hlx_node *, bool backward);
uint32_t gemm_next_of(const struct gemm_task *, const struct gemm_window *);
/* backward() reads no result, nor the bias. */
#define GEMM_UNREAD (1ull << GEMM_C | 1ull << GEMM_BIAS)
/* Of fp32, in whatever order: the reference has 7e-6, fma 6e-6, coopmat 1e-6; halves without their low ones have 9e-4. */
#define GEMM_ACCURACY 1e-5
/* gemm_bias.c: the bias' gradient, the same kernel for all engines. */
int gemm_run_dbias(const struct gemm_run *);

int gemm_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int gemm_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int gemm_ref64(const struct hlx_node *, double *const value[]);

extern const struct hlx_impl gemm_impl_coopmat, gemm_impl_fma, gemm_impl_gemm16, gemm_impl_simd, gemm_impl_simt;

/* gemm_bench.c */
extern const char *const gemm_bench[];
struct hlx_work gemm_work(const struct hlx_node *, bool backward);

#endif
