#include "runner/history.h"
#include "runner/text.h"
#include "runner/train.h"

#include "hlx/math.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUICK_MS 500 /* of a step: the device's 0.1 ms of waiting for the next one is nothing to longer ones */

/* ---- before the loop ---- */

int train_data(struct conf *c, struct data *d)
{
	struct conf_files *const both[] = { &c->corpus, &c->validation };
	char **paths;
	int status = 0;

	CLI_TRY(conf_open_tokenizer(c));
	CLI_TRY(conf_find_corpus(c));
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < both[k]->n; i++)
			CLI_TRY(text_tokens(c->tokenizer, (enum token_format)c->format, c->quiet, &both[k]->path[i]));
	if (!(paths = calloc(c->corpus.n + c->validation.n, sizeof *paths)))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	memcpy(paths, c->corpus.path, c->corpus.n * sizeof *paths);
	if (c->validation.n)
		memcpy(paths + c->corpus.n, c->validation.path, c->validation.n * sizeof *paths);
	/* A text has become a file of tokens by now, unless a token is a byte. */
	status = data_open(paths, c->corpus.n, c->corpus.n + c->validation.n, c->tokenizer_path && c->format == FORMAT_TEXT ?
			FORMAT_AUTO : (enum token_format)c->format, (uint64_t)c->vocab_size, d);
	free(paths);
	CLI_TRY(status);
	CLI_TRY(data_split(d, c->split, (uint64_t)c->seq_len, (uint64_t)c->seed));
	CLI_TRY(conf_resolve(c, d->windows));
	if (c->early_stop && (!c->eval_every || !d->valid_windows))
		return hlx_fail(HLX_EINVAL, "train.early_stop = %lld goes by validations, but %s", (long long)c->early_stop,
				c->eval_every ? "the corpus has too little for any" : "train.eval_every is 0");
	return 0;
}

int train_same_data(const struct train *t)
{
	const struct data *d = t->data;
	const char *path = d->file[0].path, *others = d->n_files > 1 ? " and others" : "";

	if (d->size != t->at.corpus_size)
		return hlx_fail(HLX_EIO, "corpus %s%s: is not what this run was trained on (%llu tokens then, %llu now)", path, others,
				(unsigned long long)t->at.corpus_size, (unsigned long long)d->size);
	if (d->fingerprint != t->at.corpus_hash)
		return hlx_fail(HLX_EIO, "corpus %s%s: is not what this run was trained on (as long, %llu tokens, but their content differs)",
				path, others, (unsigned long long)d->size);
	return 0;
}

int train_say(struct train *t)
{
	const struct conf *c = t->conf;
	const struct data *d = t->data;
	const struct hlx_device_info *dev = hlx_device_describe(t->session->device);
	uint64_t frozen = 0;

	for (uint32_t i = 0; i < hlx_graph_param_count(t->session->train_graph); i++) {
		const struct hlx_param_info p = hlx_graph_param(t->session->train_graph, i);
		frozen += p.frozen ? p.numel : 0;
	}
	CLI_TRY(progress_say(&t->progress, frozen ? "model    %s: %llu parameters, %llu of them frozen" :
			"model    %s: %llu parameters", c->path, (unsigned long long)session_parameters(t->session),
			(unsigned long long)frozen));
	CLI_TRY(progress_say(&t->progress, "device   %s (%s)", dev->name, dev->type));
	CLI_TRY(progress_say(&t->progress, "corpus   %llu %s, %llu sequences of %lld to train on, %s%llu for validation",
			(unsigned long long)d->size, d->file[0].width == 1 ? "bytes" : "tokens",
			(unsigned long long)d->windows, (long long)c->seq_len,
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
	journal_close(&t->events);
	journal_close(&t->chain.file);
	tensors_close(&t->tensors);
	free(t->sums);
	free(t->kept);
}

/* ---- the loop ---- */

static bool due(uint64_t step, int64_t every, uint64_t last)
{
	return step == last || (every && step % (uint64_t)every == 0);
}

/* Every N steps, or for good: a checkpoint. */
static bool saves(const struct conf *c, uint64_t step)
{
	return due(step, c->checkpoint_every.count, (uint64_t)c->steps) || due(step, c->keep_every.count, (uint64_t)c->steps);
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
	if (!t->kept)
		CLI_TRY(history_kept(t->folder->path, &t->kept, &t->n_kept));
	checkpoint_prune(t->folder, t->conf->keep, t->kept, t->n_kept, t->at.best);
	return 0;
}

/* Waits for the step after at. */
static int land(struct train *t)
{
	int status = train_wait(t);

	if (status != HLX_ENUMERIC)
		return status;
	return hlx_fail(status, "%s; the newest checkpoint is step-%llu; a smaller train.lr or train.grad_clip may help",
			hlx_message(), (unsigned long long)t->saved);
}

/* Is the state wanted as it is after this step? */
static bool holds(const struct train *t, uint64_t step)
{
	const struct conf *c = t->conf;
	uint64_t last = (uint64_t)c->steps;

	return train_stopping() || saves(c, step) ||
		(t->session->eval && due(step, c->eval_every, last)) ||
		(t->session->sample && c->sample_tokens && due(step, c->sample_every, last));
}

/* The last step's record, once. */
static int write_down(struct train *t)
{
	if (t->written == t->at.step)
		return 0;
	CLI_TRY(write_hash(t));
	t->last.hash = t->chain.hash;
	CLI_TRY(metrics_append(&t->metrics, &t->last));
	if (t->conf->tensorboard == 2)
		CLI_TRY(tensorboard_append(&t->events, &t->last));
	t->written = t->at.step;
	return 0;
}

/* A loss that is no number is worse than any other. */
static bool is_better(float loss, float than)
{
	return loss < than || (loss == loss && than != than);
}

static int validate(struct train *t)
{
	struct checkpoint *at = &t->at;

	CLI_TRY(train_evaluate(t, &t->last.valid_loss));
	t->last.has_valid = true;
	if (!at->best || is_better(t->last.valid_loss, hlx_float(at->best_bits))) {
		at->best = at->step;
		at->best_bits = hlx_bits(t->last.valid_loss);
		at->stale = 0;
	} else {
		at->stale++;
	}
	t->last.ended = train_ended(t);
	return 0;
}

bool train_ended(const struct train *t)
{
	return t->conf->early_stop && t->at.stale >= (uint64_t)t->conf->early_stop;
}

/* A signal ends a run after what is under way, of long steps one. */
static bool is_quick(const struct train *t)
{
	return t->last.ms > 0 && t->last.ms < QUICK_MS;
}

/* Step number waited for, and the next one sent: before, where steps are short; not at all where the state is wanted. */
static int land_and_start(struct train *t, uint64_t number)
{
	int ahead = 0;

	if (t->started != number)
		CLI_TRY(train_start(t, number));
	if (is_quick(t) && !holds(t, number))
		ahead = train_start(t, number + 1);
	CLI_TRY(land(t));
	return ahead < 0 || t->started != number || holds(t, number) ? ahead : train_start(t, number + 1);
}

/* All of step number: what a straight run and a resumed one do in the same order. */
static int whole_step(struct train *t, uint64_t number)
{
	const struct conf *c = t->conf;
	uint64_t last = (uint64_t)c->steps;

	CLI_TRY(land_and_start(t, number)); /* where only the next one fails, train_loop() writes down what there is */
	if (t->session->eval && due(number, c->eval_every, last))
		CLI_TRY(validate(t));
	last = train_ended(t) ? number : last;
	CLI_TRY(write_down(t));
	if (train_hung_up()) { /* the terminal is gone: writing to it would be an error */
		t->progress.quiet = true;
		t->progress.json = false;
	}
	CLI_TRY(progress_step(&t->progress, &t->last));
	if (t->session->sample && due(number, c->sample_every, last) && c->sample_tokens)
		CLI_TRY(train_sample(t));
	return number == last || saves(c, number) ? train_save(t) : 0;
}

/* The state is as many steps further than its record as are under way. */
static int catch_up(struct train *t)
{
	CLI_TRY(write_down(t));
	while (t->started > t->at.step) {
		CLI_TRY(land(t));
		CLI_TRY(write_down(t));
	}
	return 0;
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

	if ((status != HLX_EIO && status != HLX_EOUTPUT) || (t->saved == t->at.step && status == HLX_EOUTPUT))
		return status;
	snprintf(why, sizeof why, "%s", hlx_message());
	if (t->saved == t->at.step)
		return hlx_fail(status, "%s; the state is saved in step-%llu", why, (unsigned long long)t->saved);
	if (catch_up(t) < 0 || train_save(t) < 0) /* a full disk, most likely: the error stands */
		return hlx_fail(status, "%s; the last checkpoint is step-%llu", why, (unsigned long long)t->saved);
	if (train_hung_up() && status == HLX_EOUTPUT) /* the terminal went before the signal came */
		return stopped(t);
	return hlx_fail(status, "%s; the state is saved in step-%llu", why, (unsigned long long)t->saved);
}

const char *train_why_ended(const struct train *t, char out[160])
{
	const struct checkpoint *at = &t->at;

	snprintf(out, 160, "%llu validation%s in a row without a smaller loss than %.4f, that of step %llu (train.early_stop = %lld)",
			(unsigned long long)at->stale, at->stale > 1 ? "s" : "", (double)hlx_float(at->best_bits),
			(unsigned long long)at->best, (long long)t->conf->early_stop);
	return out;
}

static int finish(struct train *t)
{
	char time[32], why[160];

	if (train_ended(t) && t->at.step < (uint64_t)t->conf->steps)
		CLI_TRY(progress_say(&t->progress, "ended early: %s", train_why_ended(t, why)));
	progress_time(progress_now() - t->progress.begin, time);
	return progress_say(&t->progress, "done: %llu steps in %s; state %016llx, chain %016llx; in %s",
			(unsigned long long)t->at.step, time, (unsigned long long)t->at.hash, (unsigned long long)t->chain.hash, t->folder->path);
}

int train_loop(struct train *t)
{
	int status = 0;

	t->written = t->at.step;
	while (t->at.step < (uint64_t)t->conf->steps && !train_ended(t) && (!train_stopping() || t->started > t->at.step) && status >= 0)
		status = whole_step(t, t->at.step + 1);
	if (status < 0 && status != CLI_STOPPED) {
		progress_end(&t->progress);
		return rescue(t, status);
	}
	if (t->saved != t->at.step)
		CLI_TRY(train_save(t));
	if (t->at.step < (uint64_t)t->conf->steps && !train_ended(t)) {
		progress_end(&t->progress);
		return stopped(t);
	}
	return finish(t);
}
