/*
 * gemm_ref.c - the definition.
 *
 *     c  = hlx_store(acc + bias)      acc = acc + a b from +0, k ascending; the bias joins the unflushed acc
 *     da = hlx_store(acc)             n ascending                          (accum: hlx_accum(da, acc))
 *     db = hlx_store(acc)             m ascending                          (likewise)
 *     dW[slot] = acc                  the slot's rows ascending, from +0 or from what is stored; unflushed
 *     dbias[slot] = acc               acc = acc + term; term: the chain from +0 over 32 positions of a sequence
 */
#include "gemm.h"
#include "hlx/math.h"

/* offsets of value[] and grad[] are at the desc's first element already */
static float *matrix(void *const base[], const struct gemm_operand *o, const struct gemm_task *t, uint64_t z)
{
	return (float *)base[o->slot] + z / t->dim1 * o->s0 + z % t->dim1 * o->s1;
}

static float finish(const struct gemm_task *t, float acc, const float *bias, const float *c)
{
	if (t->flags & GEMM_RAW)
		return acc;
	if (t->flags & GEMM_ACCUM)
		return hlx_accum(*c, acc);
	return hlx_store(t->flags & GEMM_ADD_BIAS ? acc + *bias : acc);
}

static void multiply(const struct gemm_task *t, const float *a, const float *b, float *c, const float *bias)
{
	for (uint64_t i = 0; i < t->m; i++)
		for (uint64_t j = 0; j < t->n; j++) {
			float *out = &c[i * t->c.row + j];
			float acc = t->flags & GEMM_CONTINUE ? *out : 0.0f;
			for (uint64_t k = 0; k < t->k; k++)
				acc = acc + a[i * t->a.row + k * t->a.col] * b[k * t->b.row + j * t->b.col];
			*out = finish(t, acc, bias ? &bias[j] : NULL, out);
		}
}

static void run(const struct gemm_task *t, void *const value[], void *const grad[])
{
	void *const *a = t->a.what == HLX_VALUE ? value : grad;
	void *const *b = t->b.what == HLX_VALUE ? value : grad;
	void *const *c = t->c.what == HLX_VALUE ? value : grad;

	for (uint64_t z = 0; z < t->z; z++)
		multiply(t, matrix(a, &t->a, t, z), matrix(b, &t->b, t, z), matrix(c, &t->c, t, z),
			 t->flags & GEMM_ADD_BIAS ? value[GEMM_BIAS] : NULL);
}

/* One column of one slot; dc: its first row. */
static float bias_chain(const struct gemm_dbias *t, const float *dc, float acc)
{
	for (uint64_t run = 0; run < t->runs; run++)
		for (uint64_t first = 0; first < t->seq; first += GEMM_BLOCK) {
			float term = 0.0f;
			for (uint64_t i = first; i < t->seq && i < first + GEMM_BLOCK; i++)
				term = term + dc[(run * t->seq + i) * t->row];
			acc = acc + term;
		}
	return acc;
}

static void bias_grad(const struct hlx_node *node, const float *dc, float *out)
{
	struct gemm_dbias t = gemm_task_dbias(node);

	for (uint64_t s = 0; s < t.slots; s++)
		for (uint64_t j = 0; j < t.n; j++) {
			float *o = &out[s * t.slot_stride + j];
			*o = bias_chain(&t, dc + s * t.runs * t.seq * t.row + j,
					gemm_accumulates(node, GEMM_BIAS) ? *o : 0.0f);
		}
}

int gemm_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	struct gemm_task t = gemm_task_forward(node);

	(void)step;
	run(&t, value, NULL);
	return 0;
}

int gemm_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		      const struct hlx_step *step)
{
	(void)step;
	for (unsigned slot = GEMM_A; slot <= GEMM_WEIGHT; slot++)
		if (gemm_wants(node, slot)) {
			struct gemm_task t = gemm_task_grad(node, slot);
			run(&t, value, grad);
		}
	if (gemm_wants(node, GEMM_BIAS))
		bias_grad(node, grad[GEMM_C], grad[GEMM_BIAS]);
	return 0;
}

/* Straight from the description of the op, not from its tasks: it is what checks them. */
int gemm_ref64(const struct hlx_node *node, double *const value[])
{
	const struct gemm_attrs *at = node->attrs;
	const struct hlx_desc *da = &node->desc[GEMM_A], *dc = &node->desc[GEMM_C];
	bool weight = gemm_has_weight(node);
	const struct hlx_desc *db = &node->desc[weight ? GEMM_WEIGHT : GEMM_B];
	const double *b = value[weight ? GEMM_WEIGHT : GEMM_B];
	uint32_t r = dc->rank;
	uint64_t m = dc->dim[r - 2], n = dc->dim[r - 1], k = da->dim[r - (at->transpose_a ? 2 : 1)];
	uint64_t outer = r > 3 ? dc->dim[r - 4] : 1, inner = r > 2 ? dc->dim[r - 3] : 1;
	bool tb = weight || at->transpose_b;

	for (uint64_t z = 0; z < outer * inner; z++) {
		uint64_t at_a = 0, at_b = 0, at_c = 0;
		uint64_t zi[2] = { z / inner, z % inner };
		for (uint32_t i = 0; i + 2 < r; i++) {
			uint64_t x = zi[i + 4 - r];
			at_a += x * da->stride[i];
			at_b += weight ? 0 : x * db->stride[i];
			at_c += x * dc->stride[i];
		}
		const uint64_t *sa = &da->stride[r - 2], *sb = &db->stride[weight ? 0 : r - 2];
		for (uint64_t i = 0; i < m; i++)
			for (uint64_t j = 0; j < n; j++) {
				double acc = weight && node->desc[GEMM_BIAS].rank ? value[GEMM_BIAS][j] : 0.0;
				for (uint64_t l = 0; l < k; l++)
					acc += value[GEMM_A][at_a + (at->transpose_a ? l * sa[0] + i * sa[1]
										     : i * sa[0] + l * sa[1])] *
					       b[at_b + (tb ? j * sb[0] + l * sb[1] : l * sb[0] + j * sb[1])];
				value[GEMM_C][at_c + i * dc->stride[r - 2] + j * dc->stride[r - 1]] = acc;
			}
	}
	return 0;
}
