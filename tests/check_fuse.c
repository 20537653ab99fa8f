/*
 * A neighbour's work done by a node (core/program/fuse.c): wirings where that can be and where it must not, trained so and
 * with each node on its own.
 */
#include "tests/train_wiring.h"

#include "core/program/program.h"

static struct hlx_registry *registry;
static struct hlx_device *dev;

#define HEAD "[model]\nvocab_size = 20\nd_model = 16\nnum_layers = 2\nmax_seq_len = 5\n[embed]\nx = embedding tokens\n[layer]\n"
#define TAIL "[head]\nn = layernorm x\nlogits = gemm n out=vocab_size\nloss = xent logits targets\n[train]\nlr = 1e-2\n"
#define FFN(columns) "n = layernorm x\nh = gemm n out=" columns " bias=yes\na = gelu h\np = gemm a out=d_model bias=yes\n"

static const struct {
	const char *text;
	uint32_t fused; /* passes of the two layers' nodes that others do, in training */
} wirings[] = {
	/* h with a, p with x, and the gradient of a with that of h; whole tiles, odd columns, one, no bias */
	{ HEAD FFN("64") "x = add x p\n" TAIL, 6 },
	{ HEAD FFN("33") "x = add p x\n" TAIL, 6 },
	{ HEAD FFN("1") "x = add x p\n" TAIL, 6 },
	{ HEAD "h = gemm x out=128\na = gelu h\np = gemm a out=d_model\nx = add x p\n" TAIL, 6 },
	/* post-LN */
	{ HEAD "p = gemm x out=d_model\ns = add x p\nx = layernorm s\n" TAIL, 2 },
	/* two products that one adds: the second one does; and what it adds to was made after p */
	{ HEAD "n = layernorm x\np = gemm n out=d_model\nq = gemm n out=d_model\nx = add p q\n" TAIL, 2 },
	{ HEAD "p = gemm x out=d_model\nn = layernorm x\nx = add p n\n" TAIL, 2 },
	/* p has another reader; h has, so that its gradient is added to */
	{ HEAD "p = gemm x out=d_model\nu = gelu p\nx = add p u\n" TAIL, 0 },
	{ HEAD "h = gemm x out=d_model\na = gelu h\np = gemm a out=d_model\nr = add h p\nx = add x r\n" TAIL, 2 },
	/* both inputs */
	{ HEAD "p = gemm x out=d_model\nx = add p p\n" TAIL, 0 },
	/* a has another reader: its gradient is that of two */
	{ HEAD "h = gemm x out=d_model\na = gelu h\np = gemm a out=d_model\nx = add a p\n" TAIL, 4 },
	/* a product of two has no neighbour; and a part of a tensor is not the whole of it */
	{ HEAD "s = gemm x x transpose_b=yes\nt = gelu s\nc = gemm t x\nx = add x c\n" TAIL, 0 },
	{ HEAD "w = gemm x out=2*d_model\nq = heads w part=0 parts=2 num_heads=2\nk = heads w part=1 parts=2 num_heads=2\n"
		"s = add q k\nu = unheads s\nx = add x u\n" TAIL, 0 },
	/* what a layer hands to the next one is made by itself; its gradient is not */
	{ HEAD "y = gelu x\nx = gemm y out=d_model\n" TAIL, 2 },
	/* named ones do their work themselves; and some kernels do none but theirs */
	{ "[ops]\nadd = flat\n" HEAD FFN("64") "x = add x p\n" TAIL, 4 },
	{ "[ops]\ngelu = flat\n" HEAD FFN("64") "x = add x p\n" TAIL, 2 },
	{ "[ops]\ngemm = gemm16\n" HEAD FFN("64") "x = add x p\n" TAIL, 0 },
};

struct how {
	bool apart, recompute;
	uint64_t micro;
};

static uint32_t count_fused(const struct hlx_program *p)
{
	return hlx_program_plan(p).fused;
}

static uint32_t train(const char *text, struct how how, uint64_t *hash)
{
	struct hlx_program_options po = { .apart = how.apart, .recompute = how.recompute };

	return train_wiring(dev, registry, text, (struct hlx_graph_options){ .micro_batch = how.micro }, po, count_fused, hash);
}

START_TEST(same_bits)
{
	static const struct how hows[] = { { 0 }, { .micro = 1 }, { .recompute = true }, { .micro = 1, .recompute = true } };
	uint64_t want[256] = { 0 };

	ck_assert_uint_eq(train(wirings[_i].text, (struct how){ .apart = true }, want), 0);
	ck_assert_uint_ne(want[0], 0);
	for (size_t k = 0; k < sizeof(hows) / sizeof(*hows); k++) {
		uint64_t got[256] = { 0 };
		ck_assert_uint_eq(train(wirings[_i].text, hows[k], got), wirings[_i].fused);
		ck_assert_msg(!memcmp(want, got, sizeof(want)), "wiring %d, way %zu: other bits", _i, k);
	}
}
END_TEST

/* -- without a backward pass; what the caller keeps ---------------------------------------------------------- */

static const char *const lines[] = { "h", "gemm x out=33 bias=yes", "a", "gelu h", "p", "gemm a out=6 bias=yes", "y", "add x p", NULL };

static uint32_t infer(const char *const *keep, bool apart, const char *path, uint64_t n, float *out, uint64_t *activations)
{
	const struct hlx_program_options o = { .keep = keep, .apart = apart };
	const struct hlx_graph_options go = { .batch = WIRING_BATCH, .seq_len = WIRING_SEQ };
	const struct hlx_desc d = { .dtype = HLX_F32, .rank = 3, .dim = { WIRING_BATCH, WIRING_SEQ, 6 }, .axis = { HLX_BATCH, HLX_SEQ } };
	struct hlx_graph *g;
	struct hlx_weights *w;
	struct hlx_program *p;
	uint32_t fused;
	float x[60];

	for (int i = 0; i < 60; i++)
		x[i] = (float)(i - 23) / 7.0f;
	ck_ok(hlx_graph_create(registry, &go, &g));
	ck_ok(hlx_graph_input(g, "x", &d));
	for (const char *const *l = lines; *l; l += 2)
		ck_ok(hlx_graph_wire(g, "t", l[0], l[1], "toy.ini:1"));
	ck_ok(hlx_weights_create(dev, g, 0, &w));
	ck_ok(hlx_weights_init(w, 1));
	ck_ok(hlx_program_create(dev, g, w, &o, &p));
	ck_ok(hlx_program_write(p, "x", HLX_VALUE, 0, 60, x));
	ck_ok(hlx_program_run(p, &(struct hlx_step){ .size = sizeof(struct hlx_step), .step = 1, .n_seq = 2 }));
	ck_ok(hlx_program_read(p, path, HLX_VALUE, 0, n, out));
	fused = hlx_program_plan(p).fused;
	*activations = hlx_program_plan(p).activations;
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
	return fused;
}

START_TEST(inference)
{
	uint64_t apart, fused;
	float want[60], got[60];

	ck_assert_uint_eq(infer(LINES("t.y"), true, "t.y", 60, want, &apart), 0);
	ck_assert_uint_eq(infer(LINES("t.y"), false, "t.y", 60, got, &fused), 2);
	ck_assert(!memcmp(want, got, sizeof(want)));
	ck_assert_uint_lt(fused, apart); /* h and p have no memory */
}
END_TEST

START_TEST(kept)
{
	static const struct { const char *path; uint64_t n; uint32_t fused; } cases[] = {
		{ "t.h", 330, 1 }, { "t.a", 330, 2 }, { "t.p", 60, 1 } };
	uint64_t bytes;
	float want[330], got[330];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const keep[] = { cases[i].path, "t.y", NULL };
		infer(keep, true, cases[i].path, cases[i].n, want, &bytes);
		ck_assert_uint_eq(infer(keep, false, cases[i].path, cases[i].n, got, &bytes), cases[i].fused);
		ck_assert(!memcmp(want, got, cases[i].n * sizeof(float)));
	}
}
END_TEST

START_TEST(load)
{
	ck_ok(hlx_registry_create(&registry));
	toys_plugins(registry);
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { load, 0 }, { same_bits, sizeof(wirings) / sizeof(*wirings) }, { inference, 0 },
		{ kept, 0 } };
	int status;

	dev = toys_device();
	status = TOYS_RUN("fuse", tests, 300, false); /* a device does not live through a fork */
	hlx_registry_destroy(registry);
	hlx_device_close(dev);
	return status;
}
