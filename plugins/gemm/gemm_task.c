/*
 * gemm_task.c - which product each pass of a node is.
 *
 *     weight, rows = all leading dims of a       two inputs, op = transpose or not
 *     c  (rows, out) = a  W^T + bias             c = op(a) op(b)
 *     da (rows, in)  = dc W                      da = dc op(b)^T,   or of a stored transposed  op(b) dc^T
 *     dW (out, in)   = dc^T a, a slot            db = op(a)^T dc,   or of b stored transposed  dc^T op(a)
 *     dbias (out)    = sum of dc's rows, a slot
 *
 * The gradient of a transposed operand swaps the factors rather than the result, so that C is always row-major.
 */
#include "gemm.h"

/* The last two dims of a slot as a matrix, the others as a batch. */
static struct gemm_operand operand(const struct hlx_node *node, unsigned slot, enum hlx_what what)
{
	const struct hlx_desc *d = &node->desc[slot];
	struct gemm_operand o = { (uint16_t)slot, (uint8_t)what, d->offset, d->stride[d->rank - 2],
				  d->dim[d->rank - 1] == 1 ? 1 : d->stride[d->rank - 1], 0, 0 };

	if (d->rank >= 3)
		o.s0 = d->stride[0];
	if (d->rank == 4)
		o.s1 = d->stride[1];
	return o;
}

static struct gemm_operand transposed(struct gemm_operand o)
{
	uint64_t row = o.row;

	o.row = o.col;
	o.col = row;
	return o;
}

static struct gemm_operand transposed_if(bool yes, struct gemm_operand o)
{
	return yes ? transposed(o) : o;
}

/* All leading dims as the rows of one matrix. */
static struct gemm_operand flat(const struct hlx_node *node, unsigned slot, enum hlx_what what)
{
	struct gemm_operand o = operand(node, slot, what);

	o.s0 = o.s1 = 0;
	if (node->desc[slot].dim[node->desc[slot].rank - 2] == 1) /* a row stride of another dim counts */
		for (uint32_t i = 0; i + 1 < node->desc[slot].rank; i++)
			if (node->desc[slot].dim[i] != 1)
				o.row = node->desc[slot].stride[i];
	return o;
}

static void set_batch(struct gemm_task *t, const struct hlx_desc *d)
{
	t->z = t->dim1 = 1;
	if (d->rank >= 3)
		t->z = d->dim[0];
	if (d->rank == 4) {
		t->dim1 = d->dim[1];
		t->z *= d->dim[1];
	}
}

struct gemm_task gemm_task_forward(const struct hlx_node *node)
{
	const struct gemm_attrs *at = node->attrs;
	const struct hlx_desc *c = &node->desc[GEMM_C];
	struct gemm_task t = { .z = 1, .dim1 = 1, .n = hlx_cols(c) };

	if (gemm_has_weight(node)) {
		t.m = hlx_rows(c);
		t.k = node->desc[GEMM_WEIGHT].dim[1];
		t.a = flat(node, GEMM_A, HLX_VALUE);
		t.b = transposed(operand(node, GEMM_WEIGHT, HLX_VALUE));
		t.c = flat(node, GEMM_C, HLX_VALUE);
		if (node->desc[GEMM_BIAS].rank) {
			t.flags = GEMM_ADD_BIAS;
			t.bias_base = node->desc[GEMM_BIAS].offset;
		}
		return t;
	}
	set_batch(&t, c);
	t.m = c->dim[c->rank - 2];
	t.a = transposed_if(at->transpose_a, operand(node, GEMM_A, HLX_VALUE));
	t.b = transposed_if(at->transpose_b, operand(node, GEMM_B, HLX_VALUE));
	t.c = operand(node, GEMM_C, HLX_VALUE);
	t.k = node->desc[GEMM_A].dim[c->rank - (at->transpose_a ? 2 : 1)];
	return t;
}

/* dc as the left factor of a slot's partial sums: slot s is rows s R/S ... of the R rows. */
static struct gemm_task weight_grad(const struct hlx_node *node)
{
	const struct hlx_desc *w = &node->desc[GEMM_WEIGHT];
	uint64_t rows = hlx_rows(&node->desc[GEMM_C]) / node->slots;
	struct gemm_task t = { .m = w->dim[0], .n = w->dim[1], .k = rows, .z = node->slots, .dim1 = 1 };

	t.a = transposed(flat(node, GEMM_C, HLX_GRAD));
	t.a.s0 = rows * t.a.col;
	t.b = flat(node, GEMM_A, HLX_VALUE);
	t.b.s0 = rows * t.b.row;
	t.c = (struct gemm_operand){ GEMM_WEIGHT, HLX_GRAD, 0, w->dim[1], 1, hlx_slot_stride(w), 0 };
	t.flags = GEMM_RAW | (gemm_accumulates(node, GEMM_WEIGHT) ? GEMM_CONTINUE : 0);
	return t;
}

struct gemm_task gemm_task_grad(const struct hlx_node *node, unsigned slot)
{
	const struct gemm_attrs *at = node->attrs;
	const struct hlx_desc *d = &node->desc[slot];
	struct gemm_task t = { .m = d->dim[d->rank - 2], .n = hlx_cols(d), .z = 1, .dim1 = 1 };

	if (slot == GEMM_WEIGHT)
		return weight_grad(node);
	t.flags = gemm_accumulates(node, slot) ? GEMM_ACCUM : 0;
	if (gemm_has_weight(node)) {
		t.m = hlx_rows(d);
		t.k = hlx_cols(&node->desc[GEMM_C]);
		t.a = flat(node, GEMM_C, HLX_GRAD);
		t.b = operand(node, GEMM_WEIGHT, HLX_VALUE);
		t.c = flat(node, GEMM_A, HLX_GRAD);
		return t;
	}
	set_batch(&t, d);
	t.c = operand(node, slot, HLX_GRAD);

	struct gemm_operand dc = operand(node, GEMM_C, HLX_GRAD);
	struct gemm_operand a = transposed_if(at->transpose_a, operand(node, GEMM_A, HLX_VALUE));
	struct gemm_operand b = transposed_if(at->transpose_b, operand(node, GEMM_B, HLX_VALUE));
	const struct hlx_desc *c = &node->desc[GEMM_C];
	if (slot == GEMM_A) {
		t.k = hlx_cols(c);
		t.a = at->transpose_a ? b : dc;
		t.b = transposed(at->transpose_a ? dc : b);
	} else {
		t.k = c->dim[c->rank - 2];
		t.a = transposed(at->transpose_b ? dc : a);
		t.b = at->transpose_b ? a : dc;
	}
	return t;
}

struct gemm_dbias gemm_task_dbias(const struct hlx_node *node)
{
	const struct hlx_desc *c = &node->desc[GEMM_C];
	struct gemm_operand dc = flat(node, GEMM_C, HLX_GRAD);
	struct gemm_dbias t = { .n = hlx_cols(c), .row = dc.row, .base = dc.base, .slots = node->slots };

	t.seq = c->rank >= 3 ? c->dim[c->rank - 2] : 1;
	t.blocks = (t.seq + GEMM_BLOCK - 1) / GEMM_BLOCK;
	t.runs = hlx_rows(c) / t.seq / t.slots;
	t.slot_stride = hlx_slot_stride(&node->desc[GEMM_BIAS]);
	return t;
}

int gemm_check_strides(const struct hlx_host *host, const struct hlx_node *node, unsigned slot)
{
	static const char *const name[] = { "a", "b", "weight", "bias", "c" };
	const struct hlx_desc *d = &node->desc[slot];
	uint64_t step = 0;

	if (d->dim[d->rank - 1] > 1 && d->stride[d->rank - 1] != 1)
		return host->fail(host, HLX_ESHAPE, "%s: elements of a row lie %llu apart, want 1", name[slot],
				  (unsigned long long)d->stride[d->rank - 1]);
	if (!gemm_has_weight(node))
		return 0;
	for (uint32_t i = d->rank - 1; i-- > 0;) {
		if (d->dim[i] == 1)
			continue;
		if (step && d->stride[i] != step)
			return host->fail(host, HLX_ESHAPE, "%s: its rows do not lie at equal distances", name[slot]);
		step = d->stride[i] * d->dim[i];
	}
	return 0;
}
