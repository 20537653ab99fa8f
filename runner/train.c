#include "runner/train.h"

#include "hlx/math.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- signals ---- */

static volatile sig_atomic_t stopping, hung_up;

static void on_stop(int number)
{
	if (stopping && number != SIGHUP) /* a terminal that closes may say so twice, by itself and by its shell */
		_exit(EXIT_STOPPED); /* in a hurry: the last checkpoint is whole, whatever we were doing */
	stopping = 1;
	hung_up |= number == SIGHUP;
}

void train_catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_stop, .sa_flags = SA_RESTART }, old;

	sigemptyset(&a.sa_mask);
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN) /* nohup wants to stay */
		sigaction(SIGHUP, &a, NULL);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of the write: the state is saved */
}

bool train_stopping(void)
{
	return stopping;
}

/* ---- before the loop ---- */

int train_data(struct conf *c, struct data *d)
{
	CLI_TRY(conf_find_corpus(c));
	CLI_TRY(data_open(c->corpus, c->n_corpus, (uint64_t)c->vocab_size, d));
	CLI_TRY(data_split(d, c->split, (uint64_t)c->seq_len, (uint64_t)c->seed));
	return conf_resolve(c, d->windows);
}

int train_say(struct train *t)
{
	const struct conf *c = t->conf;
	const struct data *d = t->data;
	const struct hlx_device_info *dev = hlx_device_describe(t->session->device);

	CLI_TRY(progress_say(&t->progress, "model    %s: %llu parameters", c->path,
			(unsigned long long)session_parameters(t->session)));
	CLI_TRY(progress_say(&t->progress, "device   %s (%s)", dev->name, dev->type));
	CLI_TRY(progress_say(&t->progress, "corpus   %llu bytes, %llu sequences of %lld to train on, %s%llu for validation",
			(unsigned long long)d->size, (unsigned long long)d->windows, (long long)c->seq_len,
			d->valid_windows ? "" : "too few: ", (unsigned long long)d->valid_windows));
	return progress_say(&t->progress, "run      steps %llu to %lld of %lld x %lld tokens, seed %lld, into %s",
			(unsigned long long)t->at.step + 1, (long long)c->steps, (long long)c->batch_size,
			(long long)c->seq_len, (long long)c->seed, t->folder->path);
}

void train_close(struct train *t)
{
	free(t->tokens);
	free(t->targets);
	journal_close(&t->metrics);
	journal_close(&t->samples);
	journal_close(&t->chain.file);
	tensors_close(&t->tensors);
	free(t->sums);
}

/* ---- one step ---- */

static int load_batch(struct train *t, struct hlx_program *p, uint64_t (*start)(const struct train *, uint64_t), uint64_t first)
{
	uint64_t batch = (uint64_t)t->conf->batch_size, n = (uint64_t)t->conf->seq_len;

	for (uint64_t b = 0; b < batch; b++)
		CLI_TRY(data_sequence(t->data, start(t, first + b), t->tokens + b * n, t->targets + b * n));
	CLI_TRY(hlx_program_write(p, "tokens", HLX_VALUE, 0, batch * n, t->tokens));
	return hlx_program_write(p, "targets", HLX_VALUE, 0, batch * n, t->targets);
}

static struct hlx_step step_of(const struct train *t, uint64_t step, bool train)
{
	uint64_t seed = (uint64_t)t->conf->seed, batch = (uint64_t)t->conf->batch_size;
	const struct hlx_schedule schedule = conf_schedule(t->conf);

	return (struct hlx_step){
		.size = sizeof(struct hlx_step), .train = train, .step = step,
		.seed = { (uint32_t)seed, (uint32_t)(seed >> 32) }, .seq0 = (uint32_t)((step - 1) * batch),
		.n_seq = (uint32_t)batch, .lr = hlx_schedule_lr(&schedule, step),
	};
}

static uint64_t train_start(const struct train *t, uint64_t g)
{
	return data_start(t->data, g);
}

static int make_room(struct train *t)
{
	size_t n = (size_t)(t->conf->batch_size * t->conf->seq_len);

	if (!t->tokens)
		t->tokens = malloc(n * sizeof(*t->tokens));
	if (!t->targets)
		t->targets = malloc(n * sizeof(*t->targets));
	if (!t->sums)
		t->sums = calloc(checkpoint_arrays(t->session) + 1, sizeof(*t->sums));
	return t->tokens && t->targets && t->sums ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
}

int train_hash(struct train *t)
{
	CLI_TRY(make_room(t));
	CLI_TRY(checkpoint_hash(t->session, t->sums));
	checkpoint_sum(t->session, t->sums, &t->at);
	return 0;
}

static int check_finite(struct hlx_program *p, const struct hlx_result *r, uint64_t number)
{
	int status;

	if (hlx_is_finite(r->loss_sum) && hlx_is_finite(r->grad_norm))
		return 0;
	status = hlx_program_find_bad(p);
	if (status >= 0)
		status = hlx_fail(HLX_ENUMERIC, "the loss is not finite");
	return hlx_prefix(status, "step %llu: ", (unsigned long long)number);
}

int train_step(struct train *t, uint64_t number, struct metrics *m)
{
	const struct hlx_step step = step_of(t, number, true);
	struct hlx_program *p = t->session->train;
	double begin = progress_now();
	struct hlx_result r;

	CLI_TRY(make_room(t));
	CLI_TRY(load_batch(t, p, train_start, (number - 1) * (uint64_t)t->conf->batch_size));
	CLI_TRY(hlx_program_run(p, &step));
	CLI_TRY(hlx_program_result(p, &r));
	*m = (struct metrics){ .step = number, .loss = r.count > 0 ? r.loss_sum / r.count : 0, .lr = step.lr, .grad_norm = r.grad_norm };
	CLI_TRY(check_finite(p, &r, number));
	CLI_TRY(hlx_program_hash(p, t->sums));
	m->ms = 1e3 * (progress_now() - begin);
	m->tokens_per_s = (double)(t->conf->batch_size * t->conf->seq_len) / (m->ms * 1e-3);
	t->at.step = number;
	t->at.loss_bits = hlx_bits(m->loss);
	checkpoint_sum(t->session, t->sums, &t->at);
	return 0;
}

/* ---- validation ---- */

static uint64_t valid_count(const struct train *t)
{
	uint64_t most = (uint64_t)(t->conf->eval_batches * t->conf->batch_size), n = t->data->valid_windows;
	uint64_t batch = (uint64_t)t->conf->batch_size;

	return most <= n ? most : n < batch ? batch : n / batch * batch;
}

static uint64_t valid_start(const struct train *t, uint64_t i)
{
	return data_valid_start(t->data, i, valid_count(t));
}

int train_evaluate(struct train *t, float *loss)
{
	uint64_t batch = (uint64_t)t->conf->batch_size, n = valid_count(t);
	const struct hlx_step step = step_of(t, t->at.step, false);
	struct hlx_result r;
	double sum = 0, count = 0;

	for (uint64_t i = 0; i < n; i += batch) {
		CLI_TRY(load_batch(t, t->session->eval, valid_start, i));
		CLI_TRY(hlx_program_run(t->session->eval, &step));
		CLI_TRY(hlx_program_result(t->session->eval, &r));
		sum += (double)r.loss_sum;
		count += (double)r.count;
	}
	*loss = count > 0 ? (float)(sum / count) : 0;
	return 0;
}

/* ---- the loop ---- */

static bool due(uint64_t step, int64_t every, uint64_t last)
{
	return step == last || (every && step % (uint64_t)every == 0);
}

/* The step's record and line; again, nothing. */
static int write_hash(struct train *t)
{
	CLI_TRY(tensors_append(&t->tensors, t->at.step, t->sums));
	CLI_TRY(chain_append(&t->chain, t->at.step, t->at.loss_bits, t->at.hash));
	t->at.chain = t->chain.hash;
	return 0;
}

int train_save(struct train *t)
{
	CLI_TRY(write_hash(t));
	if (t->session->sample)
		CLI_TRY(journal_sync(&t->samples));
	CLI_TRY(journal_sync(&t->metrics));
	CLI_TRY(journal_sync(&t->tensors.file));
	CLI_TRY(journal_sync(&t->chain.file));
	t->at.samples = t->samples.size;
	CLI_TRY(checkpoint_save(t->folder, t->session, &t->at));
	t->saved = t->at.step;
	checkpoint_prune(t->folder, t->conf->keep);
	return 0;
}

static int advised_step(struct train *t, uint64_t number, struct metrics *m)
{
	int status = train_step(t, number, m);

	if (status != HLX_ENUMERIC)
		return status;
	return hlx_fail(status, "%s; the newest checkpoint is step-%llu; a smaller train.lr or train.grad_clip may help",
			hlx_message(), (unsigned long long)t->saved);
}

/* All of step number: what a straight run and a resumed one do in the same order. */
static int whole_step(struct train *t, uint64_t number)
{
	const struct conf *c = t->conf;
	uint64_t last = (uint64_t)c->steps;
	struct metrics m;

	CLI_TRY(advised_step(t, number, &m));
	CLI_TRY(write_hash(t));
	m.hash = t->chain.hash;
	m.has_valid = t->session->eval && due(number, c->eval_every, last);
	if (m.has_valid)
		CLI_TRY(train_evaluate(t, &m.valid_loss));
	CLI_TRY(metrics_append(&t->metrics, &m));
	t->progress.quiet |= hung_up; /* the terminal is gone: writing to it would be an error */
	CLI_TRY(progress_step(&t->progress, &m));
	if (t->session->sample && due(number, c->sample_every, last) && c->sample_tokens)
		CLI_TRY(train_sample(t));
	return due(number, c->checkpoint_every.count, last) ? train_save(t) : 0;
}

static int stopped(const struct train *t)
{
	return hlx_fail(CLI_STOPPED, "stopped after step %llu, the state is saved: hlxt resume %s goes on",
			(unsigned long long)t->at.step, t->folder->path);
}

/* After an error that leaves the device's state whole: keep what was trained. */
static int rescue(struct train *t, int status)
{
	char why[512];

	if ((status != HLX_EIO && status != HLX_EOUTPUT) || t->saved == t->at.step)
		return status;
	snprintf(why, sizeof why, "%s", hlx_message());
	if (train_save(t) < 0) /* a full disk, most likely: the error stands */
		return hlx_fail(status, "%s; the last checkpoint is step-%llu", why, (unsigned long long)t->saved);
	if (hung_up && status == HLX_EOUTPUT) /* the terminal went before the signal came */
		return stopped(t);
	return hlx_fail(status, "%s; the state is saved in step-%llu", why, (unsigned long long)t->saved);
}

static int finish(struct train *t)
{
	char time[32];

	progress_time(progress_now() - t->progress.begin, time);
	return progress_say(&t->progress, "done: %lld steps in %s; state %016llx, chain %016llx; in %s", (long long)t->conf->steps,
			time, (unsigned long long)t->at.hash, (unsigned long long)t->chain.hash, t->folder->path);
}

int train_loop(struct train *t)
{
	int status = 0;

	while (t->at.step < (uint64_t)t->conf->steps && !stopping && status >= 0)
		status = whole_step(t, t->at.step + 1);
	if (status < 0 && status != CLI_STOPPED) {
		progress_end(&t->progress);
		return rescue(t, status);
	}
	if (t->saved != t->at.step)
		CLI_TRY(train_save(t));
	if (t->at.step < (uint64_t)t->conf->steps) {
		progress_end(&t->progress);
		return stopped(t);
	}
	return finish(t);
}
