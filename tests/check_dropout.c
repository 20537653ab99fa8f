/*
 * check_dropout.c - what is dropped: how much, which, and that neither the split of the batch nor recompute shows; nothing
 * where nothing trains.  Kernels against the reference: check_quick.test.
 */
#include "tests/toys.h"

#include <math.h>

#include "core/vulkan/host.h"
#include "core/numerics.h"
#include "core/program/program.h"
#include "core/registry/registry.h"
#include "tests/train_model.h"

#define BATCH 8u
#define PER_SEQ 32771u /* odd: sequences begin in the middle of a group of four */
#define N (BATCH * PER_SEQ)
#define STEPS 2

static struct hlx_registry *registry;

static void setup(void)
{
	const char *path = getenv("HLX_PLUGIN_PATH");

	ck_ok(hlx_registry_create(&registry));
	ck_ok(hlx_registry_load_all(registry, path && *path ? "/nonexistent" : "plugins/.libs"));
}

static void teardown(void)
{
	hlx_registry_destroy(registry);
}

/* ---- the reference ---- */

/* One draw: a node of its key, and the step it is in. */
struct drawn {
	double p;
	uint64_t key, batch;
	struct hlx_step step;
};
static const struct drawn plain = { 0.3, 1, BATCH, { .size = sizeof(struct hlx_step), .train = 1, .step = 4, .seed = { 2, 3 } } };

static float *numbers(float value)
{
	float *x = malloc(N * sizeof(*x));

	ck_assert_ptr_nonnull(x);
	for (uint32_t i = 0; i < N; i++)
		x[i] = value;
	return x;
}

/* y of x = 1, or dx of dy = 1; the caller frees it. */
static float *draw(const struct drawn *d, bool backward)
{
	const struct hlx_op *op = hlx_registry_op(registry, "dropout");
	struct hlx_desc desc[2] = { { .dtype = HLX_F32, .rank = 2, .dim = { d->batch, PER_SEQ }, .axis = { HLX_BATCH } } };
	struct hlx_node node = { .struct_size = sizeof(node), .n_slots = 2, .train = 1, .desc = desc, .attrs = &d->p, .grads = 1,
		.key = d->key };
	float *ones = numbers(1), *out = numbers(NAN);
	void *value[2] = { ones, out }, *grad[2] = { out, ones };

	hlx_contiguous(&desc[0]);
	ck_ok(op->infer(&hlx_registry_host(registry)->pub, &node));
	ck_ok(backward ? op->ref_backward(&node, value, grad, &d->step) : op->ref_forward(&node, value, &d->step));
	free(ones);
	return out;
}

/* x stays within 5 deviations of a share p of N. */
static void check_share(const char *what, uint32_t x, double p)
{
	double off = ((double)x - p * N) / sqrt(N * p * (1 - p));

	ck_assert_msg(fabs(off) < 5, "%s: %u of %u, want a share of %g: %.1f deviations off", what, x, N, p, off);
}

/* docs/numerics.md, once more: what is dropped must never change. */
START_TEST(as_it_is_written_down)
{
	struct drawn d = plain;
	uint64_t key;
	float *y;

	d.key = 0x123456789abcdef0;
	d.step.step = UINT64_C(7) << 32 | 9;
	d.step.seq0 = UINT32_MAX - 2;
	key = d.key ^ (UINT64_C(3) << 32 | 2);
	y = draw(&d, false);
	for (uint32_t i = 0; i < N; i++) {
		uint32_t sequence = UINT32_MAX - 2 + i / PER_SEQ, e = i % PER_SEQ, w[4];
		hlx_philox(key, d.step.step, (uint64_t)sequence << 32 | e / 4, w);
		ck_assert((y[i] == 0) == (w[e % 4] < 1288490188u)); /* 0.3 2^32 */
	}
	free(y);
}
END_TEST

static void check_key(const struct hlx_graph *g, const char *path)
{
	for (uint32_t i = 0; i < g->n_nodes; i++)
		if (!strcmp(g->node[i]->path, path)) {
			ck_assert_uint_eq(g->node[i]->pub.key, hlx_stream(5, path));
			return;
		}
	ck_abort_msg("no node %s", path);
}

START_TEST(share_and_scale)
{
	static const double ps[] = { 0.1, 0.5, 0.9, 1.0 / 3, 0x1p-10, 0.001 };
	struct drawn d = plain;
	uint32_t zeros = 0;
	float *y;

	d.p = ps[_i];
	y = draw(&d, false);
	for (uint32_t i = 0; i < N; i++) {
		zeros += y[i] == 0;
		ck_assert(y[i] == 0 || y[i] == (float)(1 / (1 - d.p)));
	}
	check_share("zeros", zeros, d.p);
	free(y);
}
END_TEST

/* Within a group of four, between groups and between sequences. */
START_TEST(elements_are_independent)
{
	static const uint32_t apart[] = { 1, 2, 3, 4, 1024, PER_SEQ };
	float *y = draw(&plain, false);
	uint32_t equal = 0;

	for (uint32_t i = 0; i < N; i++)
		equal += (y[i] == 0) == (y[(i + apart[_i]) % N] == 0);
	check_share("pairs alike", equal, 0.3 * 0.3 + 0.7 * 0.7);
	free(y);
}
END_TEST

/* Whatever differs, and be it one bit, the masks are as alike as any two. */
START_TEST(others_draw_others)
{
	struct drawn other[] = { plain, plain, plain, plain, plain, plain, plain };
	float *a = draw(&plain, false), *b;
	uint32_t equal = 0;

	other[0].key ^= 1;
	other[1].key ^= UINT64_C(1) << 63;
	other[2].step.seed[0]++;
	other[3].step.seed[1]++;
	other[4].step.step++;
	other[5].step.step |= UINT64_C(1) << 32;
	other[6].step.seq0 = BATCH;
	b = draw(&other[_i], false);
	for (uint32_t i = 0; i < N; i++)
		equal += (a[i] == 0) == (b[i] == 0);
	check_share("elements alike", equal, 0.3 * 0.3 + 0.7 * 0.7);
	free(a);
	free(b);
}
END_TEST

START_TEST(a_sequence_is_the_same_in_any_batch)
{
	struct drawn part = plain;
	float *all = draw(&plain, false), *dx = draw(&plain, true), *y;

	ck_assert(!memcmp(all, dx, N * sizeof(*all)));
	for (part.batch = 1; part.batch < BATCH; part.batch *= 2)
		for (part.step.seq0 = 0; part.step.seq0 < BATCH; part.step.seq0 += (uint32_t)part.batch) {
			y = draw(&part, false);
			ck_assert(!memcmp(y, all + part.step.seq0 * PER_SEQ, part.batch * PER_SEQ * sizeof(*y)));
			free(y);
		}
	part = plain;
	part.step.train = 0;
	y = draw(&part, false);
	for (uint32_t i = 0; i < N; i++)
		ck_assert(y[i] == 1);
	free(y);
	free(dx);
	free(all);
}
END_TEST

static void refuse(const char *line, const char *what)
{
	const struct hlx_graph_options o = { .batch = 2, .seq_len = 3, .train = true };
	struct hlx_graph *g = NULL;
	struct hlx_ini *ini;
	char text[512];

	snprintf(text, sizeof(text), "[model]\nvocab_size = 5\nd_model = 4\nmax_seq_len = 3\n[embed]\nx = embedding tokens\n%s\n"
			"[head]\nlogits = gemm x out=vocab_size\nloss = xent logits targets\n", line);
	ck_ok(hlx_ini_parse("drop.ini", text, strlen(text), &ini));
	ck_assert_msg(hlx_graph_build(registry, ini, &o, &g) < 0 && strstr(hlx_message(), what) && strstr(hlx_message(), "drop.ini"),
			"want \"%s\", got: %s", what, hlx_message());
	hlx_ini_destroy(ini);
}

START_TEST(refusals)
{
	const struct hlx_op *op = hlx_registry_op(registry, "dropout");
	struct hlx_desc desc[2] = { { .dtype = HLX_F32, .rank = 2, .dim = { 2, 3 }, .stride = { 3, 1 } } };
	struct hlx_node node = { .struct_size = sizeof(node), .n_slots = 2, .train = 1, .desc = desc, .attrs = &plain.p };

	refuse("y = dropout x p=1", "p is 1, which drops everything: want at least 0 and below 1");
	refuse("y = dropout x p=-0.1", "p: -0.1 is out of range, want 0 to 1");
	refuse("y = dropout x p=nan", "p: ");
	refuse("y = dropout tokens", "x is not f32");
	ck_refused(op->infer(&hlx_registry_host(registry)->pub, &node), HLX_ESHAPE, "the first dim of x is not the batch");
}
END_TEST

/* ---- in a model ---- */

#define MODEL "[model]\nvocab_size = 13\nd_model = 24\nnum_layers = 2\nnum_heads = 3\nmax_seq_len = 35\n" \
	"[train]\nlr = 0.01\n[embed]\n"
#define QKV "[layer]\nn1 = layernorm x\nqkv = gemm n1 out=3*d_model bias=yes\nq = heads qkv part=0\nk = heads qkv part=1\n" \
	"v = heads qkv part=2\nscore = gemm q k transpose_b=yes\n"
#define HEAD "[head]\nn = layernorm x\nlogits = gemm n out=vocab_size\nloss = xent logits targets\n"

/* After the embedding, of probabilities, of what unheads lays out anew (twice), of a view of heads, of both residual branches. */
static const char dropped[] = MODEL "e = embedding tokens\nd = dropout e p=0.2\nx = gelu d\n" QKV
	"soft = softmax score causal=yes\nprob = dropout soft p=0.1\nw = dropout v p=0.5\nc1 = gemm prob w\n"
	"c2 = dropout c1 p=0.2\nctx = dropout c2 p=0.2\nflat = unheads ctx\np1 = gemm flat out=d_model\nproj = dropout p1 p=0.2\n"
	"x1 = add x proj\nm1 = gelu x1\nmlp = dropout m1 p=0.2\nx = add x1 mlp\n" HEAD;
static const char bare[] = MODEL "e = embedding tokens\nx = gelu e\n" QKV
	"prob = softmax score causal=yes\nc1 = gemm prob v\nflat = unheads c1\np1 = gemm flat out=d_model\n"
	"x1 = add x p1\nm1 = gelu x1\nx = add x1 m1\n" HEAD;

struct outcome {
	struct hlx_result result;
	float *bits;
	size_t n;
};

static struct outcome train(const char *text, struct model_how how)
{
	struct outcome o = { .n = 0 };
	struct model m;

	ck_ok(model_open_as(&m, text, NULL, how));
	for (uint64_t s = 1; s <= STEPS; s++)
		ck_ok(model_train(&m, s, &o.result));
	o.bits = model_bits(&m, &o.n);
	model_close(&m);
	return o;
}

static bool same(const struct outcome *a, const struct outcome *b)
{
	return !memcmp(&a->result, &b->result, sizeof(a->result)) && a->n == b->n && !memcmp(a->bits, b->bits, a->n * sizeof(float));
}

START_TEST(neither_split_nor_recompute_shows)
{
	static const struct model_how hows[] = { { .micro = 1 }, { .micro = 2 }, { .recompute = true }, { .micro = 1, .recompute = true },
		{ .micro = 2, .recompute = true } };
	struct outcome whole = train(dropped, (struct model_how){ 0 });

	for (size_t i = 0; i < sizeof(hows) / sizeof(*hows); i++) {
		struct outcome o = train(dropped, hows[i]);
		ck_assert_msg(same(&o, &whole), "%u at a time, recompute %d: loss %.9g, want %.9g", (unsigned)hows[i].micro,
				hows[i].recompute, (double)o.result.loss_sum, (double)whole.result.loss_sum);
		free(o.bits);
	}
	free(whole.bits);
}
END_TEST

START_TEST(the_device_trains_as_the_references_do)
{
	struct outcome o = train(dropped, (struct model_how){ 0 }), other = train(bare, (struct model_how){ 0 }), want = { .n = 0 };
	struct host_model host;
	struct model like;

	ck_ok(model_open(&like, dropped, NULL, 0));
	ck_ok(host_model_open(&host, &like));
	check_key(like.graph, "layer.0.proj");
	check_key(like.graph, "layer.1.proj");
	for (uint64_t s = 1; s <= STEPS; s++)
		ck_ok(host_model_train(&host, &like, s));
	want.bits = host_model_bits(&host, &like, &want.n);
	ck_assert(o.n == want.n && !memcmp(o.bits, want.bits, o.n * sizeof(float)));
	ck_assert(o.n == other.n && memcmp(o.bits, other.bits, o.n * sizeof(float)));
	host_model_close(&host);
	model_close(&like);
	free(o.bits);
	free(other.bits);
	free(want.bits);
}
END_TEST

/* The logits of a pass without training; the caller frees them. */
static float *evaluate(const char *text, uint32_t *n_steps)
{
	const struct hlx_graph_options o = { .batch = MODEL_BATCH, .seq_len = MODEL_SEQ };
	const struct hlx_step step = { .size = sizeof(step), .step = 1, .n_seq = MODEL_BATCH };
	float *logits = malloc(MODEL_TOKENS * MODEL_VOCAB * sizeof(*logits));
	const char *keep[] = { "head.logits", NULL };
	const struct hlx_program_options po = { .keep = keep };
	struct hlx_program *p;
	struct hlx_weights *w;
	struct hlx_graph *g;
	struct model m;

	ck_ok(model_open(&m, text, NULL, 0));
	ck_ok(hlx_graph_build(m.registry, m.ini, &o, &g));
	ck_ok(hlx_weights_create(m.dev, g, 0, &w));
	ck_ok(hlx_weights_init(w, 7));
	ck_ok(hlx_program_create(m.dev, g, w, &po, &p));
	for (uint32_t i = 0; i < MODEL_TOKENS; i++)
		m.tokens[i] = i * 7 % MODEL_VOCAB;
	ck_ok(hlx_program_write(p, "tokens", HLX_VALUE, 0, MODEL_TOKENS, m.tokens));
	ck_ok(hlx_program_write(p, "targets", HLX_VALUE, 0, MODEL_TOKENS, m.tokens));
	ck_ok(hlx_program_run(p, &step));
	ck_ok(hlx_program_read(p, "head.logits", HLX_VALUE, 0, MODEL_TOKENS * MODEL_VOCAB, logits));
	*n_steps = p->n_steps;
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
	model_close(&m);
	return logits;
}

START_TEST(nothing_is_dropped_where_nothing_trains)
{
	uint32_t n, m;
	float *a = evaluate(dropped, &n), *b = evaluate(bare, &m);

	ck_assert_uint_eq(n, m);
	ck_assert(!memcmp(a, b, MODEL_TOKENS * MODEL_VOCAB * sizeof(*a)));
	free(a);
	free(b);
}
END_TEST

/* p=0 in each line: the wiring without these lines, in training too. */
START_TEST(zero_is_no_dropout)
{
	struct outcome a, b = train(bare, (struct model_how){ 0 });
	char text[sizeof(dropped)];

	memcpy(text, dropped, sizeof(dropped));
	for (char *at = text; (at = strstr(at, " p=")); at++)
		for (char *c = at + 3; *c != '\n'; c++)
			*c = '0';
	a = train(text, (struct model_how){ 0 });
	ck_assert(same(&a, &b));
	free(a.bits);
	free(b.bits);
}
END_TEST

int main(void)
{
	TCase *reference = tcase_create("reference"), *models = tcase_create("models");

	tcase_add_checked_fixture(reference, setup, teardown);
	tcase_add_test(reference, as_it_is_written_down);
	tcase_add_loop_test(reference, share_and_scale, 0, 6);
	tcase_add_loop_test(reference, elements_are_independent, 0, 6);
	tcase_add_loop_test(reference, others_draw_others, 0, 7);
	tcase_add_test(reference, a_sequence_is_the_same_in_any_batch);
	tcase_add_test(reference, refusals);
	tcase_set_timeout(models, 120);
	tcase_add_test(models, neither_split_nor_recompute_shows);
	tcase_add_test(models, the_device_trains_as_the_references_do);
	tcase_add_test(models, nothing_is_dropped_where_nothing_trains);
	tcase_add_test(models, zero_is_no_dropout);
	return suite_run("dropout", reference, models);
}
