/*
 * check_hash.c - the state hash of the device is the host's: any bits, odd sizes, windows, many dispatches, every
 * implementation; padding takes no part; after whole steps of whole models.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/program/build.h"
#include "core/numerics.h"
#include "tests/suite.h"
#include "tests/train_model.h"

#define OK(call) ck_assert_msg((call) >= 0, "%s", hlx_message())
#define STATES 2

/* Weights (1, n) and biases (n), about the edges of words, segments and blocks. */
static const unsigned sizes[] = { 1, 2, 3, 5, 63, 64, 65, 4095, 4096, 4097, 4098, 4099, 70001 };
#define N_SIZES (sizeof(sizes) / sizeof(*sizes))

struct bench {
	struct hlx_registry *registry;
	struct hlx_device *dev;
	struct hlx_graph *graph;
	struct hlx_weights *weights;
	struct hlx_program *program;
	uint32_t *bits[1 + STATES];
};

static void wire(struct bench *b, const char *impl)
{
	const struct hlx_graph_options o = { .batch = 1, .seq_len = 1, .train = true };
	const struct hlx_desc x = { .dtype = HLX_F32, .rank = 3, .dim = { 1, 3, 1 },
		.axis = { HLX_BATCH, HLX_SEQ } };
	char text[64], name[16];

	OK(hlx_graph_create(b->registry, &o, &b->graph));
	OK(hlx_graph_input(b->graph, "a", &x));
	OK(hlx_graph_choose(b->graph, "hash", impl));
	for (unsigned i = 0; i < N_SIZES; i++) {
		snprintf(text, sizeof(text), "gemm a out=%u bias=yes", sizes[i]);
		snprintf(name, sizeof(name), "fc%u", i);
		OK(hlx_graph_wire(b->graph, "layer.0", name, text, "test"));
	}
}

static uint32_t array_cell(struct hlx_program *p, uint32_t chunk, const struct hlx_memory *m)
{
	uint32_t out = HLX_NONE;

	OK(hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_STATES, .bytes = p->graph->arena * 4,
			.parent = HLX_NONE, .chunk = chunk, .persistent = true, .external = m }, &out));
	return out;
}

/* A program of the hash alone, over arrays of any bits, in their padding too. */
static void make_program(struct bench *b)
{
	struct hlx_program *p = b->program = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	p->dev = b->dev;
	p->graph = b->graph;
	p->weights = b->weights;
	p->options = (struct hlx_program_options){ .optimizer = "adam", .hash = true };
	OK(hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_PARAMETERS, .bytes = HLX_ALIGN,
			.parent = HLX_NONE, .persistent = true }, &p->steps_cell));
	p->weights_cell = array_cell(p, 0, &b->weights->value);
	for (uint32_t i = 0; i < STATES; i++)
		p->state_cell[i] = array_cell(p, i, &b->weights->state[i]);
	OK(hlx_build_hash(p));
	OK(hlx_program_layout(p));
	OK(hlx_program_barriers(p));
	OK(hlx_program_allocate(p));
	OK(hlx_program_write_hash_tables(p));
	OK(hlx_program_materialize(p));
}

static void fill(struct bench *b)
{
	for (uint32_t a = 0; a <= STATES; a++) {
		uint32_t *bits = b->bits[a] = malloc(b->graph->arena * 4 + 16);
		ck_assert_ptr_nonnull(bits);
		for (uint64_t i = 0; i < b->graph->arena; i += 4)
			hlx_philox(7, a, i, bits + i);
		OK(hlx_memory_write(b->dev, a ? &b->weights->state[a - 1] : &b->weights->value, 0, b->graph->arena * 4, bits));
	}
}

static const char *const impls[] = { "texel", "subgroup", "shared" };
#define N_IMPLS 3

/* False where the device cannot. */
static bool open_bench(struct bench *b, const char *impl, uint64_t max_range, uint32_t max_groups)
{
	const char *path = getenv("HLX_PLUGIN_PATH");
	struct hlx_caps *caps;

	*b = (struct bench){ 0 };
	OK(hlx_registry_create(&b->registry));
	OK(hlx_registry_load_all(b->registry, path && *path ? "/nonexistent" : "plugins/.libs"));
	OK(hlx_device_open(NULL, &b->dev));
	caps = &b->dev->info.caps;
	if ((strcmp(impl, "shared") && !caps->shuffle) ||
			(!strcmp(impl, "texel") && (!caps->cpu || caps->max_texels < caps->max_range / 16)))
		return false;
	if (max_range) {
		caps->max_range = max_range;
		caps->max_texels = max_range / 16;
		caps->max_groups[0] = max_groups;
	}
	wire(b, impl);
	OK(hlx_weights_create(b->dev, b->graph, STATES, &b->weights));
	make_program(b);
	fill(b);
	return true;
}

static void close_bench(struct bench *b)
{
	for (uint32_t a = 0; a <= STATES; a++)
		free(b->bits[a]);
	hlx_program_destroy(b->program);
	hlx_weights_destroy(b->weights);
	hlx_graph_destroy(b->graph);
	hlx_device_close(b->dev);
	hlx_registry_destroy(b->registry);
}

static uint64_t host_hash(const struct bench *b, uint32_t param, uint32_t array, uint64_t first)
{
	static const char *const states[] = { "", ".m", ".v" };
	const struct hlx_param_info p = hlx_graph_param(b->graph, param);
	char name[128];

	snprintf(name, sizeof(name), "%s%s", p.path, states[array]);
	return hlx_hash_words(hlx_hash_key(name), first, b->bits[array] + p.offset, p.numel);
}

static void compare(struct bench *b, const char *what, uint64_t first)
{
	const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = 1, .n_seq = 1 };
	uint32_t n = hlx_graph_param_count(b->graph);
	uint64_t *sums = calloc(n, (1 + STATES) * sizeof(*sums));

	ck_assert_ptr_nonnull(sums);
	for (int turn = 0; turn < 2; turn++) {
		OK(hlx_program_run(b->program, &step));
		OK(hlx_program_hash(b->program, sums));
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t a = 0; a <= STATES; a++)
				ck_assert_msg(sums[i * (1 + STATES) + a] == host_hash(b, i, a, first),
						"%s: array %u, %s: %016llx, want %016llx", what, a, hlx_graph_param(b->graph, i).path,
						(unsigned long long)sums[i * (1 + STATES) + a],
						(unsigned long long)host_hash(b, i, a, first));
	}
	free(sums);
}

START_TEST(equals_the_host)
{
	static const struct { uint64_t range; uint32_t groups; } limits[] = { { 0, 0 }, { 256 << 10, 65535 }, { 16640, 65535 },
		{ 256 << 10, 7 } };
	struct bench b;

	if (open_bench(&b, impls[_i % N_IMPLS], limits[_i / N_IMPLS].range, limits[_i / N_IMPLS].groups))
		compare(&b, impls[_i % N_IMPLS], 0);
	close_bench(&b);
}
END_TEST

/* The index' high word: as if every tensor began at element 2^32 - 4096. */
START_TEST(crosses_two_to_the_32)
{
	struct bench b;

	if (open_bench(&b, impls[_i], 0, 0)) {
		uint64_t at;
		const struct hlx_memory *m = hlx_cell_memory(b.program, b.program->blocks_cell, &at);
		uint64_t bytes = b.program->cell[b.program->blocks_cell].bytes;
		uint32_t *block = malloc(bytes);
		ck_assert_ptr_nonnull(block);
		OK(hlx_memory_read(b.dev, m, at, bytes, block));
		for (uint64_t i = 0; i < bytes / 16; i++)
			block[4 * i + 3] += (1u << 20) - 1;
		OK(hlx_memory_write(b.dev, m, at, bytes, block));
		free(block);
		compare(&b, impls[_i], (UINT64_C(1) << 32) - HLX_HASH_BLOCK);
	}
	close_bench(&b);
}
END_TEST

/* One bit of one element changes the sums of its tensor in its array, and no other's. */
START_TEST(one_bit)
{
	const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = 1, .n_seq = 1 };
	uint64_t was[2 * N_SIZES * (1 + STATES)], now[2 * N_SIZES * (1 + STATES)];
	struct bench b;

	if (!open_bench(&b, impls[_i], 0, 0)) {
		close_bench(&b);
		return;
	}
	OK(hlx_program_run(b.program, &step));
	OK(hlx_program_hash(b.program, was));
	for (uint32_t param = 0; param < hlx_graph_param_count(b.graph); param += 3) {
		const struct hlx_param_info p = hlx_graph_param(b.graph, param);
		uint32_t *x = &b.bits[2][p.offset + p.numel - 1], changed = *x ^ 1u << param % 32;
		OK(hlx_memory_write(b.dev, &b.weights->state[1], (p.offset + p.numel - 1) * 4, 4, &changed));
		OK(hlx_program_run(b.program, &step));
		OK(hlx_program_hash(b.program, now));
		for (uint32_t i = 0; i < 2 * N_SIZES * (1 + STATES); i++)
			ck_assert_msg((was[i] != now[i]) == (i == param * (1 + STATES) + 2), "%s: sum %u", p.path, i);
		OK(hlx_memory_write(b.dev, &b.weights->state[1], (p.offset + p.numel - 1) * 4, 4, x));
	}
	close_bench(&b);
}
END_TEST

static const char *const models[] = { pre_ln, tied_head, parallel };

START_TEST(follows_a_model)
{
	struct hlx_result r;
	struct model m;
	uint32_t n;
	uint64_t *sums;

	OK(model_open(&m, models[_i], NULL, 0));
	n = hlx_graph_param_count(m.graph);
	sums = calloc(n * (1 + m.n_state), sizeof(*sums));
	ck_assert_ptr_nonnull(sums);
	for (uint64_t s = 1; s <= 3; s++) {
		size_t count;
		float *bits, *at;
		OK(model_train(&m, s, &r));
		OK(hlx_program_hash(m.program, sums));
		bits = at = model_bits(&m, &count);
		for (uint32_t a = 0; a <= m.n_state; a++)
			for (uint32_t i = 0; i < n; i++) {
				const struct hlx_param_info p = hlx_graph_param(m.graph, i);
				char name[128];
				snprintf(name, sizeof(name), "%s%s", p.path, a == 0 ? "" : a == 1 ? ".m" : ".v");
				ck_assert_msg(sums[i * (1 + m.n_state) + a] == hlx_hash_words(hlx_hash_key(name), 0,
						(const uint32_t *)(const void *)at, p.numel), "step %u: %s", (unsigned)s, name);
				at += p.numel;
			}
		free(bits);
	}
	free(sums);
	model_close(&m);
}
END_TEST

START_TEST(only_where_asked_for)
{
	const struct hlx_program_options o = { .backward = true, .optimizer = "adam" };
	struct hlx_program *p;
	struct model m;
	uint64_t sum;

	OK(model_open(&m, pre_ln, NULL, 0));
	OK(hlx_program_create(m.dev, m.graph, m.weights, &o, &p));
	ck_assert_int_eq(hlx_program_hash(p, &sum), HLX_EINVAL);
	hlx_program_destroy(p);
	model_close(&m);
}
END_TEST

START_TEST(nothing_to_hash)
{
	const struct hlx_graph_options o = { .batch = 1, .seq_len = 1 };
	const struct hlx_program_options po = { .hash = true };
	const struct hlx_desc x = { .dtype = HLX_F32, .rank = 1, .dim = { 64 } };
	const struct hlx_step step = { .size = sizeof(step), .step = 1, .n_seq = 1 };
	const char *path = getenv("HLX_PLUGIN_PATH");
	struct bench b = { 0 };

	OK(hlx_registry_create(&b.registry));
	OK(hlx_registry_load_all(b.registry, path && *path ? "/nonexistent" : "plugins/.libs"));
	OK(hlx_device_open(NULL, &b.dev));
	OK(hlx_graph_create(b.registry, &o, &b.graph));
	OK(hlx_graph_input(b.graph, "a", &x));
	OK(hlx_graph_wire(b.graph, "layer.0", "y", "gelu a", "test"));
	OK(hlx_weights_create(b.dev, b.graph, 0, &b.weights));
	OK(hlx_program_create(b.dev, b.graph, b.weights, &po, &b.program));
	OK(hlx_program_run(b.program, &step));
	OK(hlx_program_hash(b.program, NULL));
	close_bench(&b);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("hash");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, equals_the_host, 0, 4 * N_IMPLS);
	tcase_add_loop_test(t, crosses_two_to_the_32, 0, N_IMPLS);
	tcase_add_loop_test(t, one_bit, 0, N_IMPLS);
	tcase_add_loop_test(t, follows_a_model, 0, 3);
	tcase_add_test(t, only_where_asked_for);
	tcase_add_test(t, nothing_to_hash);
	return suite_run("hash", t);
}
