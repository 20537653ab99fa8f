/*
 * split.h - text to words, as GPT-2's pattern cuts it:
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * pcre2 runs the pattern, but what a letter is comes from unicode.txt: each character becomes one byte that says its kind,
 * and the pattern is one of such bytes.  So the words are the same whatever Unicode the installed pcre2 knows, and pcre2
 * never sees UTF-8.  A byte that is no part of valid UTF-8 is a character of its own, neither letter nor number nor
 * space: what U+FFFD in its place would be.
 *
 * Threads: one at a time for each split.
 */
#ifndef RUNNER_BPE_SPLIT_H
#define RUNNER_BPE_SPLIT_H

#include "runner/cli.h"

struct split;
typedef int (*split_take)(void *ctx, const char *word, size_t n);

/* HLX_ENOTSUP where hlxt was built without pcre2. */
int split_create(struct split **);
void split_destroy(struct split *);
/*
 * Hands out the words of text, in order.  last: no text follows.  Otherwise the end of text, where what follows could make
 * it another word, is left: *used says how much was taken.
 */
int split_text(struct split *, const char *text, size_t size, bool last, size_t *used, split_take, void *ctx);

#endif
