/*
 * check_recompute.c - layers whose tensors are made twice: the bits of the step that keeps them, on memory full of NaNs
 * between the steps, in micro-batches and in one; which tensors are kept all the same; what it takes of memory.
 */
#include "tests/toys.h"

#include "tests/spoil.h"
#include "tests/train_model.h"

#define STEPS 2

#define MODEL(layers) "[model]\nvocab_size = 13\nd_model = 12\nnum_layers = " layers "\nnum_heads = 3\nffn_dim = 20\n" \
	"max_seq_len = 35\n[train]\nlr = 0.01\n[embed]\nx = embedding tokens\n"
#define HEAD "[head]\nn = layernorm x\nlogits = gemm n out=vocab_size\nloss = xent logits targets\n"

/* Layer by layer what the one before made: a view of its qkv, and its gelu; [head] reads both, and of layer 0 nothing. */
static const char crossing[] = MODEL("3") "e = gemm x out=3*d_model\nk = heads e part=1\nact = gelu x\n"
	"[layer]\nn1 = layernorm x\nm = add n1 act\nqkv = gemm m out=3*d_model bias=yes\nq = heads qkv part=0\n"
	"v = heads qkv part=2\nscore = gemm q k transpose_b=yes\nprob = softmax score causal=yes\nctx = gemm prob v\n"
	"flat = unheads ctx\nk = heads qkv part=1\nproj = gemm flat out=d_model\nact = gelu proj\nx = add x act\n"
	"[head]\ns = gemm k v transpose_b=yes\np = softmax s causal=yes\nc = gemm p v\nf = unheads c\ny = add f act\n"
	"n = add x y\nlogits = gemm n out=vocab_size\nloss = xent logits targets\n";
/* What enters layer 0 is read once more at the very end; the head's table is layer 0's own. */
static const char first[] = MODEL("1") "x0 = layernorm x\n[layer]\nx1 = layernorm x0\n"
	"fc = gemm x1 out=vocab_size bias=yes\nact = gelu fc\nx = gemm act out=d_model\n[head]\ny = add x x0\nz = gemm y out=d_model\n"
	"logits = gemm z out=vocab_size weight=@layer.0.fc.weight\nloss = xent logits targets\n";
/* The loss is the layer's: it is made once. */
static const char loss_inside[] = MODEL("1") "[layer]\nn = layernorm x\nact = gelu n\nlogits = gemm act out=vocab_size\n"
	"loss = xent logits targets\n";
/* Nothing but views, and a layer that nobody asks a gradient of. */
static const char empty[] = MODEL("2") "[layer]\nq = heads x part=0 parts=1\n" HEAD;

static const struct { const char *name, *text; } wirings[] = { { "Pre-LN", pre_ln }, { "Post-LN", post_ln },
	{ "tied head", tied_head }, { "parallel", parallel }, { "crossing", crossing }, { "first", first },
	{ "loss inside", loss_inside }, { "empty", empty } };
#define N_WIRINGS ((int)(sizeof(wirings) / sizeof(*wirings)))

struct outcome {
	struct hlx_result result;
	struct hlx_plan_info plan;
	uint64_t hash[256];
	float *bits;
	size_t n;
};

static struct outcome train(const char *text, struct model_how how)
{
	struct outcome o = { .n = 0 };
	struct model m;

	ck_ok(model_open_as(&m, text, NULL, how));
	ck_assert_uint_le(hlx_graph_param_count(m.graph) * (1 + m.n_state), 256);
	for (uint64_t s = 1; s <= STEPS; s++) {
		spoil_memory(m.program);
		ck_ok(model_train(&m, s, &o.result));
	}
	ck_ok(hlx_program_find_bad(m.program));
	ck_ok(hlx_program_hash(m.program, o.hash));
	o.bits = model_bits(&m, &o.n);
	o.plan = hlx_program_plan(m.program);
	model_close(&m);
	return o;
}

START_TEST(same_bits)
{
	static const struct model_how hows[] = { { .recompute = true }, { .micro = 1, .recompute = true },
		{ .slots = 4, .micro = 4, .recompute = true }, { .slots = 2, .micro = 1, .recompute = true } };
	const char *text = wirings[_i].text;
	struct outcome four = train(text, (struct model_how){ 0 }), two = train(text, (struct model_how){ .slots = 2 });

	for (size_t k = 0; k < sizeof(hows) / sizeof(*hows); k++) {
		struct outcome o = train(text, hows[k]), *want = hows[k].slots == 2 ? &two : &four;
		ck_assert_msg(!memcmp(&o.result, &want->result, sizeof(o.result)), "%s, %zu: loss %.9g, want %.9g, norm %.9g, want "
				"%.9g", wirings[_i].name, k, o.result.loss_sum, want->result.loss_sum, o.result.grad_norm,
				want->result.grad_norm);
		ck_assert(o.n == want->n && !memcmp(o.bits, want->bits, o.n * sizeof(float)));
		ck_assert(!memcmp(o.hash, want->hash, sizeof(o.hash)));
		ck_assert_uint_le(o.plan.activations, want->plan.activations * 51 / 50); /* so small a model's cells lie by chance */
		free(o.bits);
	}
	free(four.bits);
	free(two.bits);
}
END_TEST

/* -- which steps come again -------------------------------------------------------------------------------- */

static struct hlx_program *plan(struct model *m, const char *text, enum hlx_recompute recompute)
{
	const struct hlx_program_options o = { .backward = true, .recompute = recompute };
	struct hlx_program *p;

	ck_ok(model_open(m, text, NULL, 0));
	ck_ok(hlx_program_create(m->dev, m->graph, NULL, &o, &p));
	return p;
}

/* A node's work may be done by another. */
static unsigned count(const struct hlx_program *p, const char *path)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct hlx_prog_node *at = &p->node[p->step[i].node];
		uint32_t next = at->next[p->step[i].backward];
		n += p->step[i].again && (!strcmp(at->path, path) || (next != HLX_NONE && !strcmp(p->node[next].path, path)));
	}
	return n;
}

START_TEST(what_comes_again)
{
	static const struct { int wiring; const char *path; bool again; } cases[] = {
		{ 0, "layer.0.n1", true }, { 0, "layer.1.act", true }, { 0, "layer.0.x1", true },
		{ 0, "layer.0.mlp", false }, { 0, "layer.1.x", false },    /* nobody reads them in the backward pass */
		{ 0, "embed.x", false }, { 0, "head.n", false },           /* in no layer */
		{ 1, "layer.0.a2", true }, { 1, "layer.0.x", false },      /* its statistics are kept with what it hands on */
		{ 4, "layer.1.qkv", false }, { 4, "layer.0.act", false },  /* the next layer reads them */
		{ 4, "layer.1.m", true }, { 4, "layer.2.prob", true },
		{ 5, "layer.0.x1", true }, { 5, "layer.0.act", true }, { 5, "layer.0.x", false },
		{ 6, "layer.0.act", true }, { 6, "layer.0.logits", false }, { 6, "layer.0.loss", false },
	};
	const char *text = wirings[cases[_i].wiring].text;
	struct model m;
	struct hlx_program *p = plan(&m, text, HLX_RECOMPUTE_LAYER);

	ck_assert_msg((count(p, cases[_i].path) > 0) == cases[_i].again, "%s, %s: %u steps again", wirings[cases[_i].wiring].name,
			cases[_i].path, count(p, cases[_i].path));
	hlx_program_destroy(p);
	model_close(&m);
}
END_TEST
#define N_CASES 19

/* Layers more cost what they hand on, and no more. */
START_TEST(memory_of_layers)
{
	static const char *const layers[] = { "model.num_layers=4", "model.num_layers=5" };
	const uint64_t handed = MODEL_TOKENS * 24 * 4;
	uint64_t bytes[2][2];

	for (int n = 0; n < 2; n++)
		for (int again = 0; again < 2; again++) {
			struct model m;
			ck_ok(model_open_as(&m, pre_ln, (const char *const[]){ layers[n], NULL }, (struct model_how){ .recompute = again }));
			bytes[again][n] = hlx_program_plan(m.program).activations;
			model_close(&m);
		}
	ck_assert_uint_gt(bytes[0][1] - bytes[0][0], 6 * handed);
	ck_assert_uint_lt(bytes[1][1] - bytes[1][0], 2 * handed);
}
END_TEST

/* -- memory that is written in place ----------------------------------------------------------------------- */

static struct hlx_device *dev;
static struct hlx_registry *toys;

/* layer: how many of the lines are wired before it begins. */
static void toy_grads(const char *const *lines, int layer, enum hlx_recompute recompute, uint32_t *again, float grad[30])
{
	const struct hlx_graph_options go = { .batch = 2, .seq_len = 2, .train = true, .input_grads = true };
	const struct hlx_program_options o = { .backward = true, .seed = "t.d", .keep = LINES("x", "t.d"),
		.recompute = recompute };
	const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = 1, .n_seq = 2 };
	struct hlx_desc d = toys_desc(5, 6);
	struct hlx_graph *g;
	struct hlx_weights *w;
	struct hlx_program *p;
	float x[30];

	for (int i = 0; i < 30; i++)
		x[i] = (float)(i - 11);
	ck_ok(hlx_graph_create(toys, &go, &g));
	ck_ok(hlx_graph_input(g, "x", &d));
	for (; *lines; lines += 2, layer--) {
		ck_ok(hlx_graph_layer(g, layer > 0 ? -1 : 0));
		ck_ok(hlx_graph_wire(g, "t", lines[0], lines[1], "toy.ini:1"));
	}
	ck_ok(hlx_weights_create(dev, g, 0, &w));
	ck_ok(hlx_weights_init(w, 1));
	ck_ok(hlx_program_create(dev, g, w, &o, &p));
	ck_ok(hlx_program_write(p, "x", HLX_VALUE, 0, 30, x));
	ck_ok(hlx_program_write(p, "t.d", HLX_GRAD, 0, 30, x));
	ck_ok(hlx_program_run(p, &step));
	ck_ok(hlx_program_read(p, "x", HLX_GRAD, 0, 30, grad));
	*again = hlx_program_plan(p).again;
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
}

/* q saves 2 a, and a is another afterwards: all of that is the layer's own, or a comes from before it. */
START_TEST(in_place)
{
	const char *const *lines = LINES("a", "scale x k=3", "q", "square a", "b", "stamped a", "r", "square b", "d", "sum q r");
	float want[30], got[30];
	uint32_t none, again;

	toy_grads(lines, _i, HLX_RECOMPUTE_NONE, &none, want);
	toy_grads(lines, _i, HLX_RECOMPUTE_LAYER, &again, got);
	ck_assert(!memcmp(want, got, sizeof(want)));
	ck_assert_uint_eq(none, 0);
	ck_assert_uint_eq(again, _i ? 1 : 3); /* a, and what q and r save; or the latter alone */
}
END_TEST

START_TEST(refuse)
{
	struct hlx_graph *g = toys_graph(toys, false, 5, 6, LINES("a", "scale x"));

	ck_refused(hlx_graph_layer(g, -2), HLX_EINVAL, "layer -2", "want 0 to 65535");
	ck_refused(hlx_graph_layer(g, 65536), HLX_EINVAL, "layer 65536");
	hlx_graph_destroy(g);
}
END_TEST

START_TEST(load)
{
	toys = toys_registry();
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { load, 0 }, { same_bits, N_WIRINGS }, { what_comes_again, N_CASES },
		{ memory_of_layers, 0 }, { in_place, 2 }, { refuse, 0 } };
	int status;

	dev = toys_device();
	status = TOYS_RUN("recompute", tests, 300, false); /* a device does not live through a fork */
	hlx_registry_destroy(toys);
	hlx_device_close(dev);
	return status;
}
