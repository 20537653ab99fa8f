/*
 * check_lanes.c - several runs under way at once: the bits of runs made one after the other, and to each its own inputs, step
 * and results; the order of waiting; what waits for all of them; a run that fails between others.
 */
#include "tests/toys.h"

#include "core/program/program.h"
#include "tests/train_model.h"

#define STEPS 7u
#define ARRAYS 256u /* more than parameters and states of any model here */

/* What a step leaves to be read. */
struct left {
	struct hlx_result result;
	uint64_t hash[ARRAYS];
};

static void open_model(struct model *m, const char *text, struct model_how how)
{
	ck_ok(model_open_as(m, text, NULL, how));
	ck_assert_uint_le(hlx_graph_param_count(m->graph) * (1 + m->n_state), ARRAYS);
}

static void start(struct model *m, uint64_t number)
{
	const struct hlx_step step = model_step(number);

	ck_ok(model_load(m, number));
	ck_ok(hlx_program_start(m->program, &step));
}

static void read_back(struct model *m, struct left *out)
{
	memset(out, 0, sizeof(*out));
	ck_ok(hlx_program_result(m->program, &out->result));
	ck_ok(hlx_program_hash(m->program, out->hash));
}

static void ck_left(const struct left *got, const struct left *want, uint64_t number, const char *what)
{
	ck_assert_msg(!memcmp(&got->result, &want->result, sizeof(got->result)), "%s: step %u: loss %.9g, norm %.9g, want %.9g, %.9g",
			what, (unsigned)number, got->result.loss_sum, got->result.grad_norm, want->result.loss_sum,
			want->result.grad_norm);
	ck_assert_msg(!memcmp(got->hash, want->hash, sizeof(got->hash)), "%s: step %u: another hash", what, (unsigned)number);
}

/* Steps 1 to n, one after the other; the bits of the state after the last are the caller's to free. */
static float *straight(const char *text, struct model_how how, uint64_t n, struct left *left, size_t *count)
{
	struct model m;
	float *bits;

	open_model(&m, text, how);
	for (uint64_t s = 1; s <= n; s++) {
		start(&m, s);
		ck_ok(hlx_program_wait(m.program));
		read_back(&m, &left[s - 1]);
	}
	ck_assert_ptr_nonnull(bits = model_bits(&m, count));
	model_close(&m);
	return bits;
}

static void ck_bits(struct model *m, const float *want, size_t n, const char *what)
{
	size_t count;
	float *got = model_bits(m, &count);

	ck_assert_msg(got && count == n && !memcmp(got, want, n * sizeof(*got)), "%s: another state", what);
	free(got);
}

/* -- the same bits ----------------------------------------------------------------------------------------- */

static void overlap(const char *text, struct model_how how, const char *what, const struct left *want, const float *bits, size_t n)
{
	struct model m;
	struct left got;
	uint64_t sent = 0;

	open_model(&m, text, how);
	for (uint64_t s = 1; s <= STEPS; s++) {
		while (sent < STEPS && sent < s + how.in_flight - 1)
			start(&m, ++sent);
		ck_ok(hlx_program_wait(m.program));
		read_back(&m, &got);
		ck_left(&got, &want[s - 1], s, what);
	}
	ck_bits(&m, bits, n, what);
	model_close(&m);
}

START_TEST(same_bits)
{
	static const struct { const char *name; struct model_how how; } as[] = { { "plain", { 0 } }, { "recomputed", { .recompute = true } },
		{ "in passes", { .slots = 2, .micro = 2 } }, { "in parts of slots", { .slots = 2, .micro = 1 } } };
	struct model_how how = as[_i % 4].how;
	struct left want[STEPS];
	char what[64];
	size_t n;
	float *bits;

	if (_i >= 4)
		setenv("HLX_STAGING", "1", 1);
	bits = straight(tied_head, how, STEPS, want, &n);
	for (how.in_flight = 1; how.in_flight <= 3; how.in_flight++) {
		snprintf(what, sizeof(what), "%s%s, %u in flight", as[_i % 4].name, _i < 4 ? "" : ", staged", how.in_flight);
		overlap(tied_head, how, what, want, bits, n);
	}
	unsetenv("HLX_STAGING");
	free(bits);
}
END_TEST

/* -- what waits, and for what ------------------------------------------------------------------------------ */

START_TEST(nothing_waits)
{
	struct model m;

	open_model(&m, pre_ln, (struct model_how){ .in_flight = 3 });
	for (uint64_t s = 1; s <= 3; s++)
		start(&m, s);
	ck_assert_uint_lt(m.dev->waited, m.program->lane[0].sent); /* not by writing, not by starting */
	ck_assert_uint_lt(m.program->lane[0].sent, m.program->lane[1].sent);
	ck_ok(hlx_program_wait(m.program));
	ck_assert_uint_eq(m.dev->waited, m.program->lane[0].sent); /* for the first alone */
	ck_ok(model_load(&m, 4)); /* its lane has been waited for */
	ck_assert_uint_eq(m.dev->waited, m.program->lane[0].sent);
	model_close(&m); /* while two are under way */
}
END_TEST

START_TEST(oldest_first)
{
	struct left want[STEPS], got;
	struct model m;
	size_t n;
	float *bits = straight(pre_ln, (struct model_how){ 0 }, 4, want, &n);

	open_model(&m, pre_ln, (struct model_how){ .in_flight = 2 });
	ck_ok(hlx_program_wait(m.program)); /* for nothing */
	for (uint64_t s = 1; s <= 3; s++) /* the third start waits for the first run, and takes its lane */
		start(&m, s);
	for (uint64_t s = 2; s <= 3; s++) {
		ck_ok(hlx_program_wait(m.program));
		read_back(&m, &got);
		ck_left(&got, &want[s - 1], s, "three starts");
	}
	ck_ok(hlx_program_wait(m.program));
	read_back(&m, &got);
	ck_left(&got, &want[2], 3, "nothing to wait for"); /* still */
	start(&m, 4);
	read_back(&m, &got);
	ck_left(&got, &want[2], 3, "while the next runs");
	ck_bits(&m, bits, n, "the weights wait for all"); /* before anybody has waited for 4 */
	free(bits);
	ck_ok(hlx_program_wait(m.program));
	read_back(&m, &got);
	ck_left(&got, &want[3], 4, "waited for already");
	model_close(&m);
}
END_TEST

START_TEST(reading_waits)
{
	struct left want, got;
	struct model m;
	size_t n;

	free(straight(pre_ln, (struct model_how){ 0 }, 1, &want, &n));
	open_model(&m, pre_ln, (struct model_how){ .in_flight = 1 });
	start(&m, 1);
	read_back(&m, &got); /* of the run in the one lane there is */
	ck_left(&got, &want, 1, "nobody waited");
	model_close(&m);
}
END_TEST

START_TEST(own_inputs)
{
	static const uint32_t junk[MODEL_TOKENS]; /* all 0 */
	uint32_t tokens[MODEL_TOKENS], used[2][MODEL_TOKENS];
	struct left want[2], got;
	struct model m;
	size_t n;

	free(straight(pre_ln, (struct model_how){ 0 }, 2, want, &n));
	open_model(&m, pre_ln, (struct model_how){ .in_flight = 2 });
	for (int s = 0; s < 2; s++) {
		start(&m, (uint64_t)s + 1);
		memcpy(used[s], m.tokens, sizeof(used[s]));
		if (!s)
			ck_ok(hlx_program_write(m.program, "tokens", HLX_VALUE, 0, MODEL_TOKENS, junk)); /* beside the run */
	}
	for (int s = 0; s < 2; s++) {
		ck_ok(hlx_program_wait(m.program));
		ck_ok(hlx_program_read(m.program, "tokens", HLX_VALUE, 0, MODEL_TOKENS, tokens));
		ck_assert(!memcmp(tokens, used[s], sizeof(tokens)));
		ck_ok(hlx_program_write(m.program, "tokens", HLX_VALUE, 0, MODEL_TOKENS, junk)); /* while the other one runs */
		read_back(&m, &got);
		ck_left(&got, &want[s], (uint64_t)s + 1, "junk beside it");
	}
	model_close(&m);
}
END_TEST

/* A program of the same weights, between two steps and beside two that run: what it sees is what the last start leaves. */
START_TEST(another_program)
{
	const struct hlx_program_options forward = { 0 };
	struct hlx_result want = { 0 }, got = { 0 };

	for (uint32_t lanes = 0; lanes <= 2; lanes += 2) {
		struct hlx_result *out = lanes ? &got : &want;
		struct hlx_program *p;
		struct model m;
		open_model(&m, pre_ln, (struct model_how){ .in_flight = lanes });
		ck_ok(hlx_program_create(m.dev, m.graph, m.weights, &forward, &p));
		for (uint64_t s = 1; s <= 2; s++) {
			start(&m, s);
			if (!lanes)
				ck_ok(hlx_program_wait(m.program));
		}
		ck_ok(hlx_program_write(p, "tokens", HLX_VALUE, 0, MODEL_TOKENS, m.tokens));
		ck_ok(hlx_program_write(p, "targets", HLX_VALUE, 0, MODEL_TOKENS, m.targets));
		ck_ok(hlx_program_run(p, &(struct hlx_step){ .size = sizeof(struct hlx_step), .step = 3, .n_seq = MODEL_BATCH }));
		ck_ok(hlx_program_result(p, out));
		hlx_program_destroy(p);
		model_close(&m);
	}
	ck_assert(want.loss_sum > 0 && !memcmp(&want, &got, sizeof(want)));
}
END_TEST

/* -- what fails -------------------------------------------------------------------------------------------- */

static int refuse(void *ctx, void *const *data, const struct hlx_step *step)
{
	(void)data;
	(void)step;
	return *(const bool *)ctx ? HLX_EINVAL : 0;
}

/* A host call in the middle of all steps. */
static void insert_call(struct hlx_program *p, bool *fails)
{
	const uint32_t at = p->n_steps / 2;

	hlx_program_release(p);
	ck_assert_ptr_nonnull(p->step = realloc(p->step, (p->n_steps + 1) * sizeof(*p->step)));
	memmove(p->step + at + 1, p->step + at, (p->n_steps - at) * sizeof(*p->step));
	p->n_steps++;
	p->step[at] = (struct hlx_prog_step){ .kind = HLX_HOST_CALL, .fn = refuse, .ctx = fails };
	ck_ok(hlx_program_materialize(p));
}

/* A run fails half-way; the one before it can be waited for, and the ones after it are as if that had not been. */
START_TEST(between_others)
{
	struct left want[3], got;
	struct model m;
	bool fails = false;
	size_t n;

	free(straight(pre_ln, (struct model_how){ 0 }, 3, want, &n));
	open_model(&m, pre_ln, (struct model_how){ .in_flight = 2 });
	insert_call(m.program, &fails);
	start(&m, 1);
	ck_ok(model_load(&m, 2));
	fails = true;
	ck_refused(hlx_program_start(m.program, &(struct hlx_step){ .step = 2, .n_seq = MODEL_BATCH }), HLX_EPLUGIN, "host call");
	fails = false;
	ck_ok(hlx_program_wait(m.program));
	read_back(&m, &got);
	ck_left(&got, &want[0], 1, "the run before");
	start(&m, 2);
	start(&m, 3);
	for (uint64_t s = 2; s <= 3; s++) {
		ck_ok(hlx_program_wait(m.program));
		read_back(&m, &got);
		ck_left(&got, &want[s - 1], s, "after one that failed");
	}
	model_close(&m);
}
END_TEST

START_TEST(plans)
{
	struct hlx_program_options o = { .backward = true, .optimizer = "adam", .ini_section = "train", .hash = true };
	struct hlx_plan_info one, some;
	struct hlx_program *p;
	struct model m;

	open_model(&m, pre_ln, (struct model_how){ 0 });
	one = hlx_program_plan(m.program);
	o.ini = m.ini;
	for (o.in_flight = 1; o.in_flight <= HLX_MAX_IN_FLIGHT; o.in_flight += 7) {
		ck_ok(hlx_program_create(m.dev, m.graph, NULL, &o, &p));
		some = hlx_program_plan(p);
		ck_assert_uint_eq(some.parameters, o.in_flight * one.parameters);
		ck_assert_uint_eq(some.total - some.parameters, one.total - one.parameters);
		ck_refused(hlx_program_start(p, &(struct hlx_step){ .step = 1 }), HLX_EINVAL, "plan only");
		ck_ok(hlx_program_wait(p));
		hlx_program_destroy(p);
	}
	o.in_flight = HLX_MAX_IN_FLIGHT + 1;
	ck_refused(hlx_program_create(m.dev, m.graph, NULL, &o, &p), HLX_EINVAL, "9 runs under way at once, at most 8");
	model_close(&m);
}
END_TEST

START_TEST(device)
{
	hlx_device_close(toys_device());
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { device, 0 }, { same_bits, 8 }, { nothing_waits, 0 }, { oldest_first, 0 }, { reading_waits, 0 },
		{ own_inputs, 0 }, { another_program, 0 }, { between_others, 0 }, { plans, 0 } };

	return TOYS_RUN("lanes", tests, 600, false); /* a device does not live through a fork */
}
