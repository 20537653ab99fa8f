/* bpe_texts.h - what the tests of BPE share: texts, a vocabulary learned from one, and what it makes of them. */
#ifndef BPE_TEXTS_H
#define BPE_TEXTS_H

#include "runner/bpe/learn.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 420 /* of that vocabulary, where a test has no other */

/* The fixture: text is the beginning of the README, and the reference knows its classes. */
extern char *text;
extern size_t text_size;
void text_begin(void);
void text_end(void);

/* From 0 to n - 1, the same each time. */
uint32_t draw(uint32_t n);
/* n pieces that are hard to part into words, and NULs between; new. */
char *make_stress(size_t n, size_t *size);
/* All of a file, which is not empty; new. */
char *read_all(const char *path, size_t *n);

/* Given in blocks of step bytes. */
void learn(const char *bytes, size_t n, uint32_t size, size_t step, struct bpe_parts *out);
/* The text's. */
struct bpe *make_bpe(uint32_t size);
/* In blocks of step bytes, in place of what out holds. */
void encode(const struct bpe *, const char *bytes, size_t n, size_t step, struct bpe_tokens *out);
/* The tokens' bytes are these. */
void check_round(const struct bpe *, const struct bpe_tokens *, const char *bytes, size_t n);
/* False, and says so: hlxt was built without BPE, and the test is to exit with 77. */
bool have_bpe(void);

#endif
