/*
 * Gradients that share memory (core/program/share.c): residual wirings, easy and twisted, trained with and without sharing.  A
 * program that keeps a tensor shares nothing, so it is the reference.
 */
#include "tests/train_wiring.h"

#include "core/program/program.h"

static struct hlx_registry *registry;
static struct hlx_device *dev;

#define HEAD "[model]\nvocab_size = 20\nd_model = 16\nnum_layers = 2\nmax_seq_len = 5\n[embed]\nx = embedding tokens\n"
#define TAIL "[head]\nn = layernorm x\nlogits = gemm n out=vocab_size\nloss = xent logits targets\n[train]\nlr = 1e-2\n"

static const struct {
	const char *text;
	unsigned left; /* steps of add's backward passes that cannot be shared */
} wirings[] = {
	/* Pre-LN */
	{ HEAD "[layer]\nn = layernorm x\np = gemm n out=d_model\nx1 = add x p\nm = layernorm x1\nq = gemm m out=d_model\n"
		"x = add x1 q\n" TAIL, 0 },
	/* post-LN: gemm reads p's gradient while it adds to x's */
	{ HEAD "[layer]\np = gemm x out=d_model\ns = add x p\nx = layernorm s\n" TAIL, 2 },
	/* both from the same: the second adds to the first */
	{ HEAD "[layer]\ns = add x x\nx = layernorm s\n" TAIL, 4 },
	/* b's maker comes before one who adds to c's gradient, which is a's, which is b's: three names of one memory */
	{ HEAD "[layer]\nb = gemm x out=d_model\nc = gelu x\nn = layernorm c\nd = gemm n out=d_model\na = add c d\nx = add a b\n"
		TAIL, 2 },
	/* an input of add that later nodes read, too: it has a gradient already */
	{ HEAD "[layer]\np = gemm x out=d_model\ns = add x p\nr = gelu p\nx = add s r\n" TAIL, 2 },
	/* parallel branches */
	{ HEAD "[layer]\nn = layernorm x\np = gemm n out=d_model\nq = gemm n out=d_model\nu = add p q\nx = add x u\n" TAIL, 0 },
	/* parts of one tensor: nothing is whole */
	{ HEAD "[layer]\nw = gemm x out=3*d_model\nq = heads w part=0 num_heads=2\nk = heads w part=1 num_heads=2\n"
		"v = heads w part=2 num_heads=2\ns = add q k\nt = add s v\nu = unheads t\nx = add x u\n" TAIL, 10 },
};

static uint32_t count_adds(const struct hlx_program *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_steps; i++)
		n += p->step[i].backward && !strcmp(p->node[p->step[i].node].op->name, "add");
	return n;
}

static unsigned train(const char *text, bool share, uint64_t micro, uint64_t *hash)
{
	static const char *const keep[] = { "embed.x", NULL };
	struct hlx_program_options po = { .keep = share ? NULL : keep };

	return train_wiring(dev, registry, text, (struct hlx_graph_options){ .micro_batch = micro }, po, count_adds, hash);
}

START_TEST(same_bits)
{
	uint64_t want[256] = { 0 }, got[256] = { 0 }, parts[256] = { 0 };

	ck_assert_uint_ge(train(wirings[_i].text, false, 0, want), wirings[_i].left);
	ck_assert_uint_eq(train(wirings[_i].text, true, 0, got), wirings[_i].left);
	ck_assert_uint_eq(train(wirings[_i].text, true, 1, parts), wirings[_i].left);
	ck_assert_int_eq(memcmp(want, got, sizeof(want)), 0);
	ck_assert_int_eq(memcmp(want, parts, sizeof(want)), 0);
	ck_assert_uint_ne(want[0], 0);
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
	const struct toys_test tests[] = { { load, 0 }, { same_bits, sizeof(wirings) / sizeof(*wirings) } };
	int status;

	dev = toys_device();
	status = TOYS_RUN("share", tests, 300, false); /* a device does not live through a fork */
	hlx_registry_destroy(registry);
	hlx_device_close(dev);
	return status;
}
