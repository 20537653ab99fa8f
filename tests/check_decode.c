/*
 * check_decode.c - a model decoded in blocks: each position's logits have the bits of a pass over the whole sequence, in
 * blocks of any length, on a past full of NaNs, run again with other tokens after it; and which models are refused.
 */
#include "tests/toys.h"

#include "core/program/program.h"
#include "tests/train_model.h"

#define MODEL "[model]\nvocab_size = 13\nd_model = 24\nnum_layers = 2\nnum_heads = 3\nmax_seq_len = 35\n[train]\nlr = 0.01\n" \
	"[embed]\nx = embedding tokens\n"
#define HEAD "[head]\nlogits = gemm x out=vocab_size\nloss = xent logits targets\n"
#define QKV "qkv = gemm x out=3*d_model bias=yes\nq = heads qkv part=0\nk = heads qkv part=1\nv = heads qkv part=2\n"
#define OUT "flat = unheads ctx\nproj = gemm flat out=d_model\nx = add x proj\n"

static const char flash[] = MODEL "[layer]\n" QKV "ctx = attention q k v causal=yes scale=0.35\n" OUT HEAD;
/* Keys and values of their own storages; values twice. */
static const char apart[] = MODEL "[layer]\nq1 = gemm x out=d_model\nk1 = gemm x out=d_model\nv1 = gelu x\n"
	"q = heads q1 part=0 parts=1\nk = heads k1 part=0 parts=1\nv = heads v1 part=0 parts=1\n"
	"s = gemm q k transpose_b=yes\np = softmax s causal=yes\nctx = gemm p v\nflat = unheads ctx\n"
	"ctx2 = attention q k v causal=yes\nflat2 = unheads ctx2\nx1 = add flat flat2\nx = add x x1\n" HEAD;
/* Names for the same, of probabilities and values. */
static const char undropped[] = MODEL "[layer]\n" QKV "s = gemm q k transpose_b=yes\np = softmax s causal=yes\nd = dropout p p=0.5\n"
	"w = dropout v p=0.5\nc = gemm d w\nctx = dropout c\n" OUT HEAD;

static const struct { const char *name, *text; } wirings[] = { { "Pre-LN", pre_ln }, { "Post-LN", post_ln },
	{ "tied head", tied_head }, { "parallel", parallel }, { "flash", flash }, { "apart", apart },
	{ "undropped", undropped } };
#define N_WIRINGS ((int)(sizeof(wirings) / sizeof(*wirings)))

static const struct { const char *name, *text, *message; } refused[] = {
	{ "all keys", MODEL "[layer]\n" QKV "ctx = attention q k v\n" OUT HEAD, "layer.0.ctx (attention)" },
	{ "a softmax of all", MODEL "[layer]\n" QKV "s = gemm q k transpose_b=yes\np = softmax s\nctx = gemm p v\n" OUT HEAD,
		"layer.0.p (softmax)" },
	{ "no softmax", MODEL "[layer]\n" QKV "s = gemm q k transpose_b=yes\nctx = gemm s v\n" OUT HEAD, "layer.0.ctx (gemm)" },
	{ "gelu of odds", MODEL "[layer]\n" QKV "s = gemm q k transpose_b=yes\np = softmax s causal=yes\ng = gelu p\n"
		"ctx = gemm g v\n" OUT HEAD, "layer.0.g (gelu)" },
	{ "keys of tokens", MODEL "[layer]\nt = gemm x x transpose_a=yes\nx = gemm x t\n" HEAD, "of a (16x24) are 16, rows of b (32x24) are 32" },
};
#define N_REFUSED ((int)(sizeof(refused) / sizeof(*refused)))

struct part {
	struct hlx_graph *graph;
	struct hlx_program *program;
	uint64_t first, n;
};

static void open_part(struct model *m, struct part *p, uint64_t first, uint64_t n, struct hlx_past **past)
{
	const struct hlx_graph_options o = { .batch = 1, .seq_len = n, .first = first, .positions = past ? MODEL_SEQ : 0 };
	const char *keep[] = { "head.logits", NULL };
	struct hlx_program_options options = { .keep = keep };

	*p = (struct part){ .first = first, .n = n };
	ck_ok(hlx_graph_build(m->registry, m->ini, &o, &p->graph));
	if (past && !*past) {
		ck_ok(hlx_past_create(m->dev, p->graph, past));
		float nans[4096];
		memset(nans, 0xff, sizeof(nans));
		for (uint64_t at = 0; at < (*past)->elements; at += 4096)
			ck_ok(hlx_memory_write(m->dev, &(*past)->memory, at * 4,
					(at + 4096 < (*past)->elements ? 4096 : (*past)->elements - at) * 4, nans));
	}
	options.past = past ? *past : NULL;
	ck_ok(hlx_program_create(m->dev, p->graph, m->weights, &options, &p->program));
}

static void run_part(struct part *p, const uint32_t *tokens, float *logits)
{
	const struct hlx_step step = { .size = sizeof(step), .step = 1, .n_seq = 1, .position = (uint32_t)p->first };

	ck_ok(hlx_program_write(p->program, "tokens", HLX_VALUE, 0, p->n, tokens + p->first));
	ck_ok(hlx_program_write(p->program, "targets", HLX_VALUE, 0, p->n, tokens + p->first));
	ck_ok(hlx_program_run(p->program, &step));
	ck_ok(hlx_program_read(p->program, "head.logits", HLX_VALUE, 0, p->n * MODEL_VOCAB, logits + p->first * MODEL_VOCAB));
}

static void close_part(struct part *p)
{
	hlx_program_destroy(p->program);
	hlx_graph_destroy(p->graph);
}

/* Each block first with tokens to come that are wrong, as a sampler has them, then with the right ones. */
static void decode(struct model *m, uint64_t block, float *logits)
{
	struct hlx_past *past = NULL;
	uint32_t wrong[MODEL_SEQ];
	struct part p;

	for (uint64_t first = 0; first < MODEL_SEQ; first += block) {
		open_part(m, &p, first, first + block < MODEL_SEQ ? block : MODEL_SEQ - first, &past);
		for (uint64_t t = 0; t < MODEL_SEQ; t++)
			wrong[t] = t <= first ? m->tokens[t] : (m->tokens[t] + 5) % MODEL_VOCAB;
		run_part(&p, wrong, logits);
		run_part(&p, m->tokens, logits);
		close_part(&p);
	}
	hlx_past_destroy(past);
}

START_TEST(decoding)
{
	const size_t bytes = MODEL_SEQ * MODEL_VOCAB * sizeof(float);
	float *want = malloc(bytes), *have = malloc(bytes);
	struct hlx_result result;
	struct model m;
	struct part whole;

	ck_assert(want && have);
	ck_ok(model_open(&m, wirings[_i].text, NULL, 0));
	ck_ok(model_train(&m, 1, &result)); /* weights whose every tensor matters; tokens */
	open_part(&m, &whole, 0, MODEL_SEQ, NULL);
	run_part(&whole, m.tokens, want);
	close_part(&whole);
	for (uint64_t block = 8; block <= 64; block *= 2) {
		memset(have, 0xff, bytes);
		decode(&m, block, have);
		ck_assert_msg(!memcmp(want, have, bytes), "%s, blocks of %d: other bits than the whole sequence's",
				wirings[_i].name, (int)block);
	}
	model_close(&m);
	free(want);
	free(have);
}
END_TEST

static int try_graph(const char *text, uint64_t first, uint64_t n)
{
	const struct hlx_graph_options o = { .batch = 1, .seq_len = n, .first = first, .positions = MODEL_SEQ };
	struct hlx_registry *r;
	struct hlx_graph *g = NULL;
	struct hlx_ini *ini;
	int status;

	const char *path = getenv("HLX_PLUGIN_PATH");

	ck_ok(hlx_registry_create(&r));
	ck_ok(hlx_registry_load_all(r, path && *path ? "/nonexistent" : "plugins/.libs"));
	ck_ok(hlx_ini_parse("test.ini", text, strlen(text), &ini));
	status = hlx_graph_build(r, ini, &o, &g);
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
	hlx_registry_destroy(r);
	return status;
}

START_TEST(refusing)
{
	ck_assert_int_lt(try_graph(refused[_i].text, 16, 16), 0);
	ck_assert_msg(strstr(hlx_message(), refused[_i].message), "%s: %s", refused[_i].name, hlx_message());
}
END_TEST

START_TEST(positions)
{
	ck_ok(try_graph(flash, 16, 16));
	ck_ok(try_graph(flash, 32, 3));
	ck_assert_int_eq(try_graph(flash, 32, 4), HLX_EINVAL);  /* beyond the last position */
	ck_assert_int_eq(try_graph(flash, 35, 1), HLX_EINVAL);
	ck_assert_int_eq(try_graph(flash, 3, 16), HLX_ENOTSUP); /* 3 * 72 elements: not where a tensor may start */
	ck_assert_ptr_nonnull(strstr(hlx_message(), "has no room for the positions before"));
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { decoding, N_WIRINGS }, { refusing, N_REFUSED }, { positions, 0 } };

	return TOYS_RUN("decode", tests, 120, true);
}
