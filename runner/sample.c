/* sample.c - hlxt sample DIR: text from the newest checkpoint of a run, or from a model's folder. */
#include "runner/model.h"
#include "runner/prompt.h"
#include "runner/sampler.h"
#include "runner/tokenizer.h"

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

static int open_model(struct model *m, const struct cli_args *args, const struct prompt *prompt)
{
	CLI_TRY(model_open(args->operand, args, m));
	CLI_TRY(model_tokenizer(m));
	if (tokenizer_check(m->conf.tokenizer, prompt->bytes, prompt->size, (uint64_t)m->conf.vocab_size) < 0)
		return hlx_prefix(CLI_USAGE, "%s: ", prompt_option(args));
	return model_load(m, SESSION_SAMPLE, args->device);
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

/* Each text is that of a seed that --seed takes. */
static int check_seeds(const struct cli_args *args)
{
	uint64_t last = args->seed + (uint64_t)args->samples - 1;

	return last <= CLI_MAX_SEED ? 0 : hlx_fail(CLI_USAGE, "--seed %llu with --count %lld: the last seed would be %llu, and the "
			"largest is %llu", (unsigned long long)args->seed, (long long)args->samples, (unsigned long long)last,
			(unsigned long long)CLI_MAX_SEED);
}

static int sample(const struct cli_args *args)
{
	struct model model = { 0 };
	struct prompt prompt = { 0 };
	int status = check_seeds(args);

	if (status >= 0)
		status = prompt_read(args, &prompt);
	if (status >= 0)
		status = open_model(&model, args, &prompt);
	for (int64_t i = 0; i < args->samples && status >= 0; i++)
		status = write_text(&model.session, &model.conf, args, &prompt, i);
	model_close(&model);
	prompt_free(&prompt);
	return status;
}

static const char *const sets[] = { "data.tokenizer", "ops.", "numerics.", NULL };

const struct command command_sample = {
	"sample", "DIR", "write text with a run's newest checkpoint, or a model",
	"DIR is a run's folder, a checkpoint's in it (DIR/checkpoints/step-N), or a model's that hlxt import made. "
	"The text goes to standard output, each token "
	"as soon as it is there. The same seed gives the same text on every device. With --count each text "
	"follows a line with its seed: it is the one that this seed alone gives.\n\n"
	"A text may be longer than max_seq_len: whenever that many tokens are there, the oldest quarter of them "
	"is forgotten. The keys and values of what came before are kept, where there is memory for that, so that a token costs the same wherever "
	"it stands. A model whose wiring takes something from later positions has a pass over max_seq_len tokens "
	"for each.\n\n"
	"Of equally likely tokens the smaller one counts as the likelier. --set takes what is no part of the model: where the "
	"tokenizer is, [ops] and [numerics].",
	"hlxt sample runs/tiny --prompt \"The \" --tokens 200 --seed 7\n"
	"echo \"The bird\" | hlxt sample runs/tiny --prompt-file - --count 3 --top-k 40\n",
	{ OPT_PROMPT, OPT_PROMPT_FILE, OPT_TOKENS, OPT_SAMPLES, OPT_SEED, OPT_TEMPERATURE, OPT_TOP_K, OPT_TOP_P,
		OPT_SET, OPT_DEVICE }, sample, sets
};
