/*
 * learn.h - a vocabulary from text.
 *
 *     words and how often each occurs -> the pair of tokens that occurs most becomes a token, again and again
 *
 * Of pairs that occur equally often the one of the smaller ids comes first, so that the same text gives the same
 * vocabulary.
 */
#ifndef RUNNER_BPE_LEARN_H
#define RUNNER_BPE_LEARN_H

#include "runner/bpe/bpe.h"

struct learn;
int learn_create(struct learn **);
void learn_destroy(struct learn *);
/* Counts the words of text.  last, used: as bpe_encode has them. */
int learn_text(struct learn *, const char *text, size_t size, bool last, size_t *used);
/*
 * Ids 0 to 255 are the bytes, in the order of bpe_char_of_byte(); then merges; the last is BPE_END_OF_TEXT.  Fewer than size
 * where the text has no more pairs.  said(ctx, done, all) is called now and then; a negative status ends it.
 */
int learn_vocabulary(struct learn *, uint32_t size, int (*said)(void *ctx, uint32_t done, uint32_t all), void *ctx,
		struct bpe_parts *out);

#endif
