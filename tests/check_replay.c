/*
 * A small transformer trained for three steps: the same bits once more, through staging, in arenas of many pieces, on
 * memory full of NaNs between the steps, and with micro-optimizations of the plan left out (a barrier before every step).
 */
#include "tests/toys.h"

#include "tests/spoil.h"

#define STEPS 3
#define BATCH 4u
#define SEQ 7u
#define PIECE (60u << 10) /* bytes: a little more than all gradients */

static const char text[] = "[model]\nvocab_size = 50\nd_model = 24\nnum_layers = 2\nnum_heads = 3\nffn_dim = 40\n"
	"max_seq_len = 7\n[embed]\nx = embedding tokens\n[layer]\nn1 = layernorm x\nqkv = gemm n1 out=3*d_model bias=yes\n"
	"q = heads qkv part=0\nk = heads qkv part=1\nv = heads qkv part=2\nscore = gemm q k transpose_b=yes\n"
	"prob = softmax score causal=yes scale=rsqrt(d_model/num_heads)\nctx = gemm prob v\nflat = unheads ctx\n"
	"proj = gemm flat out=d_model bias=yes\nx1 = add x proj\nn2 = layernorm x1\nfc = gemm n2 out=ffn_dim bias=yes\n"
	"act = gelu fc\nmlp = gemm act out=d_model bias=yes\nx = add x1 mlp\n[head]\nn = layernorm x\n"
	"logits = gemm n out=vocab_size weight=@embed.x.token\nloss = xent logits targets\n[train]\nlr = 1e-2\n";

static struct hlx_registry *registry;
static struct hlx_device *plain, *staging;

struct outcome {
	struct hlx_result result[STEPS];
	uint32_t n;
	float *params; /* all of them, one after the other, and Adam's states */
};

struct setup {
	struct hlx_device *dev;
	bool poison, all_barriers;
	uint64_t max_allocation;
};

static void read_all(const struct hlx_graph *g, struct hlx_weights *w, struct outcome *out)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < hlx_graph_param_count(g); i++)
		out->n += 3 * (uint32_t)hlx_graph_param(g, i).numel;
	out->params = malloc(out->n * sizeof(float));
	for (uint32_t i = 0; i < hlx_graph_param_count(g); i++)
		for (uint32_t s = 0; s < 3; s++, at += (uint32_t)hlx_graph_param(g, i).numel)
			ck_ok(hlx_weights_read(w, i, s, out->params + at));
}

static struct outcome train(const struct setup *s)
{
	struct hlx_graph_options go = { .batch = BATCH, .seq_len = SEQ, .train = true };
	struct outcome out = { .n = 0 };
	uint32_t tokens[BATCH * SEQ], targets[BATCH * SEQ];
	uint64_t before = s->dev->max_allocation;
	struct hlx_program_options po = { .backward = true, .optimizer = "adam", .ini_section = "train" };
	struct hlx_ini *ini;
	struct hlx_graph *g;
	struct hlx_weights *w;
	struct hlx_program *p;

	ck_ok(hlx_ini_parse("small.ini", text, sizeof(text) - 1, &ini));
	ck_ok(hlx_graph_build(registry, ini, &go, &g));
	ck_ok(hlx_weights_create(s->dev, g, 2, &w));
	ck_ok(hlx_weights_init(w, 5));
	po.ini = ini;
	s->dev->max_allocation = s->max_allocation ? s->max_allocation : before;
	ck_ok(hlx_program_create(s->dev, g, w, &po, &p));
	s->dev->max_allocation = before;
	if (s->max_allocation)
		ck_assert_uint_ge(p->n_chunks[HLX_ARENA_ACTIVATIONS], 2); /* pieces */
	if (s->all_barriers)
		ck_ok(spoil_barriers(p, true));
	for (uint32_t step = 0; step < STEPS; step++) {
		const struct hlx_step pass = { .size = sizeof(pass), .train = 1, .step = step + 1, .n_seq = BATCH, .lr = 0.01f };
		for (uint32_t i = 0; i < BATCH * SEQ; i++) {
			tokens[i] = (i * 17 + step * 5) % 50;
			targets[i] = (i * 31 + step) % 50;
		}
		if (s->poison)
			spoil_memory(p);
		ck_ok(hlx_program_write(p, "tokens", HLX_VALUE, 0, BATCH * SEQ, tokens));
		ck_ok(hlx_program_write(p, "targets", HLX_VALUE, 0, BATCH * SEQ, targets));
		ck_ok(hlx_program_run(p, &pass));
		ck_ok(hlx_program_result(p, &out.result[step]));
	}
	ck_ok(hlx_program_find_bad(p));
	read_all(g, w, &out);
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
	return out;
}

START_TEST(learns)
{
	struct outcome a = train(&(struct setup){ .dev = plain });

	ck_assert_float_eq(a.result[0].count, BATCH * SEQ);
	ck_assert_float_gt(a.result[0].loss_sum / a.result[0].count, 3.0f); /* log 50 is 3.91 */
	ck_assert_float_lt(a.result[0].loss_sum / a.result[0].count, 5.0f);
	ck_assert_float_gt(a.result[0].grad_norm, 0);
	free(a.params);
}
END_TEST

START_TEST(same_bits)
{
	const struct setup setups[] = { { .dev = plain }, { .dev = plain, .poison = true }, { .dev = staging },
		{ .dev = plain, .max_allocation = PIECE, .poison = true }, { .dev = staging, .max_allocation = PIECE },
		{ .dev = plain, .all_barriers = true } };
	struct outcome a = train(&(struct setup){ .dev = plain }), b = train(&setups[_i]);

	ck_assert_uint_eq(a.n, b.n);
	for (int s = 0; s < STEPS; s++)
		ck_assert_msg(!memcmp(&a.result[s], &b.result[s], sizeof(a.result[s])), "step %d: loss %.9g and %.9g, norm %.9g and "
				"%.9g", s + 1, a.result[s].loss_sum, b.result[s].loss_sum, a.result[s].grad_norm,
				b.result[s].grad_norm);
	ck_assert_int_eq(memcmp(a.params, b.params, a.n * sizeof(float)), 0);
	free(a.params);
	free(b.params);
}
END_TEST

START_TEST(optimizers)
{
	struct hlx_graph_options go = { .batch = BATCH, .seq_len = SEQ, .train = true };
	struct hlx_program_options po = { .backward = true, .optimizer = "adm", .ini_section = "train" };
	const char *names[HLX_MAX_SLOTS];
	struct hlx_graph *g;
	struct hlx_weights *w;
	struct hlx_program *p;

	ck_ok(hlx_ini_parse("small.ini", text, sizeof(text) - 1, &po.ini));
	ck_ok(hlx_graph_build(registry, po.ini, &go, &g));
	ck_assert_uint_eq(hlx_optimizer_states(registry, "adam", names), 2);
	ck_assert_str_eq(names[0], "m");
	ck_assert_uint_eq(hlx_optimizer_states(registry, "adm", names), 0);
	ck_assert_uint_eq(hlx_optimizer_states(registry, "gemm", names), 0);
	ck_refused(hlx_program_create(plain, g, NULL, &po, &p), HLX_EINVAL, "no optimizer adm", "did you mean adam?");
	po.optimizer = "gelu";
	ck_refused(hlx_program_create(plain, g, NULL, &po, &p), HLX_EINVAL, "no optimizer gelu");
	po.optimizer = "adam";
	ck_ok(hlx_weights_create(plain, g, 1, &w));
	ck_refused(hlx_program_create(plain, g, w, &po, &p), HLX_EINVAL, "adam keeps 2 states", "room for 1");
	ck_ok(hlx_ini_set(po.ini, "train.beta1=2"));
	ck_refused(hlx_program_create(plain, g, NULL, &po, &p), HLX_EINVAL, "train.beta1", "out of range");
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
	hlx_ini_destroy(po.ini);
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
	int status;
	const struct toys_test tests[] = { { load, 0 }, { learns, 0 }, { same_bits, 6 }, { optimizers, 0 } };

	plain = toys_device();
	setenv("HLX_STAGING", "1", 1);
	staging = toys_device();
	unsetenv("HLX_STAGING");
	status = TOYS_RUN("replay", tests, 300, false); /* a device does not live through a fork */
	hlx_registry_destroy(registry);
	hlx_device_close(staging);
	hlx_device_close(plain);
	return status;
}
