/*
 * eval.c - hlxt eval DIR: what a run or a model has learned, measured on a text.
 *
 *     tokens of the text    | w0      | w1      | ... | w(n-1) |         each of max_seq_len, the last one as it comes
 *     targets                 | one further on: every token but the first is a target once
 *
 * Places that hold no text have a target that the loss ignores, which its count must show.
 */
#include "runner/model.h"
#include "runner/text.h"
#include "runner/tokenizer.h"
#include "runner/train.h"

#include "hlx/math.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_TARGET UINT32_MAX /* xent's ignore_index = -1, the default */

struct eval {
	struct model model;
	struct data data;
	uint64_t from, to; /* tokens of data */
	const char *corpus; /* what to call them */
	uint32_t *tokens, *targets;
	double loss, count, bytes; /* sums */
};

/* ---- the text ---- */

/* All of one file, text or tokens. */
static int open_file(struct eval *e, const char *name)
{
	struct conf *c = &e->model.conf;
	char *path = strdup(name);
	int status = path ? text_tokens(c->tokenizer, (enum token_format)c->format, true, &path) :
		hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0)
		status = data_open(&path, 1, 1, c->tokenizer_path && c->format == FORMAT_TEXT ? FORMAT_AUTO :
				(enum token_format)c->format, (uint64_t)c->vocab_size, &e->data);
	free(path);
	return status;
}

static int open_corpus(struct eval *e, const struct cli_args *args)
{
	struct data *d = &e->data;

	CLI_TRY(model_tokenizer(&e->model));
	if (args->corpus) {
		e->corpus = args->corpus;
		CLI_TRY(open_file(e, args->corpus));
	} else {
		if (!hlx_ini_find(e->model.conf.ini, "data", "corpus"))
			return hlx_fail(HLX_EIO, "%s: has no corpus; --corpus FILE takes a text", e->model.conf.path);
		CLI_TRY(train_data(&e->model.conf, d));
		e->corpus = (e->model.conf.validation.n ? e->model.conf.validation : e->model.conf.corpus).word[0];
		e->from = d->train_size;
	}
	e->to = d->size;
	if (e->to - e->from < 2)
		return hlx_fail(HLX_EIO, "%s: %llu tokens to evaluate, want at least 2%s", e->corpus,
				(unsigned long long)(e->to - e->from), args->corpus ? "" : ": --corpus FILE takes all of a text");
	return 0;
}

/* ---- the loss ---- */

/* Sequence b of the batch: the text from token start on, as far as it goes. */
static int gather(struct eval *e, uint64_t b, uint64_t start)
{
	uint64_t n = (uint64_t)e->model.conf.seq_len, have = start + 1 < e->to ? e->to - 1 - start : 0;
	uint32_t *tokens = e->tokens + b * n, *targets = e->targets + b * n;
	struct data part = e->data;
	size_t bytes;

	part.seq_len = have < n ? have : n;
	if (part.seq_len)
		CLI_TRY(data_sequence(&part, start, tokens, targets));
	for (uint64_t i = 0; i < part.seq_len; i++) {
		tokenizer_decode(e->model.conf.tokenizer, targets[i], &bytes);
		e->bytes += (double)bytes;
	}
	for (uint64_t i = part.seq_len; i < n; i++) {
		tokens[i] = 0;
		targets[i] = NO_TARGET;
	}
	e->count += (double)part.seq_len;
	return 0;
}

static int run_batch(struct eval *e, uint64_t first)
{
	uint64_t batch = (uint64_t)e->model.conf.batch_size, n = (uint64_t)e->model.conf.seq_len;
	const struct hlx_step step = { .size = sizeof step, .step = 1, .n_seq = (uint32_t)batch };
	struct hlx_program *p = e->model.session.eval;
	double before = e->count;
	struct hlx_result r;

	for (uint64_t b = 0; b < batch; b++)
		CLI_TRY(gather(e, b, first + b * n));
	CLI_TRY(hlx_program_write(p, "tokens", HLX_VALUE, 0, batch * n, e->tokens));
	CLI_TRY(hlx_program_write(p, "targets", HLX_VALUE, 0, batch * n, e->targets));
	CLI_TRY(hlx_program_run(p, &step));
	CLI_TRY(hlx_program_result(p, &r));
	if ((double)r.count != e->count - before)
		return hlx_fail(HLX_ENOTSUP, "%s: the loss counts %.0f of %.0f targets: want one whose ignore_index is -1 (the default)",
				e->model.conf.path, (double)r.count, e->count - before);
	if (!hlx_is_finite(r.loss_sum))
		return hlx_fail(HLX_ENUMERIC, "%s: the loss is not finite", e->model.folder);
	e->loss += (double)r.loss_sum;
	return 0;
}

static int evaluate(struct eval *e)
{
	uint64_t batch = (uint64_t)e->model.conf.batch_size, n = (uint64_t)e->model.conf.seq_len;

	e->tokens = malloc(batch * n * sizeof *e->tokens);
	e->targets = malloc(batch * n * sizeof *e->targets);
	if (!e->tokens || !e->targets)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	for (uint64_t at = e->from; at + 1 < e->to; at += batch * n)
		CLI_TRY(run_batch(e, at));
	return 0;
}

/* ---- what it says ---- */

/* JSON has no infinity: exp of a loss above 709 is null. */
static json_t *json_number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static int say(const struct eval *e, const struct cli_args *args)
{
	double loss = e->loss / e->count, bits = e->loss / log(2) / e->bytes;
	json_t *j;

	if (!args->json) {
		printf("%s on %.0f tokens of %s%s: loss %.4f, perplexity %.4g", e->model.folder, e->count, e->corpus,
				!args->corpus && e->data.n_files > 1 ? " and others" : "", loss, exp(loss));
		printf(e->bytes > 0 ? ", %.4f bits per byte\n" : "\n", bits);
		return 0;
	}
	j = json_pack("{s:s, s:s, s:I, s:o, s:o}", "model", e->model.folder, "corpus", e->corpus, "tokens",
			(json_int_t)e->count, "loss", json_number(loss), "perplexity", json_number(exp(loss)));
	if (j && e->bytes > 0) {
		json_object_set_new(j, "bytes", json_integer((json_int_t)e->bytes));
		json_object_set_new(j, "bits_per_byte", json_number(bits));
	}
	if (!j || json_dumpf(j, stdout, JSON_REAL_PRECISION(9))) {
		json_decref(j);
		return hlx_fail(HLX_EINVAL, "a name is no UTF-8, which JSON cannot hold");
	}
	json_decref(j);
	putchar('\n');
	return 0;
}

static int eval(const struct cli_args *args)
{
	struct eval e = { 0 };
	int status = model_open(args->operand, args, &e.model);

	if (status >= 0)
		status = open_corpus(&e, args);
	if (status >= 0)
		status = model_load(&e.model, SESSION_EVAL, args->device);
	if (status >= 0)
		status = evaluate(&e);
	if (status >= 0)
		status = say(&e, args);
	free(e.tokens);
	free(e.targets);
	data_close(&e.data);
	model_close(&e.model);
	return status;
}

static const char *const sets[] = { "data.", "ops.", "numerics.", "train.micro_batch", NULL };

const struct command command_eval = {
	"eval", "DIR", "the loss of a run's newest checkpoint, or of a model, on a text",
	"DIR is a run's folder, a checkpoint's in it, or a model's. Loss is the mean of -log p over the tokens, in nats; perplexity its exponential; bits per byte the same "
	"in base 2, over the text's bytes, which can be compared between tokenizers. In JSON, which has no infinity, a perplexity too large for a "
	"number is null.\n\n"
	"The text is that of --corpus, or the validation part of the run's own. --set takes what is no part of the model:"
	" [data], [ops], [numerics] and train.micro_batch.",
	"hlxt eval runs/tiny\n"
	"hlxt eval runs/tiny --corpus README.md --json\n",
	{ OPT_CORPUS, OPT_JSON, OPT_SET, OPT_DEVICE }, eval, sets
};
