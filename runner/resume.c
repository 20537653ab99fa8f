/* resume.c - hlxt resume DIR: goes on from the newest checkpoint as if it had never stopped. */
#include "runner/paths.h"
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

static int open_conf(struct conf *c, struct session *s, const struct cli_args *args)
{
	char *path = path_join(args->operand, "run.ini");
	int status = path ? conf_open(path, args, c) : hlx_fail(HLX_ENOMEM, "out of memory");

	free(path);
	CLI_TRY(status);
	CLI_TRY(session_plugins(s));
	return conf_read(c, s->registry, args);
}

static int check_input(struct train *t)
{
	struct conf *c = t->conf;

	CLI_TRY(session_graphs(t->session, c, SESSION_TRAIN | (c->sample_tokens ? SESSION_SAMPLE : 0)));
	CLI_TRY(train_data(c, t->data));
	if (t->data->size != t->at.corpus_size || t->data->fingerprint != t->at.corpus_hash)
		return hlx_fail(HLX_EIO, "corpus %s%s: is not what this run was trained on (%llu tokens then, %llu now)",
				t->data->file[0].path, t->data->n_files > 1 ? " and others" : "",
				(unsigned long long)t->at.corpus_size, (unsigned long long)t->data->size);
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

static int go_on(struct train *t, const struct cli_args *args)
{
	struct conf *c = t->conf;
	uint64_t config = t->at.config;

	CLI_TRY(check_input(t));
	CLI_TRY(session_device(t->session, args->device));
	CLI_TRY(session_programs(t->session, c));
	CLI_TRY(checkpoint_advise(t->folder->path, t->at.step, checkpoint_load(t->folder->path, t->session, &t->at)));
	t->saved = t->at.step;
	t->at.seed = (uint64_t)c->seed;
	t->at.config = conf_fingerprint(c);
	train_catch_signals();
	CLI_TRY(cut_back(t));
	if (config != t->at.config) { /* once nothing is left to refuse */
		t->at.since = t->at.step;
		fprintf(stderr, "hlxt: note: the configuration is not the one of checkpoint step-%llu: "
				"from there on this is another run\n", (unsigned long long)t->at.step);
	}
	if (config != t->at.config || args->n_set)
		CLI_TRY(run_ini_write(c, t->folder));
	progress_begin(&t->progress, args->quiet, t->at.step, (uint64_t)c->steps, (uint64_t)c->log_every);
	t->progress.json = args->json;
	CLI_TRY(train_say(t));
	return train_loop(t);
}

static int resume(const struct cli_args *args)
{
	static const char *const free_to_set[] = { "train.micro_batch", "train.recompute", NULL };
	struct conf conf = { 0 };
	struct session session = { 0 };
	struct data data = { 0 };
	struct folder folder = { .lock = -1 };
	struct train t = { .conf = &conf, .session = &session, .data = &data, .folder = &folder,
		TRAIN_NONE };
	int status = conf_check_sets(args, "resume", free_to_set);

	if (status >= 0)
		status = folder_open(args->operand, &folder);
	if (status >= 0)
		status = open_conf(&conf, &session, args);
	if (status >= 0)
		status = find_checkpoint(args->operand, &t.at);
	if (status >= 0 && t.at.step >= (uint64_t)conf.steps && !args->quiet)
		printf("%s: finished, at step %llu; --steps N goes further\n", args->operand, (unsigned long long)t.at.step);
	if (status >= 0 && t.at.step < (uint64_t)conf.steps)
		status = go_on(&t, args);
	train_close(&t);
	session_close(&session);
	folder_close(&folder);
	data_close(&data);
	conf_close(&conf);
	return status;
}

const struct command command_resume = {
	"resume", "DIR", "go on with a run from its newest checkpoint, bit for bit",
	"The configuration is DIR/run.ini.  --steps changes how far the run goes, and with it a schedule that ends there;\n"
	"--set train.micro_batch=N how much is computed at a time, --set train.recompute=layer what is kept meanwhile: neither\n"
	"changes a bit.\n",
	{ OPT_SET, OPT_STEPS, OPT_DEVICE, OPT_QUIET, OPT_JSON_LINES }, resume
};
