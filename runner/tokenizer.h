/* tokenizer.h - text to tokens and back.  A token of "bytes" is a byte. */
#ifndef RUNNER_TOKENIZER_H
#define RUNNER_TOKENIZER_H

#include "runner/cli.h"

/* tokens: room for size.  HLX_EINVAL, naming the byte, for one that vocab_size does not reach. */
int tokenizer_encode(const char *text, size_t size, uint64_t vocab_size, uint32_t *tokens, size_t *count);
/* The same, for the status and message only. */
int tokenizer_check(const char *text, size_t size, uint64_t vocab_size);
/* The bytes of a token: at most 1 here.  Tokens beyond 255 have none. */
size_t tokenizer_decode(uint32_t token, char out[1]);
/* What an empty prompt starts from. */
uint32_t tokenizer_start(uint64_t vocab_size);
/* The bytes as a terminal or a log may have them: control characters but newline and tab become '?'. */
void tokenizer_print(FILE *, const char *bytes, size_t n);

#endif
