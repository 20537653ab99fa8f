/*
 * attention_ref.c - the definition of attention.
 *
 * Forward, of a query: m = -FLT_MAX, l = 0, acc = 0; then for each block of 64 keys, from key 0, of those it sees
 *
 *     s_j = mul(chain_d(q_d k_jd), scale)        m' = the largest of m and s_j
 *     where m' > m: a = exp(m - m'), l = mul(l, a), acc_d = mul(acc_d, a)
 *     p_j = exp(s_j - m'), 0 where not seen      l = l + tree(p)      acc_d = acc_d + p_j v_jd, j ascending      m = m'
 *
 * and in the end o_d = store(mul(acc_d, rcp(l))), lse = m + log(l).  A query that sees nothing gives zeros.  Backward, of the
 * pairs that see each other, every chain ascending:
 *
 *     delta = chain_d(do_d o_d)      p = exp(s - lse)      ds = store(p * (chain_d(do_d v_d) - delta))
 *     dq = mul(chain_j(ds k), scale)      dk = mul(chain_i(ds q), scale)      dv = chain_i(p do)
 *
 * each stored, or added as gradients of activations are.  Denormals: exp gives 0 or at least 2^-50, and ds is stored, so
 * that every chain is one of products of operands 0 or >= 2^-50, as gemm's are; what is multiplied elsewhere goes through mul.
 */
#include "attention.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "hlx/tree.h"

/* One head of one sequence: rows of dh elements, `row` apart. */
struct head {
	float *at[SLOTS], *grad[SLOTS];
	uint64_t row[SLOTS], tq, tk, dh;
	struct attention_mask mask;
	float scale;
};

static struct head head_of(const struct hlx_node *node, void *const value[], void *const grad[], uint64_t b, uint64_t h)
{
	const struct hlx_desc *d = node->desc;
	struct head x = { .tq = d[Q].dim[2], .tk = d[K].dim[2], .dh = d[Q].dim[3], .mask = attention_mask(node),
			  .scale = attention_scale(node) };
	for (unsigned s = Q; s < SLOTS; s++) {
		uint64_t at = b * d[s].stride[0] + h * d[s].stride[1];
		x.at[s] = (float *)value[s] + at;
		x.grad[s] = grad && grad[s] ? (float *)grad[s] + at : NULL;
		x.row[s] = d[s].stride[2];
	}
	return x;
}

static uint64_t seen(const struct head *x, uint64_t i)
{
	int64_t n = x->mask.first + x->mask.slope * (int64_t)i;
	return n < 0 ? 0 : (uint64_t)n;
}

static float dot(const float *a, const float *b, uint64_t n)
{
	float acc = 0.0f;
	for (uint64_t d = 0; d < n; d++)
		acc = acc + a[d] * b[d];
	return acc;
}

static float score(const struct head *x, uint64_t i, uint64_t j)
{
	return hlx_mul(dot(x->at[Q] + i * x->row[Q], x->at[K] + j * x->row[K], x->dh), x->scale);
}

struct state {
	float m, l;
	float *acc;
};

/* Keys j0 ... j0 + n of a block. */
static void add_block(const struct head *x, uint64_t i, uint64_t j0, uint64_t n, struct state *st)
{
	struct hlx_tree64 t;
	float p[ATTENTION_BLOCK], m = st->m;

	for (uint64_t j = 0; j < n; j++) {
		p[j] = score(x, i, j0 + j);
		m = p[j] > m ? p[j] : m;
	}
	if (m > st->m) {
		float a = hlx_exp(st->m - m);
		st->l = hlx_mul(st->l, a);
		for (uint64_t d = 0; d < x->dh; d++)
			st->acc[d] = hlx_mul(st->acc[d], a);
	}
	st->m = m;
	hlx_tree64_init(&t);
	for (uint64_t j = 0; j < n; j++) {
		p[j] = hlx_exp(p[j] - m);
		hlx_tree64_add(&t, j, p[j]);
	}
	st->l = st->l + hlx_tree64_finish(&t);
	for (uint64_t d = 0; d < x->dh; d++)
		for (uint64_t j = 0; j < n; j++)
			st->acc[d] = st->acc[d] + p[j] * x->at[V][(j0 + j) * x->row[V] + d];
}

/* acc: room for dh floats */
static struct state forward_row(const struct head *x, uint64_t i, float *acc)
{
	struct state st = { -FLT_MAX, 0.0f, acc };
	uint64_t n = seen(x, i);

	for (uint64_t d = 0; d < x->dh; d++)
		acc[d] = 0.0f;
	for (uint64_t j = 0; j < n; j += ATTENTION_BLOCK)
		add_block(x, i, j, n - j < ATTENTION_BLOCK ? n - j : ATTENTION_BLOCK, &st);
	return st;
}

static void forward_head(const struct head *x, float *acc)
{
	for (uint64_t i = 0; i < x->tq; i++) {
		struct state st = forward_row(x, i, acc);
		float inv = hlx_rcp(st.l);
		for (uint64_t d = 0; d < x->dh; d++)
			x->at[O][i * x->row[O] + d] = hlx_store(hlx_mul(acc[d], inv));
	}
}

int attention_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const struct hlx_desc *q = &node->desc[Q];
	float *acc = malloc(q->dim[3] * sizeof *acc);

	(void)step;
	if (!acc)
		return HLX_ENOMEM;
	for (uint64_t z = 0; z < q->dim[0] * q->dim[1]; z++) {
		struct head x = head_of(node, value, NULL, z / q->dim[1], z % q->dim[1]);
		forward_head(&x, acc);
	}
	free(acc);
	return 0;
}

/* dq, dk, dv: (rows, dh) chains of one head, contiguous; acc: dh floats */
struct chains {
	float *dq, *dk, *dv, *acc;
};

static void backward_row(const struct head *x, uint64_t i, const struct chains *c)
{
	const float *q = x->at[Q] + i * x->row[Q], *grad = x->grad[O] + i * x->row[O];
	uint64_t n = seen(x, i), dh = x->dh;
	struct state st = forward_row(x, i, c->acc);
	float lse = st.m + hlx_log(st.l), delta = dot(grad, x->at[O] + i * x->row[O], dh);

	for (uint64_t j = 0; j < n; j++) {
		const float *k = x->at[K] + j * x->row[K];
		float p = hlx_exp(score(x, i, j) - lse);
		float ds = hlx_store(p * (dot(grad, x->at[V] + j * x->row[V], dh) - delta));
		for (uint64_t d = 0; d < dh; d++) {
			c->dq[i * dh + d] = c->dq[i * dh + d] + ds * k[d];
			c->dk[j * dh + d] = c->dk[j * dh + d] + ds * q[d];
			c->dv[j * dh + d] = c->dv[j * dh + d] + p * grad[d];
		}
	}
}

static void give(const struct hlx_node *node, const struct head *x, unsigned slot, const float *acc, uint64_t rows)
{
	bool accum = node->accum >> slot & 1;

	for (uint64_t i = 0; i < rows && (node->grads >> slot & 1); i++)
		for (uint64_t d = 0; d < x->dh; d++) {
			float *out = &x->grad[slot][i * x->row[slot] + d];
			float g = slot == V ? acc[i * x->dh + d] : hlx_mul(acc[i * x->dh + d], x->scale);
			*out = accum ? hlx_accum(*out, g) : hlx_store(g);
		}
}

static void backward_head(const struct hlx_node *node, const struct head *x, const struct chains *c)
{
	uint64_t all = (x->tq + 2 * x->tk) * x->dh; /* dq, dk and dv follow each other */

	for (uint64_t i = 0; i < all; i++)
		c->dq[i] = 0.0f;
	for (uint64_t i = 0; i < x->tq; i++)
		backward_row(x, i, c);
	give(node, x, Q, c->dq, x->tq);
	give(node, x, K, c->dk, x->tk);
	give(node, x, V, c->dv, x->tk);
}

int attention_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
			   const struct hlx_step *step)
{
	const struct hlx_desc *q = &node->desc[Q];
	uint64_t tq = q->dim[2], tk = node->desc[K].dim[2], dh = q->dim[3];
	float *room = malloc((tq + 2 * tk + 1) * dh * sizeof *room);
	struct chains c = { room, room + tq * dh, room + (tq + tk) * dh, room + (tq + 2 * tk) * dh };

	(void)step;
	if (!room)
		return HLX_ENOMEM;
	for (uint64_t z = 0; z < q->dim[0] * q->dim[1]; z++) {
		struct head x = head_of(node, value, grad, z / q->dim[1], z % q->dim[1]);
		backward_head(node, &x, &c);
	}
	free(room);
	return 0;
}

/* ---- in double ---- */

static void row64(const double *q, const double *k, const double *v, double *o, uint64_t n, const struct hlx_node *node)
{
	uint64_t dh = node->desc[Q].dim[3], kr = node->desc[K].stride[2], vr = node->desc[V].stride[2];
	double scale = attention_scale(node), m = -INFINITY, sum = 0;

	for (uint64_t d = 0; d < dh; d++)
		o[d] = 0;
	for (int pass = 0; pass < 2; pass++)
		for (uint64_t j = 0; j < n; j++) {
			double s = 0;
			for (uint64_t d = 0; d < dh; d++)
				s += q[d] * k[j * kr + d];
			s *= scale;
			if (pass == 0) {
				m = s > m ? s : m;
				continue;
			}
			sum += exp(s - m);
			for (uint64_t d = 0; d < dh; d++)
				o[d] += exp(s - m) * v[j * vr + d];
		}
	for (uint64_t d = 0; n && d < dh; d++)
		o[d] /= sum;
}

int attention_ref64(const struct hlx_node *node, double *const value[])
{
	const struct hlx_desc *d = node->desc;
	struct attention_mask mask = attention_mask(node);

	for (uint64_t b = 0; b < d[Q].dim[0]; b++)
		for (uint64_t h = 0; h < d[Q].dim[1]; h++)
			for (uint64_t i = 0; i < d[Q].dim[2]; i++) {
				const double *at[SLOTS];
				for (unsigned s = Q; s < SLOTS; s++)
					at[s] = value[s] + b * d[s].stride[0] + h * d[s].stride[1];
				int64_t n = mask.first + mask.slope * (int64_t)i;
				row64(at[Q] + i * d[Q].stride[2], at[K], at[V], value[O] + (at[O] - value[O]) + i * d[O].stride[2],
				      n < 0 ? 0 : (uint64_t)n, node);
			}
	return 0;
}
