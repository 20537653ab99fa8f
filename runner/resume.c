/* resume.c - hlxt resume DIR: goes on from the newest checkpoint as if it had never stopped. */
#include "runner/history.h"
#include "runner/train.h"

#include <stdlib.h>

/* The newest one; the chain must reach it, before anything is said of a run that has ended. */
static int find_checkpoint(const char *folder, struct checkpoint *at)
{
	int status = checkpoint_latest(folder, at);

	if (status >= 0)
		status = chain_check(folder, at->step, at->chain);
	return checkpoint_advise(folder, at->step, status);
}

static int check_input(struct train *t)
{
	struct conf *c = t->conf;

	CLI_TRY(session_graphs(t->session, c, SESSION_TRAIN | (c->sample_tokens ? SESSION_SAMPLE : 0)));
	CLI_TRY(checkpoint_tokenizer(&t->at, c));
	CLI_TRY(train_data(c, t->data));
	CLI_TRY(train_same_data(t));
	if (t->data->valid_windows)
		CLI_TRY(session_graphs(t->session, c, SESSION_EVAL));
	return conf_write_back(c, t->session->registry);
}

static int reopen_chain(struct train *t)
{
	uint32_t n = checkpoint_arrays(t->session);
	char **names;
	int status = checkpoint_names(t->session, &names);

	if (status >= 0)
		status = tensors_reopen(t->folder, names, n, t->at.step, &t->tensors);
	checkpoint_free_names(names, n);
	CLI_TRY(status);
	t->chain.device = t->conf->mode == HLX_DEVICE;
	return chain_reopen(t->folder, t->at.step, &t->chain);
}

/* What was written after the checkpoint goes: the steps will be made again. */
static int cut_back(struct train *t)
{
	CLI_TRY(reopen_chain(t));
	CLI_TRY(journal_open(t->folder, "metrics.jsonl", &t->metrics));
	CLI_TRY(metrics_cut(&t->metrics, t->at.step));
	CLI_TRY(journal_open(t->folder, "samples.txt", &t->samples));
	CLI_TRY(journal_cut(&t->samples, t->at.samples));
	return t->conf->tensorboard == 2 ? tensorboard_open(t->folder, &t->events) : 0;
}

/* A run that is over is left alone; what was set is checked all the same. */
static int check_settings(struct train *t, char changed[512])
{
	CLI_TRY(check_input(t));
	return history_compare(t->folder->path, &t->at, t->conf, changed);
}

static int go_on(struct train *t, const struct cli_args *args)
{
	struct conf *c = t->conf;
	char changed[512];
	int64_t kept;

	CLI_TRY(check_settings(t, changed));
	CLI_TRY(history_number(t->folder->path, t->at.since, "output", "keep_every", &kept));
	CLI_TRY(session_device(t->session, args->device));
	CLI_TRY(session_programs(t->session, c));
	CLI_TRY(checkpoint_advise(t->folder->path, t->at.step, checkpoint_load(t->folder->path, t->session, &t->at)));
	t->saved = t->at.step;
	t->at.seed = (uint64_t)c->seed;
	train_catch_signals();
	CLI_TRY(cut_back(t));
	if (*changed && !args->quiet) /* once nothing is left to refuse */
		fprintf(stderr, "hlxt: note: after step %llu: %s\n", (unsigned long long)t->at.step, changed);
	CLI_TRY(history_go_on(t->folder, &t->at, c, *changed || kept != c->keep_every.count));
	progress_begin(&t->progress, args->quiet, t->at.step, (uint64_t)c->steps, (uint64_t)c->log_every);
	t->progress.json = args->json;
	CLI_TRY(train_say(t));
	return train_loop(t);
}

/* Another early_stop counts validations from here on. */
static int count_anew(struct train *t)
{
	int64_t was;

	if (!t->conf->early_stop || !t->at.stale)
		return 0;
	CLI_TRY(history_number(t->folder->path, t->at.since, "train", "early_stop", &was));
	if (was != t->conf->early_stop)
		t->at.stale = 0;
	return 0;
}

static bool has_ended(const struct train *t)
{
	return t->at.step >= (uint64_t)t->conf->steps || train_ended(t);
}

static int say_ended(struct train *t, const struct cli_args *args)
{
	const char *unchanged = args->n_set ? ", and nothing was changed" : "";
	unsigned long long step = t->at.step;
	char why[160], changed[512];

	if (args->n_set)
		CLI_TRY(check_settings(t, changed));
	if (args->quiet)
		return 0;
	if (step >= (uint64_t)t->conf->steps)
		printf("%s: finished, at step %llu%s; --steps N goes further\n", args->operand, step, unchanged);
	else
		printf("%s: ended early, at step %llu of %lld%s: %s; --set train.early_stop=0 goes further\n", args->operand, step,
				(long long)t->conf->steps, unchanged, train_why_ended(t, why));
	return cli_flush();
}

static int resume(const struct cli_args *args)
{
	struct conf conf = { 0 };
	struct session session = { 0 };
	struct data data = { 0 };
	struct folder folder = { .lock = -1 };
	struct train t = { .conf = &conf, .session = &session, .data = &data, .folder = &folder,
		TRAIN_NONE };
	int status = conf_check_later(args);

	if (status >= 0)
		status = folder_open(args->operand, &folder);
	if (status >= 0)
		status = session_open(&session, &conf, args->operand, "run.ini", args);
	if (status >= 0)
		status = find_checkpoint(args->operand, &t.at);
	if (status >= 0)
		status = count_anew(&t);
	if (status >= 0)
		status = has_ended(&t) ? say_ended(&t, args) : go_on(&t, args);
	train_close(&t);
	session_close(&session);
	folder_close(&folder);
	data_close(&data);
	conf_close(&conf);
	return status;
}

const struct command command_resume = {
	"resume", "DIR", "go on with a run from its newest checkpoint, bit for bit",
	"What was written after that checkpoint is cut off first. A run that is finished is left alone, with "
	"status 0 (what is set is checked), and so is one that early_stop has ended. Where the newest checkpoint "
	"or the chain is damaged, the message names the newest checkpoint that is whole.\n\n"
	"The configuration is DIR/run.ini. --steps changes how far the run goes, and with it a schedule that ends "
	"there. --set takes what leaves the model, its data and the order of its steps alone: of [train] lr, "
	"lr_min, schedule, warmup, steps, eval_every, eval_batches, early_stop, micro_batch, recompute and the "
	"optimizer's own keys; [numerics] mode; [output] but for dir; [ops]; and where the corpus, the "
	"validation's files and the tokenizer are. Without --quiet standard error names what is changed. DIR/run-N.ini "
	"keeps the settings of each step, and hlxt verify replays each with its own.",
	"hlxt resume runs/tiny\n"
	"hlxt resume runs/tiny --steps 3000 --set train.lr=1e-4\n",
	{ OPT_SET, OPT_STEPS, OPT_DEVICE, OPT_QUIET, OPT_JSON_LINES }, resume, NULL
};
