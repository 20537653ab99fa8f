/*
 * embedding.c - rows of the token table, and of the learned positions: what the op is.  How: embedding_rows.c.
 *
 * tokens: (B, T)   token: (vocab_size, d_model)   position: (max_seq_len, d_model)   y: (B, T, d_model)
 */
#include "plugins/embedding/embedding.h"

typedef unsigned long long ull;

/* Fills the parameter's desc with (rows, columns), or checks that of the one it is tied to. */
static int table(const struct hlx_host *host, struct hlx_node *node, int slot, const char *name, int64_t rows,
		int64_t columns)
{
	struct hlx_desc *d = &node->desc[slot];
	const struct embedding_attrs *a = node->attrs;
	if (d->rank && (d->rank != 2 || d->dim[0] != (uint64_t)rows || d->dim[1] != (uint64_t)columns))
		return host->fail(host, HLX_ESHAPE, "%s is tied to %llux%llu, rank %u, want %lldx%lld", name, (ull)d->dim[0],
				d->rank > 1 ? (ull)d->dim[1] : 1, d->rank, (long long)rows, (long long)columns);
	if (!d->rank)
		*d = (struct hlx_desc){ .dtype = HLX_F32, .rank = 2, .dim = { (uint64_t)rows, (uint64_t)columns } };
	hlx_contiguous(d);
	node->init[slot] = (struct hlx_init){ .deviation = a->std };
	return 0;
}

static int given(const struct hlx_host *host, const char *name, int64_t value)
{
	return value ? 0 : host->fail(host, HLX_EINVAL, "%s is 0 or missing: want at least 1, here or in [model]", name);
}

static int infer_tables(const struct hlx_host *host, struct hlx_node *node)
{
	const struct embedding_attrs *a = node->attrs;
	uint64_t t = node->desc[TOKENS].dim[1];
	int status = given(host, "vocab_size", a->vocab_size);
	if (!status)
		status = given(host, "d_model", a->d_model);
	if (!status)
		status = table(host, node, TOKEN, "token", a->vocab_size, a->d_model);
	if (status || !a->positions)
		return status;
	status = given(host, "max_seq_len", a->max_seq_len);
	if (!status && t > (uint64_t)a->max_seq_len)
		return host->fail(host, HLX_ESHAPE, "sequences of %llu tokens, but max_seq_len is %lld", (ull)t,
				(long long)a->max_seq_len);
	return status ? status : table(host, node, POSITION, "position", a->max_seq_len, a->d_model);
}

static int embedding_infer(const struct hlx_host *host, struct hlx_node *node)
{
	const struct hlx_desc *x = &node->desc[TOKENS];
	const struct embedding_attrs *a = node->attrs;
	if (x->dtype != HLX_U32 && x->dtype != HLX_I32)
		return host->fail(host, HLX_EDTYPE, "tokens are not integers");
	if (x->rank != 2)
		return host->fail(host, HLX_ESHAPE, "tokens has %u dims, want 2 (batch, seq)", x->rank);
	if (x->axis[0] != HLX_BATCH)
		return host->fail(host, HLX_ESHAPE, "the first dim of tokens is not the batch");
	int status = infer_tables(host, node);
	if (status)
		return status;
	node->desc[Y] = (struct hlx_desc){
		.dtype = HLX_F32,
		.rank = 3,
		.dim = { x->dim[0], x->dim[1], (uint64_t)a->d_model },
		.axis = { HLX_BATCH, x->axis[1], HLX_OTHER },
	};
	hlx_contiguous(&node->desc[Y]);
	node->causal = x->axis[1] == HLX_SEQ;
	return 0;
}

static const struct hlx_slot slots[] = {
	[TOKENS] = { "tokens", HLX_IN, HLX_NOGRAD },
	[TOKEN] = { "token", HLX_PARAM, 0 },
	[POSITION] = { "position", HLX_PARAM, HLX_OPTIONAL },
	[Y] = { "y", HLX_OUT, 0 },
	{ 0 },
};

#define AT(member) offsetof(struct embedding_attrs, member)
static const struct hlx_attr attrs[] = {
	{ "vocab_size", "rows of the token table (default: [model] vocab_size)", HLX_INT, AT(vocab_size), 0, 0, 1 << 30, NULL },
	{ "d_model", "columns of both tables (default: [model] d_model)", HLX_INT, AT(d_model), 0, 0, 1 << 24, NULL },
	{ "max_seq_len", "rows of the position table (default: [model] max_seq_len)", HLX_INT, AT(max_seq_len), 0, 0,
		1 << 30, NULL },
	{ "std", "deviation of the initial weights", HLX_FLOAT, AT(std), 0.02, 0, 1e3, NULL },
	{ "positions", "add learned positions", HLX_BOOL, AT(positions), 1, 0, 1, NULL },
	{ 0 },
};

static const char *const cases[] = {
	"tokens=1x1<1 vocab_size=1 d_model=1 max_seq_len=1",
	"tokens=2x5<7 vocab_size=7 d_model=6 max_seq_len=5",
	"tokens=4x37<11 vocab_size=13 d_model=8 max_seq_len=40",
	"tokens=3x33<300 vocab_size=300 d_model=257 max_seq_len=64",
	"tokens=4x64<5 vocab_size=256 d_model=36 positions=no",
	NULL,
};

static const struct hlx_op op = {
	.struct_size = sizeof(struct hlx_op),
	.name = "embedding",
	.doc = "y = token[id] + position[place in the sequence]",
	.kind = HLX_LAYER,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct embedding_attrs),
	.infer = embedding_infer,
	.ref_forward = embedding_ref_forward,
	.ref_backward = embedding_ref_backward,
	.ref64 = embedding_ref64,
	.cases = cases,
	.bench = embedding_bench,
	.work = embedding_work,
};

static const struct hlx_impl rows = {
	.struct_size = sizeof(struct hlx_impl),
	.op = "embedding",
	.name = "rows",
	.doc = "a workgroup a row; backward follows the links between places that hold the same id, no atomics",
	.tier = HLX_PORTABLE,
	.prepare = embedding_prepare,
	.forward = embedding_forward,
	.backward = embedding_backward,
};

static const struct hlx_op *const ops[] = { &op, NULL };
static const struct hlx_impl *const impls[] = { &rows, NULL };

HLX_PLUGIN(.name = "embedding", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
