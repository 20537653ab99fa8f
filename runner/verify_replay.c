/* verify_replay.c - hlxt verify DIR: the steps of a run once more, on this machine's device. */
#include "runner/checkpoint_files.h"
#include "runner/history.h"
#include "runner/paths.h"
#include "runner/train.h"
#include "runner/verify.h"

#include <stdlib.h>
#include <string.h>

struct replay {
	struct past past;
	struct history history;
	struct conf *conf;       /* by history; zeroed where not read */
	const struct cli_args *args;
	struct train *t;
	uint64_t from, to;       /* from: the checkpoint it begins with */
	uint64_t bad;            /* the first checkpoint whose files are not what the run had, or UINT64_MAX */
	struct past_differs what;
};

/* The configuration i, of the steps to come. */
static int open_conf(struct replay *r, size_t i)
{
	CLI_TRY(history_check(&r->history, i, r->from, r->to));
	CLI_TRY(history_open(&r->history, i, r->args, &r->conf[i]));
	CLI_TRY(conf_read(&r->conf[i], r->t->session->registry, r->args));
	r->t->conf = &r->conf[i];
	return 0;
}

static int open_history(struct replay *r)
{
	CLI_TRY(history_read(r->past.path, &r->history));
	r->conf = calloc(r->history.count, sizeof(*r->conf));
	if (!r->conf)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	CLI_TRY(session_plugins(r->t->session));
	CLI_TRY(open_conf(r, history_of(&r->history, r->from + 1)));
	return session_graphs(r->t->session, r->t->conf, SESSION_TRAIN);
}

/* Before step s: the one that it was made with, where that is another than of the step before. */
static int follow(struct replay *r, uint64_t s)
{
	size_t i = history_of(&r->history, s);
	struct train *t = r->t;

	if (t->conf == &r->conf[i])
		return 0;
	CLI_TRY(open_conf(r, i));
	CLI_TRY(conf_resolve(t->conf, t->data->windows));
	CLI_TRY(session_retrain(t->session, t->conf));
	return progress_say(&t->progress, "settings %s, from step %llu on", t->conf->path, (unsigned long long)s);
}

/* The newest checkpoint up to --from, or the first. */
static int choose_start(struct replay *r)
{
	const struct past *p = &r->past;
	uint64_t from = r->from;
	size_t i = 0;

	while (i + 1 < p->n_checkpoints && p->checkpoint[i + 1] <= from)
		i++;
	r->from = p->checkpoint[i];
	if (r->from > r->to)
		return hlx_fail(CLI_USAGE, "--to %llu: the replay begins with checkpoint step-%llu", (unsigned long long)r->to,
				(unsigned long long)r->from);
	return checkpoint_at(p->path, r->from, &r->t->at);
}

static int check_input(struct replay *r)
{
	struct train *t = r->t;
	char **names;
	uint32_t n = checkpoint_arrays(t->session);
	int status = checkpoint_names(t->session, &names);
	bool same = n == r->past.tensors.count;

	for (uint32_t i = 0; status >= 0 && same && i < n; i++)
		same = !strcmp(names[i], r->past.tensors.name[i]);
	checkpoint_free_names(names, n);
	CLI_TRY(status);
	if (!same)
		return hlx_fail(HLX_EIO, "%s: is of another model than run.ini", r->past.tensors.file.path);
	CLI_TRY(checkpoint_tokenizer(&t->at, t->conf));
	CLI_TRY(train_data(t->conf, t->data));
	return train_same_data(t);
}

/* ---- differences ---- */

/* Array i on the device and in the checkpoint of step. */
static int describe(const struct replay *r, uint64_t step, size_t i, char *out, size_t room)
{
	const struct session *s = r->t->session;
	uint32_t arrays = 1 + s->n_state;
	float *here = malloc(session_room(s));
	uint32_t *there = NULL;
	uint64_t n = 0;
	int status = here ? past_array(&r->past, step, r->past.tensors.name[i], &there, &n) :
		hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0)
		status = hlx_weights_read(s->weights, (uint32_t)i / arrays, (uint32_t)i % arrays, here);
	if (status >= 0 && n == hlx_graph_param(session_graph(s), (uint32_t)i / arrays).numel)
		past_describe((const uint32_t *)(const void *)here, "replayed", there, "in the checkpoint", n, out, room);
	else if (status >= 0)
		snprintf(out, room, "the checkpoint has %llu elements", (unsigned long long)n);
	free(here);
	free(there);
	return status;
}

static int bad_checkpoint(const struct replay *r, bool replayed)
{
	char elements[160] = "", more[64];

	if (replayed)
		CLI_TRY(describe(r, r->bad, r->what.first, elements, sizeof elements));
	return hlx_fail(VERIFY_DIFFERS, "%s: step %llu: %s in its checkpoint is not what the run had%s%s%s", r->past.path,
			(unsigned long long)r->bad, r->past.tensors.name[r->what.first], replayed ? ": " : "",
			elements, verify_more(&r->what, more));
}

static int differs(const struct replay *r, uint64_t step, const uint64_t *want)
{
	const struct past_differs d = past_compare(r->t->sums, want, r->past.tensors.count);
	uint32_t loss = r->past.line[step].loss_bits;
	char said[96] = "", elements[160] = "", more[64];

	if (r->t->at.loss_bits != loss)
		snprintf(said, sizeof said, "the loss is %08x, the run's was %08x%s", r->t->at.loss_bits, loss, d.count ? "; " : "");
	if (!d.count)
		return hlx_fail(VERIFY_DIFFERS, "%s: step %llu differs: %s", r->past.path, (unsigned long long)step, said);
	if (past_has_checkpoint(&r->past, step))
		CLI_TRY(describe(r, step, d.first, elements, sizeof elements));
	return hlx_fail(VERIFY_DIFFERS, "%s: step %llu differs: %s%s%s%s%s", r->past.path, (unsigned long long)step, said,
			r->past.tensors.name[d.first], *elements ? ": " : "", elements, verify_more(&d, more));
}

static int compare_step(const struct replay *r, uint64_t step)
{
	const struct chain_line *line = &r->past.line[step];
	uint64_t *want;
	int status;

	if (r->t->at.hash == line->state && r->t->at.loss_bits == line->loss_bits)
		return 0;
	want = calloc(r->past.tensors.count + 1, sizeof(*want));
	status = want ? past_sums(&r->past, step, want) : hlx_fail(HLX_ENOMEM, "out of memory");
	if (status >= 0)
		status = differs(r, step, want);
	free(want);
	return status;
}

/* ---- the replay ---- */

/* A checkpoint 0 that is not what the run began with can be made again, from the seed. */
static int load(struct replay *r)
{
	struct train *t = r->t;

	if (r->bad != r->from)
		return checkpoint_load(r->past.path, t->session, &t->at);
	if (r->bad)
		return bad_checkpoint(r, false);
	CLI_TRY(hlx_weights_init(t->session->weights, (uint64_t)t->conf->seed));
	CLI_TRY(train_hash(t));
	return bad_checkpoint(r, t->at.hash == r->past.line[0].state);
}

/* Is the state wanted as it is after step s, or does the next one take another program? */
static bool holds(const struct replay *r, uint64_t s)
{
	return s == r->to || s == r->bad || past_has_checkpoint(&r->past, s) ||
		history_of(&r->history, s + 1) != history_of(&r->history, s);
}

static int replay(struct replay *r)
{
	struct train *t = r->t;

	for (uint64_t s = r->from + 1; s <= r->to; s++) {
		CLI_TRY(follow(r, s));
		if (t->started < s)
			CLI_TRY(train_start(t, s));
		if (!holds(r, s))
			CLI_TRY(train_start(t, s + 1));
		CLI_TRY(train_wait(t));
		CLI_TRY(compare_step(r, s));
		if (s == r->bad)
			return bad_checkpoint(r, true);
		t->last.hash = r->past.line[s].hash;
		CLI_TRY(progress_step(&t->progress, &t->last));
	}
	return progress_say(&t->progress, "equal    steps %llu to %llu, chain %016llx", (unsigned long long)r->from,
			(unsigned long long)r->to, (unsigned long long)r->past.line[r->to].hash);
}

static int verify_all(struct replay *r, const struct cli_args *args)
{
	struct train *t = r->t;

	CLI_TRY(past_open(args->operand, &r->past));
	CLI_TRY(verify_range(args, r->past.steps, &r->from, &r->to));
	CLI_TRY(choose_start(r));
	CLI_TRY(open_history(r));
	CLI_TRY(check_input(r));
	CLI_TRY(past_check(&r->past, r->from, r->to));
	CLI_TRY(verify_checkpoints(&r->past, r->from, r->to, &r->bad, &r->what));
	CLI_TRY(session_device(t->session, args->device));
	CLI_TRY(session_programs(t->session, t->conf));
	CLI_TRY(load(r));
	progress_begin(&t->progress, args->quiet, r->from, r->to, (uint64_t)t->conf->log_every);
	CLI_TRY(progress_say(&t->progress, "run      %s: steps %llu to %llu of %llu", r->past.path,
			(unsigned long long)r->from + 1, (unsigned long long)r->to, (unsigned long long)r->past.steps - 1));
	CLI_TRY(progress_say(&t->progress, "device   %s (%s)", hlx_device_describe(t->session->device)->name,
			hlx_device_describe(t->session->device)->type));
	return replay(r);
}

int verify_replay(const struct cli_args *args)
{
	struct session session = { 0 };
	struct data data = { 0 };
	struct train t = { .session = &session, .data = &data, TRAIN_NONE };
	struct replay r = { .t = &t, .args = args, .past.tensors.file.fd = -1, .bad = UINT64_MAX };
	int status = verify_all(&r, args);

	if (status < 0)
		progress_end(&t.progress);
	train_close(&t);
	session_close(&session);
	data_close(&data);
	for (size_t i = 0; r.conf && i < r.history.count; i++)
		conf_close(&r.conf[i]);
	free(r.conf);
	history_free(&r.history);
	past_close(&r.past);
	return status;
}
