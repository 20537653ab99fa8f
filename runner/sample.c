/* sample.c - hlxt sample DIR: text from the newest checkpoint of a run, or from a model's folder. */
#include "runner/model.h"
#include "runner/sampler.h"
#include "runner/tokenizer.h"

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

static int open_model(struct model *m, const struct cli_args *args)
{
	CLI_TRY(model_open(args->operand, args, m));
	CLI_TRY(conf_open_tokenizer(&m->conf));
	if (tokenizer_check(m->conf.tokenizer, args->prompt, strlen(args->prompt), (uint64_t)m->conf.vocab_size) < 0)
		return hlx_prefix(CLI_USAGE, "--prompt: ");
	return model_load(m, SESSION_SAMPLE, args->device);
}

static int sample(const struct cli_args *given)
{
	struct cli_args args = *given;
	struct model model = { 0 };
	struct sampling how = { NULL, args.seed, (float)args.temperature, (float)args.top_p };
	bool terminal = isatty(STDOUT_FILENO);
	size_t size;
	int status;

	args.prompt = args.prompt ? args.prompt : "";
	size = strlen(args.prompt);
	status = open_model(&model, &args);
	how.tokenizer = model.conf.tokenizer;
	if (status >= 0 && size)
		status = put(&terminal, args.prompt, size);
	if (status >= 0)
		status = sampler_text(&model.session, (uint64_t)model.conf.seq_len, args.prompt, size, (uint64_t)args.tokens, &how,
				put, &terminal);
	if (status >= 0)
		putchar('\n');
	model_close(&model);
	return status;
}

const struct command command_sample = {
	"sample", "DIR", "write text with a run's newest checkpoint, or a model", NULL,
	{ OPT_PROMPT, OPT_TOKENS, OPT_SEED, OPT_TEMPERATURE, OPT_TOP_P, OPT_DEVICE }, sample
};
