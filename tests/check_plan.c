/* check_plan.c - plans of the three models: whole, in micro-batches, with layers made again, in small allocations. */
#include "tests/plan_check.h"
#include "tests/toys.h"

static struct hlx_device *dev;
static struct hlx_registry *shipped;

static struct hlx_graph *model(const char *name, struct hlx_ini **ini, uint64_t batch, uint64_t micro)
{
	struct hlx_graph_options o = { .batch = batch, .train = true, .micro_batch = micro };
	char path[4096];
	int64_t seq = 0;
	struct hlx_graph *g;

	snprintf(path, sizeof(path), "%s/models/%s.ini", toys_env("top_srcdir"), name);
	ck_ok(hlx_ini_read(path, ini));
	ck_ok(hlx_ini_int(*ini, "model", "max_seq_len", 1, 1 << 20, &seq));
	o.seq_len = (uint64_t)seq;
	ck_ok(hlx_graph_build(shipped, *ini, &o, &g));
	return g;
}

static struct hlx_program *plan_as(struct hlx_graph *g, struct hlx_ini *ini, bool train, enum hlx_recompute recompute)
{
	struct hlx_program_options o = { .backward = train, .optimizer = train ? "adam" : NULL, .ini = ini,
		.ini_section = "train", .recompute = recompute };
	struct hlx_program *p;

	ck_ok(hlx_program_create(dev, g, NULL, &o, &p));
	return p;
}

static struct hlx_program *plan(struct hlx_graph *g, struct hlx_ini *ini, bool train)
{
	return plan_as(g, ini, train, HLX_RECOMPUTE_NONE);
}

START_TEST(load)
{
	ck_ok(hlx_registry_create(&shipped));
	toys_plugins(shipped);
}
END_TEST

static const char *const models[] = { "tiny", "small", "medium" };

START_TEST(models_plans)
{
	struct hlx_ini *ini;
	struct hlx_graph *g = model(models[_i], &ini, _i ? 4 : 8, 0);
	struct hlx_program *a = plan(g, ini, true), *b = plan(g, ini, true), *c = plan(g, ini, false);
	struct hlx_plan_info i = hlx_program_plan(a);
	uint64_t numel = 0;

	plan_check(a);
	plan_check(c);
	plan_same(a, b);
	for (uint32_t k = 0; k < hlx_graph_param_count(g); k++)
		numel += hlx_graph_param(g, k).numel;
	ck_assert_uint_ge(i.weights, numel * 4);
	ck_assert_uint_le(i.weights, numel * 4 + 256 * hlx_graph_param_count(g));
	ck_assert_uint_eq(i.states, 2 * i.weights);
	ck_assert_uint_eq(i.total, i.weights + i.states + i.gradients + i.activations + i.parameters);
	ck_assert_uint_gt(i.dispatches, 100);
	ck_assert_uint_le(i.dispatches, i.steps);
	ck_assert_uint_lt(hlx_program_plan(c).activations, i.activations);
	hlx_program_destroy(a);
	hlx_program_destroy(b);
	hlx_program_destroy(c);
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
}
END_TEST

/* The same of micro-batches, whose phases run in another order; nothing but what is kept crosses from one to another. */
START_TEST(passes_plans)
{
	static const uint64_t batch[] = { 8, 8, 8, 16 }, micro[] = { 4, 2, 1, 1 }; /* 8 slots: 4, 2, 1, half of one a pass */
	static const uint32_t arenas[] = { 2, 3, 4, 4 };
	struct hlx_ini *ini;
	struct hlx_graph *g = model("tiny", &ini, batch[_i], micro[_i]);
	struct hlx_program *a = plan(g, ini, true), *b = plan(g, ini, true), *c = plan(g, ini, false);
	uint64_t at;
	uint8_t *phase;

	plan_check(a);
	plan_check(c);
	plan_same(a, b);
	ck_assert_ptr_nonnull(phase = malloc(a->n_cells));
	memset(phase, 0xff, a->n_cells);
	for (uint32_t i = 0; i < a->n_steps; i++)
		for (uint32_t j = 0; j < a->step[i].n_access; j++) {
			uint32_t cell = plan_root(a, a->step[i].access[j].cell, &at);
			ck_assert_msg(phase[cell] == 0xff || phase[cell] == a->step[i].phase || a->cell[cell].persistent,
					"step %u: cell %u is of another phase", i, cell);
			phase[cell] = a->step[i].phase;
		}
	free(phase);
	ck_assert_uint_eq(hlx_program_plan(a).passes, batch[_i] / micro[_i]);
	ck_assert_uint_eq(hlx_program_plan(a).arenas, arenas[_i]);
	hlx_program_destroy(a);
	hlx_program_destroy(b);
	hlx_program_destroy(c);
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
}
END_TEST

/*
 * Layers made again: the same invariants, fewer activations, and no dispatch more than what the backward pass reads; a
 * forward pass alone is what it was.
 */
START_TEST(recompute_plans)
{
	static const struct { const char *model; uint64_t batch, micro; } what[] = { { "tiny", 8, 0 }, { "small", 4, 0 },
		{ "medium", 4, 0 }, { "tiny", 8, 2 } };
	struct hlx_ini *ini;
	struct hlx_graph *g = model(what[_i].model, &ini, what[_i].batch, what[_i].micro);
	struct hlx_program *all = plan(g, ini, true), *a = plan_as(g, ini, true, HLX_RECOMPUTE_LAYER),
		*b = plan_as(g, ini, true, HLX_RECOMPUTE_LAYER), *c = plan_as(g, ini, false, HLX_RECOMPUTE_LAYER);
	struct hlx_plan_info i = hlx_program_plan(a), whole = hlx_program_plan(all), forward = hlx_program_plan(c);

	plan_check(a);
	plan_check(c);
	plan_same(a, b);
	ck_assert_uint_eq(whole.again, 0);
	ck_assert_uint_eq(forward.again, 0);
	ck_assert_uint_eq(i.dispatches, whole.dispatches + i.again);
	ck_assert_uint_gt(i.again, 0);
	ck_assert_uint_lt(i.again, forward.dispatches - 2);
	ck_assert_msg(i.activations * 2 < whole.activations, "%llu bytes of activations, without %llu",
			(unsigned long long)i.activations, (unsigned long long)whole.activations);
	ck_assert_uint_lt(i.total, whole.total);
	hlx_program_destroy(all);
	hlx_program_destroy(a);
	hlx_program_destroy(b);
	hlx_program_destroy(c);
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
}
END_TEST

/* A device that allocates little at once: arenas of many chunks, no cell across two. */
START_TEST(chunks)
{
	struct hlx_ini *ini;
	struct hlx_graph *g = model("tiny", &ini, 8, 0);
	uint64_t before = dev->max_allocation;
	struct hlx_program *p;
	uint32_t chunks = 0;

	dev->max_allocation = 48u << 20;
	p = plan(g, ini, true);
	plan_check(p);
	for (uint32_t i = 0; i < p->n_cells; i++)
		chunks = p->cell[i].chunk > chunks && plan_places(&p->cell[i]) ? p->cell[i].chunk : chunks;
	ck_assert_uint_ge(chunks, 1);
	hlx_program_destroy(p);
	dev->max_allocation = 1u << 20;
	ck_refused(hlx_program_create(dev, g, NULL, &(struct hlx_program_options){ .backward = true }, &p), HLX_ENOMEM,
			"one tensor of", "at most 0 MiB");
	dev->max_allocation = before;
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
}
END_TEST

int main(void)
{
	int status;
	const struct toys_test tests[] = { { load, 0 }, { models_plans, 3 }, { passes_plans, 4 }, { recompute_plans, 4 }, { chunks, 0 } };

	dev = toys_device();
	status = TOYS_RUN("plan", tests, 120, false); /* a device does not live through a fork */
	hlx_registry_destroy(shipped);
	hlx_device_close(dev);
	return status;
}
