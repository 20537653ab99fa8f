/*
 * check_edges.c - what drivers that keep denormals and drivers that flush them would do differently, were it not for the
 * thresholds of numerics.md: every portable implementation against its reference, on values at those thresholds, bit
 * for bit.  Prints a hash a case, so that what several drivers print can be compared: `drivers each tests/check_edges`.
 */
#include "tests/toys.h"

#include "core/check/data.h"
#include "core/check/run.h"
#include "core/numerics.h"
#include "hlx/math.h"
#include "tests/edges/edge.h"
#include "tests/train_model.h"

static struct hlx_check bench;

/* -- values ------------------------------------------------------------------------------------------------ */

/* +-1.f 2^e with the sign and fraction of u */
static float of_exponent(uint32_t u, int e)
{
	return hlx_float((u & 0x807fffffu) | (uint32_t)(127 + e) << 23);
}

static void pick(float *x, uint64_t n, const char *path, const int *exponent, unsigned count)
{
	uint64_t stream = hlx_data_stream(path, 0);
	uint32_t u[4];

	for (uint64_t i = 0; i < n; i++) {
		hlx_philox(5, stream, i, u);
		x[i] = of_exponent(u[0], exponent[u[1] % count] + (int)(u[2] % 3) - 1);
	}
}

/* Products of two near 2^-50, 2^-64 and 2^-100, of three near 2^-126, beside terms of 1. */
static void ladder(float *x, uint64_t n, const char *path)
{
	static const int e[] = { -49, -49, -43, -42, -32, -25, -13, 0 };

	pick(x, n, path, e, 8);
	for (uint64_t i = 0; i < n; i++)
		x[i] = hlx_store(x[i]);
}

/* What must not get into memory: around 2^-50, 2^-64 and 2^-126, denormals and -0 among it. */
static void raw(float *x, uint64_t n, const char *path)
{
	static const int e[] = { -50, -50, -64, -126, 0, 0 };

	pick(x, n, path, e, 6);
	for (uint64_t i = 0; i < n; i += 5)
		x[i] = -0.0f;
}

static void plain(float *x, uint64_t n, const char *path)
{
	hlx_data_floats(x, n, HLX_FAMILY_NORMAL, hlx_data_stream(path, 0));
}

/* The op's input and its result's gradient around 1e30 = 2^99.7, parameters near 1; big_input: the input alone;
 * big_scale: gamma and beta. */
static void big(float *x, uint64_t n, const char *path)
{
	static const int e[] = { 99 };

	if (strchr(path, '.') || !strcmp(path, "b"))
		plain(x, n, path);
	else
		pick(x, n, path, e, 1);
}

static void big_input(float *x, uint64_t n, const char *path)
{
	if (strcmp(path, "seed"))
		big(x, n, path);
	else
		plain(x, n, path);
}

static void big_scale(float *x, uint64_t n, const char *path)
{
	static const int e[] = { 99 };

	if (strchr(path, '.'))
		pick(x, n, path, e, 1);
	else
		plain(x, n, path);
}

static void hand(float *x, uint64_t n, const char *path)
{
	hlx_data_tensor(x, n, HLX_FAMILY_HAND, path, 0);
}

/* Rows without variance: one value, 2^-50 and 2^40 among them, beside one that is a last bit off. */
static void level(float *x, uint64_t n, const char *path)
{
	static const float of_row[] = { 0x1p-50f, 3.0f, 0x1p40f, -0x1.fffffep-49f, 0.0f };

	if (strcmp(path, "x")) {
		ladder(x, n, path);
		return;
	}
	for (uint64_t i = 0; i < n; i++)
		x[i] = of_row[i / 130 % 5];
	x[130 + 77] = 0x1.800002p1f;
}

static uint32_t all_ignored(uint64_t i)
{
	(void)i;
	return UINT32_MAX;
}

/* The first of three sequences of 35 is ignored, and the last 3 of the second: 32 positions are a block of the sum. */
static uint32_t some_ignored(uint64_t i)
{
	return i < 35 || (i >= 67 && i < 70) ? UINT32_MAX : (uint32_t)(i * 7 % 130);
}

/* 3 and 12 of 13 never occur, 5 occurs in the second sequence alone, 0 almost everywhere. */
static uint32_t few_ids(uint64_t i)
{
	return i == 40 ? 5 : i % 9 == 4 ? 11 : i % 31 == 7 ? 1 : 0;
}

static const struct edge edges[] = {
	{ "gemm, ladder", "gemm", "a=2x9x67 out=21 bias=yes", ladder, NULL },
	{ "gemm, ladder, two inputs", "gemm", "a=2x2x9x33 b=2x2x33x17", ladder, NULL },
	{ "gemm, uploads", "gemm", "a=2x9x67 out=21 bias=yes", raw, NULL },
	{ "gemm, 1e30", "gemm", "a=2x9x67 out=20 bias=yes", big_input, NULL },
	{ "gemm, 1e30, two inputs", "gemm", "a=2x2x9x33 b=2x2x33x17", big_input, NULL },
	{ "layernorm, hand-made row", "layernorm", "x=1x1x512 eps=0.0078125", hand, NULL },
	{ "layernorm, ladder", "layernorm", "x=2x5x130 eps=9.094947017729282e-13", ladder, NULL },
	{ "layernorm, rows of one value", "layernorm", "x=2x5x130 eps=9.094947017729282e-13", level, NULL },
	{ "layernorm, uploads", "layernorm", "x=2x5x130", raw, NULL },
	{ "layernorm, gamma of 1e30", "layernorm", "x=2x5x130", big_scale, NULL },
	{ "softmax, ladder", "softmax", "x=2x2x7x67 causal=yes scale=0.125", ladder, NULL },
	{ "softmax, scale of 2^-50", "softmax", "x=3x5x67 scale=8.881784197001252e-16", ladder, NULL },
	{ "softmax, rows that see nothing", "softmax", "x=2x2x7x3 causal=yes scale=0.5", ladder, NULL },
	{ "softmax, uploads", "softmax", "x=3x5x67", raw, NULL },
	{ "softmax, 1e30", "softmax", "x=3x5x67", big, NULL },
	{ "gelu, ladder", "gelu", "x=3x257", ladder, NULL },
	{ "gelu, uploads", "gelu", "x=3x257", raw, NULL },
	{ "gelu, 1e30", "gelu", "x=3x257", big, NULL },
	{ "add, ladder", "add", "a=3x257 b=3x257", ladder, NULL },
	{ "add, uploads", "add", "a=3x257 b=3x257", raw, NULL },
	{ "add, 1e30", "add", "a=3x257 b=3x257", big, NULL },
	{ "embedding, ids that never occur", "embedding", "tokens=3x35<13 vocab_size=13 d_model=24 max_seq_len=40", ladder,
	  few_ids },
	{ "embedding, uploads", "embedding", "tokens=3x35<13 vocab_size=13 d_model=24 max_seq_len=40", raw, few_ids },
	{ "xent, ladder", "xent", "logits=3x35x130 targets=3x35<130", ladder, some_ignored },
	{ "xent, every target ignored", "xent", "logits=3x35x130 targets=3x35<130", plain, all_ignored },
	{ "xent, a sequence ignored", "xent", "logits=3x35x130 targets=3x35<130", plain, some_ignored },
	{ "xent, uploads", "xent", "logits=3x35x130 targets=3x35<130", raw, some_ignored },
	{ "xent, 1e30", "xent", "logits=3x35x130 targets=3x35<130", big, some_ignored },
};
#define N_EDGES ((int)(sizeof(edges) / sizeof(*edges)))

/* -- tests ------------------------------------------------------------------------------------------------- */

static void print_hash(const char *name, const struct edge_bits *bits)
{
	printf("edge %-36s %016llx\n", name, (unsigned long long)edge_bits_hash(bits));
	fflush(stdout);
}

/* Every portable implementation; how many there are. */
static unsigned on_device(const struct edge *e, const struct edge_bits *want)
{
	struct edge_bits got;
	unsigned ran = 0;

	for (size_t k = 0; (bench.impl = hlx_registry_impl_at(bench.registry, k, NULL)); k++) {
		int status;
		if (strcmp(bench.impl->op, e->op) || bench.impl->tier != HLX_PORTABLE)
			continue;
		status = edge_device(&bench, e, &got);
		ck_assert_msg(status >= 0, "%s, %s: %s", e->name, bench.impl->name, hlx_message());
		if (!status)
			ck_assert_msg(!*edge_bits_differ(&got, want), "%s, %s: %s", e->name, bench.impl->name,
					edge_bits_differ(&got, want));
		ran += !status;
		edge_bits_free(&got);
	}
	return ran;
}

START_TEST(keeps_its_bits)
{
	const struct edge *e = &edges[_i];
	struct edge_bits want, flushed;

	ck_ok(edge_host(&bench, e, NULL, false, &want));
	ck_ok(edge_host(&bench, e, NULL, true, &flushed));
	ck_assert_msg(edge_bits_finite(&want), "%s: not finite, so nothing is promised", e->name);
	ck_assert_msg(!*edge_bits_differ(&flushed, &want), "%s, with denormals flushed: %s", e->name,
			edge_bits_differ(&flushed, &want));
	ck_assert_msg(on_device(e, &want) > 0, "%s: no implementation", e->name);
	print_hash(e->name, &want);
	edge_bits_free(&want);
	edge_bits_free(&flushed);
}
END_TEST

/* What the cases are worth: without thresholds they come out otherwise, and one way where denormals are kept, another way
 * where they are flushed. */
START_TEST(shows_a_reference_without_thresholds)
{
	static const struct hlx_op loose = { .ref_forward = loose_layernorm_forward, .ref_backward = loose_layernorm_backward };
	struct edge_bits want, kept, flushed;

	for (int i = 0; i < N_EDGES; i++) {
		if (strcmp(edges[i].name, "layernorm, hand-made row"))
			continue;
		ck_ok(edge_host(&bench, &edges[i], NULL, false, &want));
		ck_ok(edge_host(&bench, &edges[i], &loose, false, &kept));
		ck_ok(edge_host(&bench, &edges[i], &loose, true, &flushed));
		ck_assert_msg(*edge_bits_differ(&kept, &want), "the thresholds make no difference");
		ck_assert_msg(*edge_bits_differ(&flushed, &kept), "flushed denormals make no difference");
		fprintf(stderr, "without thresholds, kept and flushed: %s\n", edge_bits_differ(&flushed, &kept));
		edge_bits_free(&want);
		edge_bits_free(&kept);
		edge_bits_free(&flushed);
	}
}
END_TEST

/* -- training ---------------------------------------------------------------------------------------------- */

/* Ids 9 to 12 never occur, and 8 in the first step alone; of the second step every position is ignored, and of the third
 * the first sequence. */
static void next_to_nothing(struct model *m, uint64_t number)
{
	for (uint32_t i = 0; i < MODEL_TOKENS; i++) {
		m->tokens[i] = number == 1 && i == 50 ? 8 : i * i % 8;
		m->targets[i] = number == 2 || (number == 3 && i < MODEL_SEQ) ? UINT32_MAX : (i + number) % 9;
	}
}

static void compare_models(struct model *m, struct host_model *h, uint64_t step, struct edge_bits *want)
{
	struct edge_bits got = { 0 };
	size_t n, k;
	float *x = model_bits(m, &n), *y = host_model_bits(h, m, &k);

	ck_assert(x && y);
	edge_bits_free(want);
	ck_ok(edge_bits_add(&got, "state", "the model", x, n));
	ck_ok(edge_bits_add(want, "state", "the model", y, k));
	ck_assert_msg(!*edge_bits_differ(&got, want), "step %u: %s", (unsigned)step, edge_bits_differ(&got, want));
	edge_bits_free(&got);
	free(x);
	free(y);
}

START_TEST(trains_on_next_to_nothing)
{
	struct edge_bits want = { 0 };
	struct host_model h;
	struct hlx_result r;
	struct model m;

	ck_ok(model_open(&m, tied_head, NULL, 0));
	m.fill = next_to_nothing;
	ck_ok(host_model_open(&h, &m));
	for (uint64_t s = 1; s <= 4; s++) {
		ck_ok(model_train(&m, s, &r));
		ck_ok(host_model_train(&h, &m, s));
		ck_assert_uint_eq(hlx_bits(r.loss_sum), hlx_bits(h.walk->loss[0]));
		ck_assert(r.count == h.walk->loss[1] && (r.count == 0) == (s == 2));
		ck_assert_uint_eq(hlx_bits(r.grad_norm), hlx_bits(h.walk->norm));
		compare_models(&m, &h, s, &want);
	}
	ck_assert(edge_bits_finite(&want));
	print_hash("training", &want);
	edge_bits_free(&want);
	host_model_close(&h);
	model_close(&m);
}
END_TEST

static const char *const adams[] = { "weight_decay=0.1 grad_clip=1", "beta1=0.99 beta2=0.99" };

static const struct hlx_impl *adam_impl(void)
{
	const struct hlx_impl *i = NULL;

	for (size_t k = 0; (i = hlx_registry_impl_at(bench.registry, k, NULL)) && strcmp(i->op, "adam");)
		k++;
	ck_assert(i != NULL);
	return i;
}

static void compare_adam(struct edge_adam *a, const char *attrs, uint64_t step, struct edge_bits *want)
{
	struct edge_bits got;

	ck_ok(edge_adam_bits(a, false, want));
	ck_ok(edge_adam_bits(a, true, &got));
	ck_assert_msg(!*edge_bits_differ(&got, want), "adam, %s, step %llu: %s", attrs, (unsigned long long)step,
			edge_bits_differ(&got, want));
	edge_bits_free(&got);
}

START_TEST(gradients_vanish)
{
	struct edge_bits want = { 0 };
	struct edge_adam *a;

	bench.impl = adam_impl();
	ck_ok(edge_adam_create(&bench, adams[_i], &a));
	for (uint64_t s = 1; s <= EDGE_ADAM_STEPS; s++) {
		ck_ok(edge_adam_host(a, NULL, s % 2));
		ck_ok(edge_adam_device(a));
		if (s > 8 && s % 1000)
			continue;
		edge_bits_free(&want);
		compare_adam(a, adams[_i], s, &want);
	}
	ck_assert(edge_bits_finite(&want));
	print_hash(_i ? "adam, beta2 = 0.99" : "adam, weight decay", &want);
	edge_bits_free(&want);
	edge_adam_destroy(a);
}
END_TEST

static void adam_without_thresholds(bool flush, struct edge_bits *out)
{
	static const struct hlx_op loose = { .ref_forward = loose_adam_forward };
	struct edge_adam *a;

	bench.impl = NULL;
	ck_ok(edge_adam_create(&bench, adams[0], &a));
	for (uint64_t s = 1; s <= EDGE_ADAM_STEPS; s++)
		ck_ok(edge_adam_host(a, &loose, flush));
	ck_ok(edge_adam_bits(a, false, out));
	edge_adam_destroy(a);
}

START_TEST(shows_an_adam_without_thresholds)
{
	struct edge_bits kept, flushed;

	adam_without_thresholds(false, &kept);
	adam_without_thresholds(true, &flushed);
	ck_assert_msg(*edge_bits_differ(&flushed, &kept), "flushed denormals make no difference");
	fprintf(stderr, "adam without thresholds, kept and flushed: %s\n", edge_bits_differ(&flushed, &kept));
	edge_bits_free(&kept);
	edge_bits_free(&flushed);
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { keeps_its_bits, N_EDGES }, { shows_a_reference_without_thresholds, 0 },
		{ trains_on_next_to_nothing, 0 }, { gradients_vanish, 2 },
		{ shows_an_adam_without_thresholds, 0 } };
	const char *path = getenv("HLX_PLUGIN_PATH");
	int status;

	bench.dev = toys_device();
	if (hlx_registry_create(&bench.registry) < 0 ||
			hlx_registry_load_all(bench.registry, path && *path ? "/nonexistent" : "plugins/.libs") < 0) {
		fprintf(stderr, "%s\n", hlx_message());
		return 1;
	}
	status = TOYS_RUN("edges", tests, 0, false);
	hlx_registry_destroy(bench.registry);
	hlx_device_close(bench.dev);
	return status;
}
