/* bench_model.c - hlxt bench INI: its training step as hlxt run would make it, and where its time goes. */
#include "runner/bench.h"
#include "runner/train.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/bench/profile.h"

#define MAX_STEPS 101

static const char *const phases[] = { [HLX_PART_FORWARD] = "forward", [HLX_PART_BACKWARD] = "backward",
	[HLX_PART_OPTIMIZER] = "optimizer", [HLX_PART_HASH] = "hash" };

static double thread_cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* ---- the plain step ---- */

static bool is_warm(const struct bench *b, uint64_t steps, double seconds)
{
	return steps >= 2 && (seconds >= HLX_WARM_UP || hlx_device_describe(b->session.device)->caps.cpu);
}

/* At least 5 steps after the warm-up, and more for 2 seconds (quick: 3, for 0.2). */
static int time_steps(struct bench *b, struct train *t)
{
	unsigned least = b->args->quick ? 3 : 5, n = 0;
	double wall[MAX_STEPS], cpu[MAX_STEPS], first = hlx_timer_now(), begin = 0, step;

	CLI_TRY(train_start(t, 1));
	for (uint64_t s = 1; n < MAX_STEPS && (n < least || hlx_timer_now() - begin < (b->args->quick ? 0.2 : 2)); s++) {
		double at = hlx_timer_now(), used = thread_cpu();
		CLI_TRY(train_start(t, s + 1)); /* as train_loop() does it */
		CLI_TRY(train_wait(t));
		if (begin == 0) {
			begin = is_warm(b, s, hlx_timer_now() - first) ? hlx_timer_now() : 0;
			continue;
		}
		cpu[n] = thread_cpu() - used;
		wall[n++] = hlx_timer_now() - at;
	}
	CLI_TRY(train_wait(t));
	step = hlx_timer_median(wall, n);
	json_object_set_new(b->out, "steps", json_integer(n));
	json_object_set_new(b->out, "step_seconds", json_real(step));
	json_object_set_new(b->out, "cpu_seconds", json_real(hlx_timer_median(cpu, n)));
	json_object_set_new(b->out, "tokens_per_s", json_real((double)(t->conf->batch_size * t->conf->seq_len) / step));
	return 0;
}

/* ---- the profile ---- */

struct group { /* all spans of one implementation in one phase */
	const struct hlx_op *op;
	const struct hlx_impl *impl;
	enum hlx_part part;
	uint32_t nodes, dispatches;
	double seconds;
	struct hlx_work work;
};

static int longest_first(const void *a, const void *b)
{
	double x = ((const struct group *)a)->seconds, y = ((const struct group *)b)->seconds;

	return x < y ? 1 : x > y ? -1 : 0;
}

static size_t gather(const struct hlx_program *p, const struct hlx_profile *f, struct group *group)
{
	size_t n = 0, k;

	for (uint32_t i = 0; i < f->n; i++) {
		const struct hlx_span *s = &f->span[i];
		const struct hlx_impl *impl;
		const struct hlx_op *op = hlx_profile_op(p, s, &impl);
		for (k = 0; k < n && (group[k].impl != impl || group[k].part != s->part); k++)
			;
		if (k == n)
			group[n++] = (struct group){ .op = op, .impl = impl, .part = s->part };
		group[k].nodes++;
		group[k].dispatches += s->dispatches;
		group[k].seconds += s->seconds;
		group[k].work.ops += s->work.ops;
		group[k].work.bytes += s->work.bytes;
	}
	qsort(group, n, sizeof(*group), longest_first);
	return n;
}

static int put_groups(struct bench *b, const struct hlx_profile *f, struct group *group)
{
	json_t *ops = json_array(), *phase = json_object();
	double sum[HLX_PART_COUNT] = { 0 };
	struct hlx_work work = { 0, 0 };
	size_t n = gather(b->session.train, f, group);

	json_object_set_new(b->out, "phases", phase);
	json_object_set_new(b->out, "ops", ops);
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_pack("{s:s, s:s, s:s, s:i, s:i}", "op", group[i].op->name, "impl", group[i].impl->name, "phase",
				phases[group[i].part], "nodes", (int)group[i].nodes, "dispatches", (int)group[i].dispatches);
		if (!row || json_array_append_new(ops, row))
			return hlx_fail(HLX_ENOMEM, "out of memory");
		bench_rate(b, row, group[i].seconds, group[i].work, group[i].impl);
		sum[group[i].part] += group[i].seconds;
		work.ops += group[i].work.ops;
		work.bytes += group[i].work.bytes;
	}
	json_object_set_new(b->out, "step_ops", json_real(work.ops));
	json_object_set_new(b->out, "step_bytes", json_real(work.bytes));
	for (int k = 0; k < HLX_PART_COUNT; k++)
		json_object_set_new(phase, phases[k], json_real(sum[k]));
	return 0;
}

static int put_passes(struct bench *b, const struct hlx_profile *f)
{
	const struct hlx_program *p = b->session.train;
	json_t *passes = json_array();

	json_object_set_new(b->out, "passes", passes);
	for (uint32_t i = 0; i < f->n; i++) {
		const struct hlx_impl *impl;
		const struct hlx_op *op = hlx_profile_op(p, &f->span[i], &impl);
		json_t *row = json_pack("{s:s, s:s, s:s, s:s}", "node", p->node[f->span[i].node].path, "op", op->name, "impl", impl->name,
				"phase", phases[f->span[i].part]);
		if (!row || json_array_append_new(passes, row))
			return hlx_fail(HLX_ENOMEM, "out of memory");
		bench_rate(b, row, f->span[i].seconds, f->span[i].work, impl);
	}
	return 0;
}

static int profile(struct bench *b)
{
	struct hlx_profile f;
	struct group *group = NULL;
	int status = hlx_profile_run(&b->timer, b->session.train, b->args->quick ? 3 : 11, &f);

	if (status >= 0 && !(group = calloc(f.n + 1, sizeof(*group))))
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	if (status >= 0) {
		json_object_set_new(b->out, "profile_seconds", json_real(f.seconds));
		status = put_groups(b, &f, group);
	}
	if (status >= 0)
		status = put_passes(b, &f);
	free(group);
	hlx_profile_finish(&f);
	return status;
}

/* ---- the same by epochs ---- */

static json_t *step_text(const struct hlx_program *p, const struct hlx_prog_step *s)
{
	const struct hlx_prog_node *n = &p->node[s->node];
	const char *path = n->path, *pass = s->node >= p->graph->n_nodes ? n->op->name : s->backward ? "backward" : "forward";

	if (s->kind != HLX_DISPATCH)
		return json_sprintf("%s %s %s", path, pass, s->kind == HLX_COPY ? "copy" : "fill");
	return json_sprintf("%s %s %s (%u, %u, %u)", path, pass, s->pipeline->shader->name, s->groups[0], s->groups[1],
			s->groups[2]);
}

static int put_epochs(struct bench *b, const struct hlx_profile *f)
{
	const struct hlx_program *p = b->session.train;
	json_t *epochs = json_array();

	json_object_set_new(b->out, "epochs", epochs);
	for (uint32_t i = 0; i < f->n; i++) {
		json_t *steps = json_array(), *row = json_pack("{s:f, s:i, s:o}", "seconds", f->span[i].seconds, "times",
				(int)f->span[i].times, "steps", steps);
		if (!row || json_array_append_new(epochs, row))
			return hlx_fail(HLX_ENOMEM, "out of memory");
		for (uint32_t k = 0; k < f->span[i].n; k++)
			if (json_array_append_new(steps, step_text(p, &p->step[f->span[i].first + k])))
				return hlx_fail(HLX_ENOMEM, "out of memory");
	}
	return 0;
}

static int profile_epochs(struct bench *b)
{
	struct hlx_profile f;
	int status = hlx_profile_epochs(&b->timer, b->session.train, b->args->quick ? 3 : 11, &f);

	if (status >= 0)
		status = put_epochs(b, &f);
	hlx_profile_finish(&f);
	return status;
}

/* ---- all of it ---- */

static void put_plan(struct bench *b, const struct conf *c)
{
	const struct hlx_plan_info i = hlx_program_plan(b->session.train);
	json_t *memory = json_object();

	json_object_set_new(b->out, "model", json_string(c->path));
	json_object_set_new(b->out, "mode", json_string(c->mode == HLX_DEVICE ? "device" : "portable"));
	json_object_set_new(b->out, "batch_size", json_integer(c->batch_size));
	json_object_set_new(b->out, "seq_len", json_integer(c->seq_len));
	json_object_set_new(b->out, "dispatches", json_integer(i.dispatches));
	json_object_set_new(b->out, "barriers", json_integer(i.barriers));
	json_object_set_new(b->out, "memory", memory);
	json_object_set_new(memory, "weights", json_integer((json_int_t)i.weights));
	json_object_set_new(memory, "optimizer", json_integer((json_int_t)i.states));
	json_object_set_new(memory, "gradients", json_integer((json_int_t)i.gradients));
	json_object_set_new(memory, "activations", json_integer((json_int_t)i.activations));
	json_object_set_new(memory, "parameters", json_integer((json_int_t)i.parameters));
	json_object_set_new(memory, "total", json_integer((json_int_t)i.total));
}

static int run(struct bench *b, struct conf *c, struct data *d, struct train *t)
{
	CLI_TRY(conf_open_operand(b->args, c));
	CLI_TRY(conf_read(c, b->session.registry, b->args));
	CLI_TRY(session_graphs(&b->session, c, SESSION_TRAIN));
	CLI_TRY(train_data(c, d));
	CLI_TRY(bench_device(b));
	CLI_TRY(session_programs(&b->session, c));
	CLI_TRY(hlx_weights_init(b->session.weights, (uint64_t)c->seed));
	put_plan(b, c);
	CLI_TRY(time_steps(b, t));
	CLI_TRY(profile(b));
	if (b->args->list)
		CLI_TRY(profile_epochs(b));
	if (!b->args->json)
		bench_print_model(b);
	return 0;
}

int bench_model(struct bench *b)
{
	struct conf conf = { 0 };
	struct data data = { 0 };
	struct train t = { .conf = &conf, .session = &b->session, .data = &data, TRAIN_NONE };
	int status = b->args->n_words ? hlx_fail(CLI_USAGE, "bench: %.60s is one word too many; cases are for an op",
			b->args->words[0]) : run(b, &conf, &data, &t);

	train_close(&t);
	data_close(&data);
	conf_close(&conf);
	return status;
}
