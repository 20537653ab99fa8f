/* tokenize.c - hlxt tokenize: texts to a file of tokens; hlxt tokenize train: a vocabulary from texts. */
#include "runner/bpe/learn.h"
#include "runner/text.h"
#include "runner/train.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not onto what it is made from. */
static int check_out(const char *out, char *const *paths, size_t n)
{
	struct stat to, from;

	for (size_t i = 0; i < n && !stat(out, &to); i++)
		if (!stat(paths[i], &from) && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
			return hlx_fail(CLI_USAGE, "tokenize: --out %s is one of the texts", out);
	return 0;
}

/* ---- texts ---- */

static int write_tokens(const struct cli_args *args, char *const *paths, size_t n)
{
	struct text_reader reader = { .quiet = args->quiet, .doing = "tokenizing" };
	struct tokenizer *t;
	double begin = progress_now(), seconds;
	uint64_t count;
	int status;

	if (!args->tokenizer)
		return hlx_fail(CLI_USAGE, "tokenize: --tokenizer says with what: bytes, a tokenizer.json, or a folder with vocab.json "
				"and merges.txt");
	CLI_TRY(tokenizer_open(args->tokenizer, &t));
	status = text_write_tokens(&reader, t, paths, n, args->out, &count);
	seconds = progress_now() - begin;
	if (status >= 0 && !args->quiet)
		printf("%s: %llu tokens, %u bytes each, of %llu bytes of text (%.2f bytes a token, %.1f MB/s); vocab_size = %u\n",
				args->out, (unsigned long long)count, tokenizer_size(t) > 1 << 16 ? 4 : 2,
				(unsigned long long)reader.bytes, (double)reader.bytes / (double)count,
				1e-6 * (double)reader.bytes / (seconds > 1e-9 ? seconds : 1e-9), tokenizer_size(t));
	tokenizer_close(t);
	return status;
}

/* ---- a vocabulary ---- */

static int count_words(void *ctx, const char *bytes, size_t n, bool last, size_t *used)
{
	return learn_text(ctx, bytes, n, last, used);
}

static int show(void *ctx, uint32_t done, uint32_t all)
{
	const bool *live = ctx;

	if (train_stopping())
		return hlx_fail(CLI_STOPPED, "stopped; nothing is written");
	if (*live && (done % 256 == 0 || done + 1 >= all))
		fprintf(stderr, "\rlearning: %u of %u tokens\033[K%s", done, all, done + 1 >= all ? "\r\033[K" : "");
	return 0;
}

static int learn(struct learn *l, const struct cli_args *args, char *const *paths, size_t n, struct bpe_parts *parts)
{
	struct text_reader reader = { .quiet = args->quiet, .doing = "reading" };
	bool live = !args->quiet && isatty(STDERR_FILENO);

	for (size_t i = 0; i < n; i++)
		CLI_TRY(text_read(&reader, paths[i], count_words, l));
	if (!reader.bytes)
		return hlx_fail(HLX_EIO, "%s%s: no text to learn from", paths[0], n > 1 ? " and others" : "");
	return learn_vocabulary(l, (uint32_t)args->vocab_size, show, &live, parts);
}

static int write_vocabulary(const struct cli_args *args, char *const *paths, size_t n)
{
	struct bpe_parts parts = { 0 };
	struct learn *l;
	int status;

	if (!n)
		return hlx_fail(CLI_USAGE, "tokenize train: which texts?");
	if (args->vocab_size < 0)
		return hlx_fail(CLI_USAGE, "tokenize train: --vocab-size says how many tokens");
	CLI_TRY(learn_create(&l));
	status = learn(l, args, paths, n, &parts);
	learn_destroy(l);
	if (status >= 0)
		status = bpe_write(&parts, args->out);
	if (status >= 0 && !args->quiet)
		printf("%s: %u tokens%s\n", args->out, parts.size, parts.size < args->vocab_size ?
				"; the text has no more pairs to merge" : "");
	bpe_parts_free(&parts);
	return status;
}

static int tokenize(const struct cli_args *args)
{
	bool train = !strcmp(args->operand, "train");
	size_t n = (size_t)args->n_words + !train;
	char **paths = calloc(n + 1, sizeof *paths);
	int status;

	if (!paths)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	paths[0] = (char *)args->operand;
	if (args->n_words)
		memcpy(paths + !train, args->words, (size_t)args->n_words * sizeof *paths);
	status = args->out ? check_out(args->out, paths, n) : hlx_fail(CLI_USAGE, "tokenize: --out FILE says where to");
	train_catch_signals();
	if (status >= 0)
		status = train ? write_vocabulary(args, paths, n) : write_tokens(args, paths, n);
	free(paths);
	return status;
}

const struct command command_tokenize = {
	"tokenize", "TEXT...", "turn texts into a file of tokens, or learn a vocabulary from them",
	"hlxt tokenize TEXT... --tokenizer T --out FILE writes the tokens of texts, one text after the other, to "
	"a file as llm.c has them, which corpus in [data] may name. T is bytes, a tokenizer.json of a byte-level "
	"BPE, or a folder with vocab.json and merges.txt as GPT-2 has them. What is written between texts is up "
	"to them: <|endoftext|> in a text is that token where the tokenizer has it.\n\n"
	"hlxt tokenize train TEXT... --vocab-size N --out FILE learns N tokens: the 256 bytes, then again and "
	"again the pair of tokens that occurs most within words (of equals the one of smaller ids), last "
	"<|endoftext|>. The same texts give the same file, a tokenizer.json in the form of Hugging Face's "
	"tokenizers. Texts that have no more pairs give fewer tokens.\n\n"
	"TEXT may be - for standard input. The file appears whole or not at all.",
	"hlxt tokenize train corpus.txt --vocab-size 1024 --out tokenizer.json\n"
	"hlxt tokenize corpus.txt --tokenizer tokenizer.json --out train.bin\n",
	{ OPT_TOKENIZER, OPT_VOCAB_SIZE, OPT_FILE, OPT_QUIET }, tokenize, NULL
};
