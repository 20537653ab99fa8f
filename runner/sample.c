/* sample.c - hlxt sample DIR: text from the newest checkpoint of a run. */
#include "runner/checkpoint.h"
#include "runner/paths.h"
#include "runner/prompt.h"
#include "runner/sampler.h"
#include "runner/tokenizer.h"

#include <stdlib.h>
#include <unistd.h>

static int put(void *ctx, const char *bytes, size_t n)
{
	const bool *terminal = ctx;

	if (*terminal)
		tokenizer_print(stdout, bytes, n);
	else
		fwrite(bytes, 1, n, stdout);
	return cli_flush();
}

/* The run may be going on, and take a checkpoint away between our finding it and reading it; then there is a newer one. */
static int load_newest(const char *folder, const struct session *s)
{
	struct checkpoint at = { 0 };
	uint64_t before;
	int status;

	do {
		before = at.step;
		status = checkpoint_latest(folder, &at);
		if (status >= 0)
			status = checkpoint_load(folder, s, &at);
	} while (status == HLX_EIO && at.step > before);
	return checkpoint_advise(folder, at.step, status);
}

static int open_model(struct conf *c, struct session *s, const struct cli_args *args, const struct prompt *prompt)
{
	char *path = path_join(args->operand, "run.ini");
	int status;

	if (!path)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	status = access(path, F_OK) ? hlx_fail(HLX_EIO, "%s: not a run's folder (it has no run.ini)", args->operand) :
			conf_open(path, args, c);
	free(path);
	CLI_TRY(status);
	CLI_TRY(session_plugins(s));
	CLI_TRY(conf_read(c, s->registry, args));
	CLI_TRY(conf_open_tokenizer(c));
	if (tokenizer_check(c->tokenizer, prompt->bytes, prompt->size, (uint64_t)c->vocab_size) < 0)
		return hlx_prefix(CLI_USAGE, "%s: ", prompt_option(args));
	CLI_TRY(session_graphs(s, c, SESSION_SAMPLE));
	CLI_TRY(session_device(s, args->device));
	CLI_TRY(session_programs(s, c));
	return load_newest(args->operand, s);
}

/* Text i of --count is that of --seed S + i alone, so that a good one can be had again, and longer. */
static int write_text(struct session *s, const struct conf *c, const struct cli_args *args, const struct prompt *prompt,
		int64_t i)
{
	const struct sampling how = { c->tokenizer, args->seed + (uint64_t)i, (float)args->temperature, (float)args->top_p,
		(uint32_t)args->top_k };
	bool terminal = isatty(STDOUT_FILENO);

	if (args->samples > 1)
		printf("----- sample %lld, seed %llu -----\n", (long long)i + 1, (unsigned long long)how.seed);
	CLI_TRY(put(&terminal, prompt->bytes, prompt->size));
	CLI_TRY(sampler_text(s, c, prompt->bytes, prompt->size, (uint64_t)args->tokens, &how, put, &terminal));
	putchar('\n');
	return cli_flush();
}

static int sample(const struct cli_args *args)
{
	struct conf conf = { 0 };
	struct session session = { 0 };
	struct prompt prompt;
	int status = prompt_read(args, &prompt);

	if (status >= 0)
		status = open_model(&conf, &session, args, &prompt);
	for (int64_t i = 0; i < args->samples && status >= 0; i++)
		status = write_text(&session, &conf, args, &prompt, i);
	session_close(&session);
	conf_close(&conf);
	prompt_free(&prompt);
	return status;
}

const struct command command_sample = {
	"sample", "DIR", "write text with the newest checkpoint of a run", NULL,
	{ OPT_PROMPT, OPT_PROMPT_FILE, OPT_TOKENS, OPT_SAMPLES, OPT_SEED, OPT_TEMPERATURE, OPT_TOP_K, OPT_TOP_P,
		OPT_DEVICE }, sample
};
