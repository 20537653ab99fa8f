/* attention.c - softmax(scale q k^T) v in one op: slots, attributes, shapes. */
#include "attention.h"

typedef unsigned long long ull;

static const struct hlx_slot slots[] = {
	[Q] = { "q", HLX_IN, 0 },
	[K] = { "k", HLX_IN, HLX_SPANS },
	[V] = { "v", HLX_IN, HLX_SPANS },
	[O] = { "o", HLX_OUT, 0 },
	{ NULL, 0, 0 }
};

#define AT(member) offsetof(struct attention_attrs, member)
static const struct hlx_attr attrs[] = {
	{ "causal", "query i of Tq sees the keys j <= i + Tk - Tq only", HLX_BOOL, AT(causal), 0, 0, 1, NULL },
	{ "scale", "what q k^T is multiplied by first", HLX_FLOAT, AT(scale), 1, -1e6, 1e6, NULL },
	{ NULL, NULL, 0, 0, 0, 0, 0, NULL }
};

static int check_input(const struct hlx_host *host, const struct hlx_node *node, unsigned slot)
{
	const struct hlx_desc *d = &node->desc[slot];

	if (d->dtype != HLX_F32)
		return host->fail(host, HLX_EDTYPE, "%s is not of floats", slots[slot].name);
	if (d->rank != 4)
		return host->fail(host, HLX_ESHAPE, "%s has %u dims, want 4 (batch, heads, seq, d_head)", slots[slot].name, d->rank);
	if (d->dim[3] != 1 && d->stride[3] != 1)
		return host->fail(host, HLX_ESHAPE, "%s: elements of a row lie %llu apart, want 1", slots[slot].name,
				  (ull)d->stride[3]);
	if (d->dim[2] > 1u << 24)
		return host->fail(host, HLX_ESHAPE, "%s: sequences of %llu, want at most 2^24", slots[slot].name, (ull)d->dim[2]);
	return 0;
}

static int infer(const struct hlx_host *host, struct hlx_node *node)
{
	static const char dims[][8] = { "batch", "heads", "seq", "d_head" };
	const struct hlx_desc *d = node->desc;
	int rc = 0;

	for (unsigned slot = Q; rc == 0 && slot <= V; slot++)
		rc = check_input(host, node, slot);
	for (unsigned slot = K; rc == 0 && slot <= V; slot++)
		for (unsigned i = 0; rc == 0 && i < 4; i++) {
			const struct hlx_desc *like = i == 2 ? &d[K] : &d[Q];
			if (d[slot].dim[i] != like->dim[i])
				rc = host->fail(host, HLX_ESHAPE, "%s of %s is %llu, that of %s %llu", dims[i], slots[slot].name,
						(ull)d[slot].dim[i], i == 2 ? "k" : "q", (ull)like->dim[i]);
		}
	if (rc)
		return rc;
	node->desc[O] = d[Q];
	node->desc[O].view_of = 0;
	node->desc[O].offset = 0;
	hlx_contiguous(&node->desc[O]);
	node->causal = ((const struct attention_attrs *)node->attrs)->causal && d[Q].axis[3] == HLX_OTHER &&
		d[Q].axis[2] == HLX_SEQ && d[K].axis[2] == HLX_SEQ && d[V].axis[2] == HLX_SEQ;
	return 0;
}

static const char *const cases[] = {
	"q=2x3x5x8 k=2x3x5x8 v=2x3x5x8",
	"q=1x1x1x1 k=1x1x1x1 v=1x1x1x1 causal=yes",
	"q=2x1x3x33 k=2x1x3x33 v=2x1x3x33 causal=yes scale=0.3",
	"q=2x2x65x64 k=2x2x65x64 v=2x2x65x64 causal=yes scale=0.125",
	"q=1x2x130x8 k=1x2x130x8 v=1x2x130x8 causal=yes scale=-0.3",
	"q=1x1x130x33 k=1x1x130x33 v=1x1x130x33 scale=0.17",
	"q=1x1x70x80 k=1x1x70x80 v=1x1x70x80 causal=yes scale=0.11",
	"q=1x1x66x128 k=1x1x66x128 v=1x1x66x128 causal=yes scale=0.09",
	"q=2x1x1x64 k=2x1x96x64 v=2x1x96x64 causal=yes scale=0.125", /* the last query of a longer sequence */
	"q=1x2x37x20 k=1x2x131x20 v=1x2x131x20 causal=yes scale=0.2",
	"q=1x1x75x12 k=1x1x3x12 v=1x1x3x12 causal=yes", /* the first 72 queries see nothing */
	"q=1x1x515x4 k=1x1x515x4 v=1x1x515x4 causal=yes scale=0.4",
	"q=1x2x516x4 k=1x2x516x4 v=1x2x516x4 causal=yes scale=0.4", /* dS is kept head by head */
	NULL
};

static const struct hlx_op attention = {
	.struct_size = sizeof attention,
	.name = "attention",
	.doc = "softmax(scale q k^T) v, causal where asked for, without a (seq, seq) tensor in memory",
	.kind = HLX_LAYER,
	.slots = slots,
	.attrs = attrs,
	.attrs_size = sizeof(struct attention_attrs),
	.infer = infer,
	.ref_forward = attention_ref_forward,
	.ref_backward = attention_ref_backward,
	.ref64 = attention_ref64,
	.cases = cases,
	.bench = attention_bench,
	.work = attention_work,
};

static const struct hlx_op *const ops[] = { &attention, NULL };
static const struct hlx_impl *const impls[] = { &attention_impl_fma, &attention_impl_simd, &attention_impl_simt, NULL };

HLX_PLUGIN(.name = "attention", .version = "0.1.0", .license = "MIT", .ops = ops, .impls = impls);
