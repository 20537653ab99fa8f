/* run.c - hlxt run INI: a new run. */
#include "runner/tokenizer.h"
#include "runner/train.h"
#include "runner/weights.h"

#include <stdlib.h>
#include <string.h>

/* run.ini must read back as it was: a value with " ;" in it, say, would not. */
static int check_text(const struct conf *c, const char *text, size_t size)
{
	struct hlx_ini *back;
	bool same;
	int status = hlx_ini_parse("run.ini", text, size, &back);

	if (status < 0)
		return status;
	same = back->count == c->ini->count;
	for (size_t i = 0; same && i < c->ini->count; i++) {
		const struct hlx_setting *a = &c->ini->entry[i], *b = hlx_ini_find(back, a->section, a->key);
		if (!b || strcmp(a->value, b->value)) {
			status = hlx_fail(HLX_EINVAL, "%s.%s = %.60s cannot be written in an INI file", a->section, a->key, a->value);
			break;
		}
	}
	hlx_ini_destroy(back);
	return same ? status : hlx_fail(HLX_EINVAL, "the configuration cannot be written as an INI file");
}

int run_ini_write(struct conf *c, const struct folder *f, const char *name)
{
	char *text = NULL;
	size_t size = 0;
	FILE *m = open_memstream(&text, &size);
	int status = m ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	if (m) {
		fprintf(m, "; hlxt %s: every value of this run, defaults included\n\n", PACKAGE_VERSION);
		status = hlx_ini_write(c->ini, m);
		if (fclose(m) && status >= 0)
			status = hlx_fail(HLX_ENOMEM, "out of memory");
	}
	if (status >= 0)
		status = check_text(c, text, size);
	if (status >= 0 && f)
		status = folder_write(f, name, text, size);
	free(text);
	return status;
}

/* Everything that can be refused without a device. */
static int prepare(struct conf *c, struct session *s, struct data *d, struct st_file *init, const struct cli_args *args)
{
	CLI_TRY(session_open(s, c, NULL, NULL, args));
	CLI_TRY(conf_open_tokenizer(c));
	CLI_TRY(hlx_prefix(tokenizer_check(c->tokenizer, c->sample_prompt, strlen(c->sample_prompt), (uint64_t)c->vocab_size), "output.sample_prompt: "));
	CLI_TRY(session_graphs(s, c, SESSION_TRAIN | (c->sample_tokens ? SESSION_SAMPLE : 0)));
	CLI_TRY(conf_find_init(c));
	if (c->init)
		CLI_TRY(hlx_prefix(weights_open(c->init, session_graph(s), init), "train.init: "));
	CLI_TRY(train_data(c, d));
	if (d->valid_windows)
		CLI_TRY(session_graphs(s, c, SESSION_EVAL));
	CLI_TRY(conf_write_back(c, s->registry));
	return run_ini_write(c, NULL, NULL);
}

static char *choose_dir(const struct conf *c, const struct cli_args *args)
{
	char *out;

	if (args->out || c->dir)
		return strdup(args->out ? args->out : c->dir);
	return asprintf(&out, "runs/%s", c->name) < 0 ? NULL : out;
}

/* The folder with checkpoint 0, whole; or nothing. */
static int begin(struct train *t)
{
	char **names = NULL;
	uint32_t n = checkpoint_arrays(t->session);
	int status;

	CLI_TRY(run_ini_write(t->conf, t->folder, "run.ini"));
	CLI_TRY(run_ini_write(t->conf, t->folder, "run-0.ini"));
	CLI_TRY(journal_open(t->folder, "metrics.jsonl", &t->metrics));
	CLI_TRY(journal_open(t->folder, "samples.txt", &t->samples));
	CLI_TRY(journal_cut(&t->metrics, 0));
	CLI_TRY(journal_cut(&t->samples, 0));
	CLI_TRY(chain_create(t->folder, &t->chain));
	status = checkpoint_names(t->session, &names);
	if (status >= 0)
		status = tensors_create(t->folder, names, n, &t->tensors);
	checkpoint_free_names(names, n);
	CLI_TRY(status);
	CLI_TRY(train_hash(t));
	CLI_TRY(train_save(t));
	return t->conf->tensorboard == 2 ? tensorboard_open(t->folder, &t->events) : 0;
}

/* Random weights, or those of [train] init. */
static int first_weights(struct train *t, const struct st_file *init, uint64_t *flushed)
{
	*flushed = 0;
	return t->conf->init ? weights_load(init, t->session, flushed) :
		hlx_weights_init(t->session->weights, (uint64_t)t->conf->seed);
}

static int run_in(const char *dir, struct train *t, const struct st_file *init, const struct cli_args *args)
{
	struct conf *c = t->conf;
	uint64_t flushed;
	char room[96];
	int status;

	CLI_TRY(folder_check(dir));
	CLI_TRY(session_device(t->session, args->device));
	CLI_TRY(session_programs(t->session, c));
	CLI_TRY(first_weights(t, init, &flushed));
	train_catch_signals();
	status = folder_create(dir, t->folder);
	if (status < 0)
		return status;
	t->chain.device = c->mode == HLX_DEVICE;
	t->at = (struct checkpoint){
		.seed = (uint64_t)c->seed, .corpus_size = t->data->size, .corpus_hash = t->data->fingerprint,
		.tokenizer = tokenizer_digest(c->tokenizer), .said = true, .config = conf_fingerprint(c),
	};
	status = begin(t);
	if (status < 0) {
		folder_discard(t->folder);
		return status;
	}
	progress_begin(&t->progress, args->quiet, 0, (uint64_t)c->steps, (uint64_t)c->log_every);
	t->progress.json = args->json;
	status = train_say(t);
	if (status >= 0 && c->init)
		status = progress_say(&t->progress, "weights  %s%s", init->path, weights_said(flushed, room));
	return status < 0 ? status : train_loop(t);
}

static int run(const struct cli_args *args)
{
	struct conf conf = { 0 };
	struct session session = { 0 };
	struct data data = { 0 };
	struct folder folder = { .lock = -1 };
	struct st_file init = { .fd = -1 };
	struct train t = { .conf = &conf, .session = &session, .data = &data, .folder = &folder,
		TRAIN_NONE };
	int status = prepare(&conf, &session, &data, &init, args);
	char *dir = NULL;

	if (status >= 0) {
		dir = choose_dir(&conf, args);
		status = dir ? run_in(dir, &t, &init, args) : hlx_fail(HLX_ENOMEM, "out of memory");
	}
	train_close(&t);
	st_close(&init);
	session_close(&session);
	folder_close(&folder);
	data_close(&data);
	conf_close(&conf);
	free(dir);
	return status;
}

const struct command command_run = {
	"run", "INI", "train the model of an INI file",
	"A bare name such as tiny.ini that is not in the working directory is taken from the models that come "
	"with hlx. The run's folder is that of --out, of dir in [output], or runs/NAME with the name of the INI; "
	"it must not hold a run already.\n\n"
	"SIGINT (Ctrl-C), SIGTERM and SIGHUP finish the step, and where steps take less than half a second the one after it, "
	"which the device has already; then they save and end with status 130. hlxt resume goes on from there, bit for bit. SIGINT or SIGTERM again, more than a second after the first signal, ends at once; within that "
	"second it counts as the same. SIGHUP is left alone where it is ignored, as under nohup.\n\n"
	"hlxt help ini tells of the keys.",
	"hlxt run tiny.ini\n"
	"hlxt run tiny.ini --out other --set ops.gemm=gemm16 --set train.seed=2\n",
	{ OPT_SET, OPT_STEPS, OPT_OUT, OPT_DEVICE, OPT_QUIET, OPT_JSON_LINES }, run, NULL
};
