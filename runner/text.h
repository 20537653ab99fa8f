/* text.h - text files to tokens. */
#ifndef RUNNER_TEXT_H
#define RUNNER_TEXT_H

#include "runner/token_file.h"
#include "runner/tokenizer.h"

/* Reads a file, "-" being standard input, piece by piece: take says how much of the n bytes it has used; at the end, all. */
typedef int (*text_take)(void *ctx, const char *bytes, size_t n, bool last, size_t *used);
struct text_reader {
	bool quiet;        /* no progress on a terminal */
	const char *doing; /* "tokenizing" */
	uint64_t bytes;    /* read so far, of all files */
};
/* CLI_STOPPED after a signal that train_catch_signals() caught. */
int text_read(struct text_reader *, const char *path, text_take, void *ctx);

/* The tokens of files, each a text of its own, into a file of tokens that appears whole or not at all. */
int text_write_tokens(struct text_reader *, struct tokenizer *, char *const *paths, size_t n, const char *out, uint64_t *count);

/*
 * Where *path is a text and the tokenizer is not bytes: makes it the path of a file of its tokens, which is kept in
 * $XDG_CACHE_HOME/hlx/tokens by the hash of text and tokenizer, and made where it is not there.
 */
int text_tokens(struct tokenizer *, enum token_format, bool quiet, char **path);

#endif
