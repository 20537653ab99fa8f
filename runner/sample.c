/* sample.c - hlxt sample DIR: text from the newest checkpoint of a run. */
#include "runner/checkpoint.h"
#include "runner/paths.h"
#include "runner/sampler.h"
#include "runner/tokenizer.h"

#include <stdlib.h>
#include <string.h>
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

static int open_model(struct conf *c, struct session *s, const struct cli_args *args)
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
	if (tokenizer_check(c->tokenizer, args->prompt, strlen(args->prompt), (uint64_t)c->vocab_size) < 0)
		return hlx_prefix(CLI_USAGE, "--prompt: ");
	CLI_TRY(session_graphs(s, c, SESSION_SAMPLE));
	CLI_TRY(session_device(s, args->device));
	CLI_TRY(session_programs(s, c));
	return load_newest(args->operand, s);
}

static int sample(const struct cli_args *given)
{
	struct cli_args args = *given;
	struct conf conf = { 0 };
	struct session session = { 0 };
	struct sampling how = { NULL, args.seed, (float)args.temperature, (float)args.top_p };
	bool terminal = isatty(STDOUT_FILENO);
	size_t size;
	int status;

	args.prompt = args.prompt ? args.prompt : "";
	size = strlen(args.prompt);
	status = open_model(&conf, &session, &args);
	how.tokenizer = conf.tokenizer;
	if (status >= 0 && size)
		status = put(&terminal, args.prompt, size);
	if (status >= 0)
		status = sampler_text(&session, (uint64_t)conf.seq_len, args.prompt, size, (uint64_t)args.tokens, &how, put, &terminal);
	if (status >= 0)
		putchar('\n');
	session_close(&session);
	conf_close(&conf);
	return status;
}

const struct command command_sample = {
	"sample", "DIR", "write text with the newest checkpoint of a run", NULL,
	{ OPT_PROMPT, OPT_TOKENS, OPT_SEED, OPT_TEMPERATURE, OPT_TOP_P, OPT_DEVICE }, sample
};
