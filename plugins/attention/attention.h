/*
 * attention.h - what the files of the attention plugin share.
 *
 *     q, o: (B, H, Tq, dh)    k, v: (B, H, Tk, dh)    lse, delta: (B, H, Tq)
 *
 *     S = scale q k^T (masked)    P = softmax(S)    o = P v        lse = log(sum(exp(S))), delta = sum(do * o) of a row
 *     dP = do v^T    dS = P * (dP - delta)    dq = scale dS k    dk = scale dS^T q    dv = P^T do
 *
 * No tensor of Tq x Tk of all heads is ever in memory: backward computes S and dP again, tile by tile, from what is small, and keeps dS of
 * a few heads at a time at most (attention_run.c).
 */
#ifndef ATTENTION_H
#define ATTENTION_H

#include "hlx/math.h"
#include "hlx/plugin.h"

enum { Q, K, V, O, SLOTS };

struct attention_attrs {
	double scale;
	int32_t causal;
};

/* Keys in a block: the running maximum moves once a block.  Part of what is computed. */
#define ATTENTION_BLOCK 64u

static inline float attention_scale(const struct hlx_node *node)
{
	return hlx_store((float)((const struct attention_attrs *)node->attrs)->scale); /* it is a factor: no denormal */
}

/* Query i sees the keys j < first + slope * i, at most all of them; `first` may be negative. */
struct attention_mask {
	int64_t first, slope;
};

static inline struct attention_mask attention_mask(const struct hlx_node *node)
{
	int64_t tq = (int64_t)node->desc[Q].dim[2], tk = (int64_t)node->desc[K].dim[2];
	if (!((const struct attention_attrs *)node->attrs)->causal)
		return (struct attention_mask){ tk, 0 };
	return (struct attention_mask){ tk - tq + 1, 1 };
}

int attention_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int attention_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int attention_ref64(const struct hlx_node *, double *const value[]);

extern const char *const attention_bench[];
struct hlx_work attention_work(const struct hlx_node *, bool backward);

/* ---- attention_run.c ---- */

/*
 * Backward is delta, and then one of two ways: dq, and dk with dv, each from scores of its own (seven products); or dk and dv, which leave
 * dS in memory for as many heads as a window has, and dq from that (five products).  A workgroup of all but delta has one head of one
 * sequence and `rows` queries (dk and dv: keys), and goes through the other side's blocks.
 */
enum attention_kernel { ATTENTION_FORWARD, ATTENTION_DQ, ATTENTION_DKV, ATTENTION_DKV_KEEP, ATTENTION_DQ_KEPT, ATTENTION_DELTA, ATTENTION_KERNELS };

/* Whose rows a workgroup has. */
static inline unsigned attention_side(enum attention_kernel which)
{
	return which == ATTENTION_DKV || which == ATTENTION_DKV_KEEP ? K : Q;
}

struct attention_engine {
	const struct hlx_shader *shader; /* ATTENTION_KERNELS of them; without DQ and DKV dS is always kept */
	enum hlx_how how;                /* q, k, v, dy are read */
	/* rows of a workgroup, and the specialization constants for it; how many of these, or 0 where it can't be done */
	uint32_t (*choose)(const struct hlx_host *, const struct hlx_node *, enum attention_kernel, uint32_t *rows, uint32_t spec[8]);
	/* turns of an invocation's loops for each element of the other side, times 64 */
	uint32_t (*turns)(const struct hlx_node *);
};
int attention_prepare(const struct hlx_host *, struct hlx_node *, const struct attention_engine *);
int attention_forward(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *, const struct attention_engine *);
int attention_backward(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *,
		       const struct attention_engine *);
/* Of how many heads dS is kept at a time, or 0. */
uint64_t attention_kept_heads(const struct hlx_host *, const struct hlx_node *);
/* Do all rows of all four tensors start at multiples of 16 bytes? */
bool attention_whole(const struct hlx_node *);

extern const struct hlx_impl attention_impl_fma, attention_impl_simd, attention_impl_simt;

#endif
