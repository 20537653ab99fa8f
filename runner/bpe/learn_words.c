#include "runner/bpe/learn_words.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static int grow_table(struct words *w)
{
	uint64_t size = w->mask ? 2 * (w->mask + 1) : 1 << 16, *table = calloc(size, sizeof *table);

	if (!table)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	free(w->table);
	w->table = table;
	w->mask = size - 1;
	for (uint64_t i = 0; i < w->n; i++) {
		uint64_t at = XXH3_64bits(w->text + w->word[i].at, w->word[i].size) & w->mask;
		while (table[at])
			at = (at + 1) & w->mask;
		table[at] = i + 1;
	}
	return 0;
}

static int add_word(struct words *w, const char *word, size_t n)
{
	if (w->size + n > w->room) {
		uint64_t room = 2 * w->room + n + 4096;
		char *more = realloc(w->text, room);
		if (!more)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		w->text = more;
		w->room = room;
	}
	if (w->n == w->n_room) {
		uint64_t room = 2 * w->n_room + 4096;
		struct word *more = realloc(w->word, room * sizeof *more);
		if (!more)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		w->word = more;
		w->n_room = room;
	}
	memcpy(w->text + w->size, word, n);
	w->word[w->n++] = (struct word){ w->size, n, 1 };
	w->size += n;
	return 0;
}

int words_count(struct words *w, const char *word, size_t n)
{
	uint64_t at;

	if (2 * w->n >= w->mask)
		CLI_TRY(grow_table(w));
	at = XXH3_64bits(word, n) & w->mask;
	for (; w->table[at]; at = (at + 1) & w->mask) {
		struct word *known = &w->word[w->table[at] - 1];
		if (known->size == n && !memcmp(w->text + known->at, word, n)) {
			known->count++;
			return 0;
		}
	}
	CLI_TRY(add_word(w, word, n));
	w->table[at] = w->n;
	return 0;
}

void words_free(struct words *w)
{
	free(w->table);
	free(w->word);
	free(w->text);
	*w = (struct words){ 0 };
}
