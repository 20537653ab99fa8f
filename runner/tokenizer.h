/*
 * tokenizer.h - text to tokens and back: one table of the kinds there are.
 *
 *   bytes   a token is a byte
 *   bpe     byte-level BPE from a file or folder (runner/bpe)
 *
 * Threads: one at a time for each tokenizer.
 */
#ifndef RUNNER_TOKENIZER_H
#define RUNNER_TOKENIZER_H

#include "runner/bpe/bpe.h"

struct tokenizer;

/* Is it a kind that needs no file? */
bool tokenizer_known(const char *name);
/* Such a name, or the path of a tokenizer.json or of a folder with vocab.json and merges.txt. */
int tokenizer_open(const char *name, struct tokenizer **out);
void tokenizer_close(struct tokenizer *);
/* Every token is below it. */
uint32_t tokenizer_size(const struct tokenizer *);
/* Of all that the tokens of a text depend on; 0 of bytes. */
uint64_t tokenizer_digest(const struct tokenizer *);

/* Appends the tokens of text; last and used as bpe_encode has them. */
int tokenizer_encode(struct tokenizer *, const char *text, size_t size, bool last, size_t *used, struct bpe_tokens *);
/* HLX_EINVAL, naming the byte, for a text with tokens that vocab_size does not reach. */
int tokenizer_check(struct tokenizer *, const char *text, size_t size, uint64_t vocab_size);
/* The bytes of a token, n of them; tokens that the tokenizer does not have have none.  Valid as long as it is. */
const char *tokenizer_decode(const struct tokenizer *, uint32_t token, size_t *n);
/* What an empty prompt starts from: <|endoftext|>, or a new line. */
uint32_t tokenizer_start(const struct tokenizer *, uint64_t vocab_size);
/* The bytes as a terminal or a log may have them: control characters but newline and tab become '?'. */
void tokenizer_print(FILE *, const char *bytes, size_t n);

#endif
