/*
 * gemm.c - matrix products.
 *
 *     c (..., m, out) = a (..., m, in) weight (out, in)^T + bias (out)      "gemm x out=768 bias=yes"
 *     c (..., m, n)   = op(a) (..., m, k)  op(b) (..., k, n)                "gemm q k transpose_b=yes"
 */
#include "gemm.h"

#define ULL(x) ((unsigned long long)(x))

static const struct hlx_slot slots[] = {
	[GEMM_A] = { "a", HLX_IN, 0 },
	[GEMM_B] = { "b", HLX_IN, HLX_OPTIONAL | HLX_SPANS },
	[GEMM_WEIGHT] = { "weight", HLX_PARAM, HLX_OPTIONAL },
	[GEMM_BIAS] = { "bias", HLX_PARAM, HLX_OPTIONAL | HLX_NODECAY },
	[GEMM_C] = { "c", HLX_OUT, 0 },
	{ NULL, 0, 0 }
};

#define AT(member) offsetof(struct gemm_attrs, member)
static const struct hlx_attr attrs[] = {
	{ "out", "columns of the result, for one input and a weight (out, in)", HLX_INT, AT(out), 0, 0, 1 << 30, NULL },
	{ "bias", "add a learned bias to each row (with out)", HLX_BOOL, AT(bias), 0, 0, 1, NULL },
	{ "transpose_a", "transpose the last two dims of the first of two inputs", HLX_BOOL, AT(transpose_a), 0, 0, 1,
	  NULL },
	{ "transpose_b", "transpose the last two dims of the second input", HLX_BOOL, AT(transpose_b), 0, 0, 1, NULL },
	{ "std", "deviation of the weight's initial values", HLX_FLOAT, AT(std), 0.02, 0, 1e3, NULL },
	{ NULL, NULL, 0, 0, 0, 0, 0, NULL }
};

static int check_input(const struct hlx_host *host, const struct hlx_node *node, unsigned slot, const char *name)
{
	const struct hlx_desc *d = &node->desc[slot];

	if (d->dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "%s is not of floats", name);
	if (d->rank < 2)
		return host->fail(host, HLX_ESHAPE, "%s has %u dims, want 2 to 4", name, d->rank);
	return gemm_check_strides(host, node, slot);
}

/* A parameter: filled here, or checked where it is tied to another node's. */
static int infer_param(const struct hlx_host *host, struct hlx_node *node, unsigned slot, uint32_t rank,
		       const uint64_t *dim, double deviation)
{
	struct hlx_desc *d = &node->desc[slot];

	if (d->rank) {
		bool same = d->dtype == HLX_F32 && d->rank == rank && hlx_is_contiguous(d);
		for (uint32_t i = 0; same && i < rank; i++)
			same = d->dim[i] == dim[i];
		if (!same)
			return host->fail(host, HLX_ESHAPE, "the tied %s is %llux%llu, want %llux%llu",
					  slots[slot].name, ULL(d->dim[0]), ULL(d->rank > 1 ? d->dim[1] : 1),
					  ULL(dim[0]), ULL(rank > 1 ? dim[1] : 1));
	}
	*d = (struct hlx_desc){ .dtype = HLX_F32, .rank = rank, .offset = d->offset, .view_of = d->view_of };
	for (uint32_t i = 0; i < rank; i++)
		d->dim[i] = dim[i];
	hlx_contiguous(d);
	node->init[slot] = (struct hlx_init){ 0.0, deviation };
	return 0;
}

static int infer_weight(const struct hlx_host *host, struct hlx_node *node)
{
	const struct gemm_attrs *at = node->attrs;
	const struct hlx_desc *a = &node->desc[GEMM_A];
	struct hlx_desc *c = &node->desc[GEMM_C];
	uint64_t dim[2] = { (uint64_t)at->out, hlx_cols(a) };
	int rc;

	if (at->transpose_a || at->transpose_b)
		return host->fail(host, HLX_EINVAL, "transpose_%c needs two inputs", at->transpose_a ? 'a' : 'b');
	if (a->axis[0] != HLX_BATCH)
		return host->fail(host, HLX_ESHAPE, "the first dim of a is not the batch, which a weight's gradient needs");
	rc = infer_param(host, node, GEMM_WEIGHT, 2, dim, at->std);
	if (rc == 0 && at->bias)
		rc = infer_param(host, node, GEMM_BIAS, 1, dim, 0.0);
	if (rc)
		return rc;
	node->causal = hlx_rows_causal(a);
	*c = (struct hlx_desc){ .dtype = HLX_F32, .rank = a->rank };
	for (uint32_t i = 0; i + 1 < a->rank; i++) {
		c->dim[i] = a->dim[i];
		c->axis[i] = a->axis[i];
	}
	c->dim[a->rank - 1] = dim[0];
	hlx_contiguous(c);
	return 0;
}

/* Rows are positions, those of b too: scores, whose later columns softmax drops; or values, by what is +0 for later ones. */
static bool product_causal(const struct gemm_attrs *at, const struct hlx_desc *a, const struct hlx_desc *b)
{
	uint32_t r = a->rank, last = at->transpose_b ? HLX_OTHER : HLX_PAST;

	for (uint32_t i = 0; i + 2 < r; i++)
		if (a->axis[i] == HLX_SEQ || a->axis[i] == HLX_PAST || a->axis[i] != b->axis[i])
			return false;
	return !at->transpose_a && a->axis[r - 2] == HLX_SEQ && a->axis[r - 1] == last && b->axis[r - 2] == HLX_SEQ &&
		b->axis[r - 1] == HLX_OTHER;
}

static int infer_product(const struct hlx_host *host, struct hlx_node *node)
{
	const struct gemm_attrs *at = node->attrs;
	const struct hlx_desc *a = &node->desc[GEMM_A], *b = &node->desc[GEMM_B];
	struct hlx_desc *c = &node->desc[GEMM_C];
	uint32_t r = a->rank, row = at->transpose_a ? r - 1 : r - 2, col = at->transpose_b ? r - 2 : r - 1;

	if (at->bias)
		return host->fail(host, HLX_EINVAL, "bias needs out= and one input");
	if (b->rank != r)
		return host->fail(host, HLX_ESHAPE, "a has %u dims and b has %u, want the same", r, b->rank);
	for (uint32_t i = 0; i + 2 < r; i++)
		if (a->dim[i] != b->dim[i])
			return host->fail(host, HLX_ESHAPE, "dim %u of a is %llu, of b %llu, want the same", i,
					  ULL(a->dim[i]), ULL(b->dim[i]));
	uint64_t ka = a->dim[2 * r - 3 - row], kb = b->dim[2 * r - 3 - col];
	if (ka != kb)
		return host->fail(host, HLX_ESHAPE, "%s of a (%llux%llu) are %llu, %s of b (%llux%llu) are %llu",
				  at->transpose_a ? "rows" : "columns", ULL(a->dim[r - 2]), ULL(a->dim[r - 1]), ULL(ka),
				  at->transpose_b ? "columns" : "rows", ULL(b->dim[r - 2]), ULL(b->dim[r - 1]),
				  ULL(kb));
	*c = (struct hlx_desc){ .dtype = HLX_F32, .rank = r };
	for (uint32_t i = 0; i + 2 < r; i++) {
		c->dim[i] = a->dim[i];
		c->axis[i] = a->axis[i];
	}
	c->dim[r - 2] = a->dim[row];
	c->axis[r - 2] = a->axis[row];
	c->dim[r - 1] = b->dim[col];
	c->axis[r - 1] = b->axis[col];
	node->causal = product_causal(at, a, b);
	hlx_contiguous(c);
	return 0;
}

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct gemm_attrs *at = node->attrs;
	bool two = node->desc[GEMM_B].rank != 0;
	int rc;

	if (two && at->out)
		return host->fail(host, HLX_EINVAL, "out= is for one input and a weight, here are two inputs");
	if (!two && !at->out)
		return host->fail(host, HLX_EINVAL, "one input needs out=, the columns of the result");
	rc = check_input(host, node, GEMM_A, "a");
	if (rc == 0 && two)
		rc = check_input(host, node, GEMM_B, "b");
	if (rc)
		return rc;
	return two ? infer_product(host, node) : infer_weight(host, node);
}

static const char *const cases[] = {
	"a=8x33 out=20 bias=yes",
	"a=2x3x257 out=5 bias=yes",
	"a=2x70x64 out=96 bias=yes",
	"a=4x32x128 out=64 bias=yes",
	"a=2x1x1 out=1 bias=yes",
	"a=2x2x5x17 out=33 bias=yes",
	"a=3x257 b=257x31",
	"a=2x3x17x64 b=2x3x64x33",
	"a=2x2x32x16 b=2x2x32x16 transpose_b=yes",
	"a=2x2x19x7 b=2x2x23x7 transpose_b=yes",
	"a=3x64x48 b=3x64x32 transpose_a=yes",
	"a=3x5x9 b=3x5x3 transpose_a=yes",
	"a=2x40x24 b=2x36x40 transpose_a=yes transpose_b=yes",
	"a=1x1 b=1x1",
	NULL
};

static const struct hlx_op op = {
	.struct_size = sizeof(struct hlx_op),
	.name = "gemm",
	.doc = "matrix product: of an input and a weight (out, in), plus a bias; or of two inputs",
	.kind = HLX_LAYER,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct gemm_attrs),
	.infer = infer,
	.ref_forward = gemm_ref_forward,
	.ref_backward = gemm_ref_backward,
	.ref64 = gemm_ref64,
	.cases = cases,
	.bench = gemm_bench,
	.work = gemm_work,
};

static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = {
	&gemm_impl_simd, &gemm_impl_coopmat, &gemm_impl_fma, &gemm_impl_simt, &gemm_impl_gemm16, NULL
};

HLX_PLUGIN("gemm", "1.0", "MIT", NULL, ops, impls);
