/*
 * bpe_reference.h - GPT-2's tokenizer once more, slow and by other means: the pattern by hand, each merge over the whole
 * word, a vocabulary learnt by counting all pairs anew for each token.
 */
#ifndef TESTS_BPE_REFERENCE_H
#define TESTS_BPE_REFERENCE_H

#include "runner/bpe/bpe.h"

/* Reads the classes from unicode.txt; true where it could. */
bool reference_classes(const char *path);
/* 'L', 'N', 'S', or 0 for none of these. */
char reference_class(uint32_t code);
/* The length of the word at text. */
size_t reference_word(const char *text, size_t size);
/* Appends the ids of a word. */
void reference_merge(const struct bpe_parts *, const char *word, size_t n, struct bpe_tokens *);
/* The pairs that size tokens take, learnt from text; returns how many. */
uint64_t reference_learn(const char *text, size_t n, uint32_t size, uint32_t (*pair)[2]);

#endif
