/* Whole models: what an INI may get wrong, and that its wiring is data.  With the plugins that are shipped. */
#include "tests/toys.h"

#include "core/graph/graph.h"

#define MODEL "[model]\nvocab_size = 256\nd_model = 16\nnum_layers = 2\nnum_heads = 4\nffn_dim = 32\nmax_seq_len = 8\n"
#define EMBED "[embed]\nx = embedding tokens\n"
#define LAYER \
	"[layer]\nn1 = layernorm x\nqkv = gemm n1 out=3*d_model bias=yes\nq = heads qkv part=0\nk = heads qkv part=1\n" \
	"v = heads qkv part=2\nscore = gemm q k transpose_b=yes\n" \
	"prob = softmax score causal=yes scale=rsqrt(d_model/num_heads)\nctx = gemm prob v\nflat = unheads ctx\n" \
	"proj = gemm flat out=d_model bias=yes\nx1 = add x proj\nn2 = layernorm x1\nfc = gemm n2 out=ffn_dim bias=yes\n" \
	"act = gelu fc\nmlp = gemm act out=d_model bias=yes\nx = add x1 mlp\n"
#define HEAD "[head]\nn = layernorm x\nlogits = gemm n out=vocab_size\nloss = xent logits targets\n"
#define WHOLE MODEL EMBED LAYER HEAD

static struct hlx_registry *registry;

static void setup(void)
{
	ck_ok(hlx_registry_create(&registry));
	toys_plugins(registry);
}

static void teardown(void)
{
	hlx_registry_destroy(registry);
}

static int build(const char *text, uint64_t batch, uint64_t seq, const char *const *set, struct hlx_graph **g)
{
	struct hlx_graph_options o = { .batch = batch, .seq_len = seq, .train = true };
	struct hlx_ini *ini;
	int status;

	*g = NULL;
	ck_ok(hlx_ini_parse("m.ini", text, strlen(text), &ini));
	for (; set && *set; set++)
		ck_ok(hlx_ini_set(ini, *set));
	status = hlx_graph_build(registry, ini, &o, g);
	hlx_ini_destroy(ini);
	return status;
}

START_TEST(builds)
{
	struct hlx_graph *g;
	const struct hlx_desc *q;

	ck_ok(build(WHOLE, 8, 8, NULL, &g));
	ck_assert_str_eq(hlx_graph_logits(g), "head.logits");
	ck_assert_uint_eq(g->n_nodes, 1 + 2 * 16 + 3);
	ck_assert_str_eq(hlx_graph_param(g, 0).path, "embed.x.token");
	ck_assert_ptr_nonnull(hlx_graph_desc(g, "layer.1.fc.weight"));
	q = hlx_graph_desc(g, "layer.0.k");
	ck_assert_uint_eq(q->rank, 4);
	ck_assert_uint_eq(q->offset, 16);
	ck_assert_uint_eq(q->stride[2], 48);
	ck_assert_uint_eq(hlx_graph_desc(g, "head.logits")->dim[2], 256);
	ck_assert_uint_eq(g->options.slots, 8);
	/* ctx was laid out anew inside flat */
	ck_assert_uint_eq(hlx_graph_desc(g, "layer.0.ctx")->stride[1], 4);
	hlx_graph_destroy(g);
}
END_TEST

START_TEST(wiring_is_data)
{
	struct hlx_graph *g;
	uint32_t all;

	ck_ok(build(WHOLE, 8, 8, NULL, &g));
	all = hlx_graph_param_count(g);
	hlx_graph_destroy(g);
	/* the table tied to the output layer */
	ck_ok(build(WHOLE, 8, 8, LINES("head.logits=gemm n out=vocab_size weight=@embed.x.token"), &g));
	ck_assert_uint_eq(hlx_graph_param_count(g), all - 1);
	hlx_graph_destroy(g);
	/* no bias */
	ck_ok(build(WHOLE, 8, 8, LINES("layer.fc=gemm n2 out=ffn_dim"), &g));
	ck_assert_uint_eq(hlx_graph_param_count(g), all - 2);
	hlx_graph_destroy(g);
	/* attention and FFN side by side; post-LN; no layers at all */
	ck_ok(build(WHOLE, 8, 8, LINES("layer.n2=layernorm x"), &g));
	hlx_graph_destroy(g);
	ck_ok(build(MODEL EMBED "[layer]\na = gemm x out=d_model\ns = add x a\nx = layernorm s\n" HEAD, 8, 8, NULL, &g));
	ck_assert_uint_eq(g->n_nodes, 1 + 2 * 3 + 3);
	hlx_graph_destroy(g);
	ck_ok(build(WHOLE, 8, 8, LINES("model.num_layers=0"), &g));
	ck_assert_uint_eq(g->n_nodes, 4);
	hlx_graph_destroy(g);
}
END_TEST

/* One setting of the model changed, and what is said of it. */
static const struct {
	const char *set, *words[3];
} wrong[] = {
	{ "model.num_heads=3", { "q: ", "16", "num_heads 3" } },
	{ "model.d_model=18", { "q: ", "18", "num_heads 4" } },
	{ "model.num_heads=0", { "q: ", "num_heads", "" } },
	{ "model.num_heads=-4", { "q: ", "num_heads", "out of range" } },
	{ "model.d_model=0", { "x: ", "", "" } },
	{ "model.d_model=-16", { "x: ", "out of range", "" } },
	{ "model.d_model=16.5", { "x: ", "whole number", "" } },
	{ "model.d_model=sixteen", { "d_model", "sixteen is not known", "" } },
	{ "model.d_model=1e12", { "x: ", "", "" } },
	{ "model.ffn_dim=0", { "fc: ", "", "" } },
	{ "model.vocab_size=0", { "x: ", "", "" } },
	{ "model.vocab_size=1e15", { "x: ", "", "" } },
	{ "model.num_layers=-1", { "num_layers", "out of range", "" } },
	{ "model.num_layers=1e6", { "num_layers", "out of range", "" } },
	{ "model.num_layers=two", { "num_layers", "two", "" } },
	{ "model.max_seq_len=4", { "x: ", "8", "4" } },
	{ "layer.x=add x1 fc", { "--set layer.x: x: ", "8x8x16", "8x8x32" } },
	{ "layer.x=add x1", { "x: ", "add wants 2 inputs, has 1", "" } },
	{ "layer.x=add x1 mlp mlp", { "x: ", "one input too many", "" } },
	{ "layer.mlp=gemm act out=d_model bais=yes", { "mlp: ", "bais", "did you mean bias?" } },
	{ "layer.mlp=gemmm act out=d_model", { "mlp: ", "no op gemmm", "did you mean gemm?" } },
	{ "layer.mlp=gemm atc out=d_model", { "mlp: ", "atc", "did you mean act?" } },
	{ "layer.mlp=gemm act out=d_modle", { "mlp: ", "d_modle", "did you mean d_model?" } },
	{ "layer.mlp=gemm act out=0", { "mlp: ", "out", "" } },
	{ "layer.score=gemm q k", { "score: ", "", "" } },
	{ "layer.prob=adam score", { "prob: ", "op adam is not one to wire", "" } },
	{ "layer.k=heads qkv part=3", { "k: ", "part=3", "parts=3" } },
	{ "head.logits=gemm n out=vocab_size weight=@embed.x.tokn", { "logits: ", "tokn", "did you mean embed.x.token?" } },
	{ "head.logits=gemm n out=vocab_size weight=@embed.x.position", { "logits: ", "", "" } },
	{ "head.more=xent logits targets", { "more: ", "a second loss", "m.ini:30" } },
	{ "head.loss=gelu logits", { "m.ini: ", "no loss", "" } },
	{ "head.loss=xent targets logits", { "loss: ", "", "" } },
	{ "head.loss=xent logits tokns", { "loss: ", "tokns", "did you mean tokens?" } },
	{ "embed.x=embedding", { "x: ", "embedding wants 1 input", "" } },
	{ "ops.gem=gemm16", { "--set ops.gem: ", "no op gem", "did you mean gemm?" } },
	{ "ops.gemm=gemm61", { "--set ops.gemm: ", "gemm61", "did you mean gemm16?" } },
};

START_TEST(refuses)
{
	struct hlx_graph *g;
	int status = build(WHOLE, 8, 8, LINES(wrong[_i].set), &g);

	ck_assert_msg(status < 0, "%s is taken", wrong[_i].set);
	ck_assert_ptr_null(g);
	for (int w = 0; w < 3; w++)
		ck_assert_msg(wrong[_i].words[w] == NULL || strstr(hlx_message(), wrong[_i].words[w]), "%s: \"%s\" lacks \"%s\"",
				wrong[_i].set, hlx_message(), wrong[_i].words[w]);
	ck_assert_msg(!strchr(hlx_message(), '\n') && strlen(hlx_message()) < 300, "%s", hlx_message());
}
END_TEST

START_TEST(refuses_texts)
{
	struct hlx_graph *g;

	ck_refused(build("", 8, 8, NULL, &g), HLX_EINVAL, "m.ini: no model");
	ck_refused(build("[train]\nlr = 1\n", 8, 8, NULL, &g), HLX_EINVAL, "m.ini: no model");
	ck_refused(build(MODEL EMBED, 8, 8, NULL, &g), HLX_EINVAL, "m.ini: ", "no loss");
	ck_refused(build("[model]\nd_model = 8\n[layer]\nx = gelu x\n", 8, 8, NULL, &g), HLX_EINVAL, "m.ini:4", "num_layers");
	ck_refused(build(MODEL EMBED LAYER "[head]\nloss = xent x1 targets\n", 8, 8, LINES("layer.fc=gemm n2"), &g), HLX_EINVAL,
			"fc: ");
	ck_refused(build(WHOLE, 0, 8, NULL, &g), HLX_ESHAPE, "batch_size");
	ck_refused(build(WHOLE, 8, 0, NULL, &g), HLX_ESHAPE, "seq_len");
	ck_assert_int_lt(build(WHOLE, 8, 9, NULL, &g), 0); /* longer than max_seq_len */
	ck_assert_int_lt(build(WHOLE, 1ull << 60, 8, NULL, &g), 0);
	ck_assert_int_lt(build(WHOLE, 1ull << 38, 8, NULL, &g), 0);
	ck_assert_int_lt(build(WHOLE, UINT64_MAX, UINT64_MAX, NULL, &g), 0);
	ck_assert_ptr_null(g);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("graph_ini");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, builds);
	tcase_add_test(c, wiring_is_data);
	tcase_add_loop_test(c, refuses, 0, sizeof(wrong) / sizeof(*wrong));
	tcase_add_test(c, refuses_texts);
	return suite_run("graph_ini", c);
}
