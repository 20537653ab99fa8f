/* learn_words.h - the words of a text, each once, with how often it occurs. */
#ifndef RUNNER_BPE_LEARN_WORDS_H
#define RUNNER_BPE_LEARN_WORDS_H

#include "runner/cli.h"

struct words {
	char *text;      /* all words, one after the other */
	uint64_t size, room;
	struct word {
		uint64_t at, size, count;
	} *word;
	uint64_t n, n_room;
	uint64_t *table; /* mask + 1 places; number of a word plus 1, or 0 */
	uint64_t mask;
};

int words_count(struct words *, const char *word, size_t n);
void words_free(struct words *);

#endif
