/*
 * check_passes.c - a step in micro-batches: the bits of the whole batch, whatever part of a slot or how many slots a pass
 * has; what it takes of memory; what is refused.
 */
#include <check.h>
#undef fail /* the old name of ck_abort_msg; hlx_host has a member of that name */
#include <stdlib.h>
#include <string.h>

#include "core/program/program.h"
#include "hlx/math.h"
#include "tests/toys.h"
#include "tests/train_model.h"

#define OK(call) ck_assert_msg((call) >= 0, "%s", hlx_message())

/* A weight used three times and a gamma twice, of sizes that leave gaps between tensors; a part of h has no reader. */
static const char shared[] = "[model]\nvocab_size = 13\nd_model = 9\nnum_layers = 0\nnum_heads = 3\nmax_seq_len = 35\n"
	"[train]\nlr = 0.01\n[embed]\nx = embedding tokens\n[head]\na = gemm x out=9 bias=yes\n"
	"b = gemm a out=9 bias=yes weight=@head.a.weight\nm = layernorm b\nc = gemm m out=9 weight=@head.a.weight\n"
	"h = gemm c out=27\nq = heads h part=0\nv = heads h part=2\ns = gemm q v transpose_b=yes\np = softmax s\n"
	"o = gemm p v\nf = unheads o\nn = layernorm f gamma=@head.m.gamma\nlogits = gemm n out=vocab_size\n"
	"loss = xent logits targets\n";

static const struct { const char *name, *text; } wirings[] = { { "Pre-LN", pre_ln }, { "tied head", tied_head },
	{ "shared", shared } };

struct outcome {
	struct hlx_result result;
	struct hlx_plan_info plan;
	float *bits, *grads;
	uint64_t *hash;
	size_t n, n_grads, n_hash;
};

static void read_grads(struct model *m, struct outcome *o)
{
	for (uint32_t i = 0; i < hlx_graph_param_count(m->graph); i++)
		o->n_grads += hlx_graph_param(m->graph, i).numel;
	o->grads = malloc(o->n_grads * sizeof(*o->grads));
	for (uint32_t i = 0, at = 0; i < hlx_graph_param_count(m->graph); i++) {
		struct hlx_param_info q = hlx_graph_param(m->graph, i);
		OK(hlx_program_read(m->program, q.path, HLX_GRAD, 0, q.numel, o->grads + at));
		at += (uint32_t)q.numel;
	}
}

/* Three steps, positions that do not count among them. */
static struct outcome train(const char *text, uint64_t slots, uint64_t micro)
{
	const char *set[] = { "head.loss=xent logits targets ignore_index=99", NULL };
	struct outcome o = { .n = 0 };
	struct model m;

	OK(model_open_as(&m, text, set, (struct model_how){ .slots = slots, .micro = micro }));
	m.ignore = true;
	for (uint64_t s = 1; s <= 3; s++)
		OK(model_train(&m, s, &o.result));
	o.bits = model_bits(&m, &o.n);
	o.n_hash = hlx_graph_param_count(m.graph) * (1 + m.n_state);
	o.hash = calloc(o.n_hash, sizeof(*o.hash));
	OK(hlx_program_hash(m.program, o.hash));
	OK(hlx_program_find_bad(m.program));
	read_grads(&m, &o);
	o.plan = hlx_program_plan(m.program);
	model_close(&m);
	return o;
}

static void release(struct outcome *o)
{
	free(o->bits);
	free(o->grads);
	free(o->hash);
}

static void compare(const char *what, const struct outcome *a, const struct outcome *b)
{
	ck_assert_msg(hlx_bits(a->result.loss_sum) == hlx_bits(b->result.loss_sum) && a->result.count == b->result.count,
			"%s: loss %.9g of %g, want %.9g of %g", what, (double)a->result.loss_sum, (double)a->result.count,
			(double)b->result.loss_sum, (double)b->result.count);
	ck_assert_msg(hlx_bits(a->result.grad_norm) == hlx_bits(b->result.grad_norm), "%s: norm %.9g, want %.9g", what,
			(double)a->result.grad_norm, (double)b->result.grad_norm);
	ck_assert(a->n == b->n && a->n_grads == b->n_grads && a->n_hash == b->n_hash);
	ck_assert_msg(!memcmp(a->grads, b->grads, a->n_grads * sizeof(float)), "%s: other gradients", what);
	ck_assert_msg(!memcmp(a->bits, b->bits, a->n * sizeof(float)), "%s: other parameters or states", what);
	ck_assert_msg(!memcmp(a->hash, b->hash, a->n_hash * sizeof(uint64_t)), "%s: another hash", what);
}

/* log2(S) + 1 arenas of gradients, and activations of so many sequences only. */
static void check_memory(const char *what, const struct hlx_plan_info *i, const struct hlx_plan_info *whole, uint64_t slots)
{
	uint32_t most = 1;

	while (slots >> most)
		most++;
	ck_assert_msg(i->arenas <= most, "%s: %u arenas, want at most %u", what, i->arenas, most);
	ck_assert_uint_eq(whole->arenas, 1);
	ck_assert_uint_ge(i->sums, i->arenas * i->weights);
	ck_assert_uint_ge(i->gradients, i->sums);
	ck_assert_msg(i->activations * i->passes < whole->activations * 3 / 2, "%s: %llu bytes of activations, the whole %llu",
			what, (unsigned long long)i->activations, (unsigned long long)whole->activations);
}

START_TEST(bits_are_those_of_the_batch)
{
	const char *text = wirings[_i / 3].text;
	uint64_t slots = 1u << _i % 3;
	struct outcome whole = train(text, slots, 0);

	ck_assert_uint_eq(whole.plan.passes, 1);
	ck_assert(whole.result.count == 2 * 28 + 2);
	for (uint64_t micro = 1; micro < MODEL_BATCH; micro *= 2) {
		struct outcome o = train(text, slots, micro);
		char what[96];
		snprintf(what, sizeof(what), "%s, %u slots, %u at a time", wirings[_i / 3].name, (unsigned)slots, (unsigned)micro);
		ck_assert_uint_eq(o.plan.passes, MODEL_BATCH / micro);
		compare(what, &o, &whole);
		check_memory(what, &o.plan, &whole.plan, slots);
		release(&o);
	}
	release(&whole);
}
END_TEST

/* Equal bits say something only where another order of the sums has others. */
START_TEST(slots_are_another_definition)
{
	struct outcome a = train(shared, 4, 1), b = train(shared, 2, 1);

	ck_assert(memcmp(a.bits, b.bits, a.n * sizeof(float)));
	release(&a);
	release(&b);
}
END_TEST

/* -- what is not a transformer ----------------------------------------------------------------------------- */

#define ROWS 6u
#define COLS 7u
#define CLASSES 5u

static void fill(float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float)((i * 37 + 11) % 29) / 16.0f - 0.875f;
}

/* Rows of a batch, an input that all rows share, and a host call in the backward pass. */
static struct hlx_graph *rows_graph(struct hlx_registry *r, uint64_t micro, bool input_grads)
{
	const struct hlx_graph_options o = { .batch = ROWS, .seq_len = 1, .train = true, .slots = 2, .micro_batch = micro,
		.input_grads = input_grads };
	struct hlx_desc x = { .dtype = HLX_F32, .rank = 2, .dim = { micro, COLS }, .axis = { HLX_BATCH } };
	struct hlx_desc y = { .dtype = HLX_U32, .rank = 1, .dim = { micro }, .axis = { HLX_BATCH } };
	struct hlx_desc c = { .dtype = HLX_F32, .rank = 2, .dim = { CLASSES, COLS } };
	struct hlx_graph *g;

	toys_plugins(r);
	OK(hlx_graph_create(r, &o, &g));
	OK(hlx_graph_choose(g, "scale", "host"));
	OK(hlx_graph_input(g, "x", &x));
	OK(hlx_graph_input(g, "y", &y));
	OK(hlx_graph_input(g, "c", &c));
	OK(hlx_graph_wire(g, "t", "h", "gemm x out=7 bias=yes", "t:1"));
	OK(hlx_graph_wire(g, "t", "s", "scale h k=1.5", "t:2"));
	OK(hlx_graph_wire(g, "t", "z", "gemm s c transpose_b=yes", "t:3"));
	OK(hlx_graph_wire(g, "t", "loss", "xent z y", "t:4"));
	return g;
}

static void write_rows(struct hlx_program *p)
{
	const uint32_t targets[ROWS] = { 0, 3, 1, 4, 2, 0 };
	float in[ROWS * COLS], classes[CLASSES * COLS];

	fill(in, ROWS * COLS);
	fill(classes, CLASSES * COLS);
	OK(hlx_program_write(p, "x", HLX_VALUE, 0, ROWS * COLS, in));
	OK(hlx_program_write(p, "y", HLX_VALUE, 0, ROWS, targets));
	OK(hlx_program_write(p, "c", HLX_VALUE, 0, CLASSES * COLS, classes));
	ck_refused(hlx_program_write(p, "x", HLX_VALUE, 0, ROWS * COLS + 1, in), HLX_ESHAPE, "of 42");
	OK(hlx_program_read(p, "x", HLX_VALUE, COLS, (ROWS - 1) * COLS, classes));
	ck_assert(!memcmp(classes, in + COLS, sizeof(classes)));
}

static struct hlx_result rows_step(uint64_t micro, float *grad)
{
	const struct hlx_program_options options = { .backward = true };
	const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = 1, .n_seq = ROWS };
	struct hlx_device *dev = toys_device();
	struct hlx_registry *r = toys_registry();
	struct hlx_graph *g = rows_graph(r, micro, false);
	struct hlx_weights *weights;
	struct hlx_program *p;
	struct hlx_result result;

	OK(hlx_weights_create(dev, g, 0, &weights));
	OK(hlx_weights_init(weights, 3));
	OK(hlx_program_create(dev, g, weights, &options, &p));
	write_rows(p);
	for (int i = 0; i < 2; i++) /* again: nothing is left over */
		OK(hlx_program_run(p, &step));
	OK(hlx_program_result(p, &result));
	OK(hlx_program_read(p, "t.h.weight", HLX_GRAD, 0, COLS * COLS, grad));
	OK(hlx_program_read(p, "t.h.bias", HLX_GRAD, 0, COLS, grad + COLS * COLS));
	hlx_program_destroy(p);
	hlx_weights_destroy(weights);
	hlx_graph_destroy(g);
	hlx_registry_destroy(r);
	hlx_device_close(dev);
	return result;
}

START_TEST(rows_and_host_calls)
{
	float want[COLS * (COLS + 1)], got[COLS * (COLS + 1)];
	struct hlx_result a = rows_step(ROWS, want), b;

	ck_assert(a.count == ROWS && a.grad_norm > 0);
	for (uint64_t micro = 1; micro <= 3; micro += 2) { /* a third of a slot; a slot */
		b = rows_step(micro, got);
		ck_assert(!memcmp(&a, &b, sizeof(a)));
		ck_assert(!memcmp(got, want, sizeof(got)));
	}
}
END_TEST

/* -- what is refused --------------------------------------------------------------------------------------- */

START_TEST(other_sizes)
{
	static const struct { uint64_t batch, slots, micro; const char *want; } bad[] = {
		{ 8, 8, 3, "micro_batch is 3, want 1, 2, 4 or 8 (batch_size 8, slots 8)" },
		{ 8, 8, 16, "micro_batch is 16, want 1, 2, 4 or 8" },
		{ 12, 4, 2, "micro_batch is 2, want 1, 3, 6 or 12 (batch_size 12, slots 4)" },
		{ 12, 2, 4, "micro_batch is 4, want 1, 2, 3, 6 or 12" },
		{ 1, 1, 2, "micro_batch is 2, want 1 (" },
	};
	struct hlx_registry *r = toys_registry();
	struct hlx_graph *g;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_refused(hlx_graph_create(r, &(struct hlx_graph_options){ .batch = bad[i].batch, .seq_len = 1, .slots = bad[i].slots,
				.micro_batch = bad[i].micro }, &g), HLX_EINVAL, bad[i].want);
	hlx_registry_destroy(r);
}
END_TEST

static void refused(struct hlx_registry *r, struct hlx_graph *g, const struct hlx_program_options *o, int status,
		const char *want)
{
	struct hlx_device *dev = toys_device();
	struct hlx_program *p;

	ck_refused(hlx_program_create(dev, g, NULL, o, &p), status, "micro_batch: ", want);
	hlx_graph_destroy(g);
	hlx_registry_destroy(r);
	hlx_device_close(dev);
}

static struct hlx_graph *no_loss(struct hlx_registry *r, bool batch_first)
{
	const struct hlx_graph_options o = { .batch = 2, .seq_len = 1, .slots = 2, .micro_batch = 1 };
	struct hlx_desc x = toys_desc(1, 6);
	struct hlx_graph *g;

	x.axis[!batch_first] = HLX_BATCH;
	OK(hlx_graph_create(r, &o, &g));
	OK(hlx_graph_input(g, "x", &x));
	OK(hlx_graph_wire(g, "t", "a", "scale x", "t:1"));
	return g;
}

START_TEST(other_programs)
{
	const struct hlx_program_options forward = { .backward = false }, backward = { .backward = true },
		seeded = { .backward = true, .seed = "t.z" };
	struct hlx_registry *r = toys_registry();

	refused(r, no_loss(r, true), &forward, HLX_EINVAL, "the graph has no loss to add up");
	r = toys_registry();
	refused(r, no_loss(r, false), &forward, HLX_ENOTSUP, "input x has the batch in dim 1, want it in dim 0");
	r = toys_registry();
	refused(r, rows_graph(r, 1, true), &backward, HLX_EINVAL, "gradients of inputs want the whole batch");
	r = toys_registry();
	refused(r, rows_graph(r, 3, false), &seeded, HLX_EINVAL, "starts from a tensor wants the whole batch");
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("passes");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, bits_are_those_of_the_batch, 0, 9);
	tcase_add_test(t, slots_are_another_definition);
	tcase_add_test(t, rows_and_host_calls);
	tcase_add_test(t, other_sizes);
	tcase_add_test(t, other_programs);
	return suite_run("passes", t);
}
