/* learn.c - the words as tokens, which merges make fewer. */
#include "runner/bpe/learn.h"
#include "runner/bpe/learn_pairs.h"
#include "runner/bpe/learn_words.h"
#include "runner/bpe/split.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct learn {
	struct split *split;
	struct words words;
	uint32_t *symbol; /* the tokens of all words, one word after the other; a word only gets shorter */
	uint64_t *begin;  /* of each word in symbol */
	uint32_t *length;
	struct pairs pairs;
	uint32_t *find;   /* table from bytes to tokens */
	uint64_t find_mask;
};

int learn_create(struct learn **out)
{
	struct learn *l = *out = calloc(1, sizeof *l);
	int status = l ? split_create(&l->split) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status < 0) {
		learn_destroy(l);
		*out = NULL;
	}
	return status;
}

void learn_destroy(struct learn *l)
{
	if (!l)
		return;
	pairs_free(&l->pairs);
	free(l->find);
	free(l->symbol);
	free(l->begin);
	free(l->length);
	words_free(&l->words);
	split_destroy(l->split);
	free(l);
}

/* ---- words ---- */

static int take_word(void *ctx, const char *word, size_t n)
{
	return words_count(ctx, word, n);
}

int learn_text(struct learn *l, const char *text, size_t size, bool last, size_t *used)
{
	static const char end[] = BPE_END_OF_TEXT;
	size_t from = 0, taken, keep = sizeof end - 2; /* its beginning may be there, and the rest still to come */
	const char *hit;

	while ((hit = memmem(text + from, size - from, end, sizeof end - 1))) {
		CLI_TRY(split_text(l->split, text + from, (size_t)(hit - text) - from, true, &taken, take_word, &l->words));
		from = (size_t)(hit - text) + sizeof end - 1;
	}
	keep = last ? 0 : keep < size - from ? keep : size - from;
	CLI_TRY(split_text(l->split, text + from, size - from - keep, last, &taken, take_word, &l->words));
	*used = from + taken;
	return 0;
}

/* ---- merging ---- */

/* left right becomes id in one word; what stands beside it has new pairs. */
static int merge_word(struct learn *l, uint32_t word, uint32_t left, uint32_t right, uint32_t id)
{
	uint32_t *s = l->symbol + l->begin[word], n = l->length[word], to = 0;
	uint64_t by = l->words.word[word].count;

	for (uint32_t i = 0; i < n; i++, to++) {
		if (s[i] != left || i + 1 == n || s[i + 1] != right) {
			s[to] = s[i];
			continue;
		}
		pairs_lower(&l->pairs, left, right, by);
		if (to) {
			pairs_lower(&l->pairs, s[to - 1], left, by);
			CLI_TRY(pairs_raise(&l->pairs, s[to - 1], id, by, word));
		}
		if (i + 2 < n) {
			pairs_lower(&l->pairs, right, s[i + 2], by);
			CLI_TRY(pairs_raise(&l->pairs, id, s[i + 2], by, word));
		}
		s[to] = id;
		i++;
	}
	l->length[word] = to;
	return 0;
}

static int merge(struct learn *l, struct pair *p, uint32_t id)
{
	uint32_t left = p->left, right = p->right, *word = p->word, n = p->n;
	int status = 0;

	p->word = NULL;
	p->n = p->room = 0;
	for (uint32_t i = 0; i < n && status >= 0; i++)
		status = merge_word(l, word[i], left, right, id);
	free(word);
	return status < 0 ? status : pairs_push(&l->pairs);
}

/* ---- the vocabulary ---- */

static uint32_t *find(struct learn *l, const struct bpe_parts *p, const char *bytes, uint64_t n)
{
	uint64_t i = XXH3_64bits(bytes, n) & l->find_mask;

	for (; l->find[i] != BPE_NONE; i = (i + 1) & l->find_mask) {
		uint32_t id = l->find[i];
		if (p->offset[id + 1] - p->offset[id] == n && !memcmp(p->text + p->offset[id], bytes, n))
			break;
	}
	return &l->find[i];
}

/* *id: that of the bytes at the end of text, n of them, which become a token unless they are one. */
static void add_token(struct learn *l, struct bpe_parts *p, uint64_t n, uint32_t *id)
{
	uint32_t *at = find(l, p, p->text + p->offset[p->size], n);

	if (*at == BPE_NONE) {
		*at = p->size++;
		p->offset[p->size] = p->offset[p->size - 1] + n;
	}
	*id = *at;
}

static int add_merge(struct learn *l, struct bpe_parts *p, uint64_t *room, const struct pair *pair, uint32_t *id)
{
	uint64_t n = p->offset[pair->left + 1] - p->offset[pair->left], m = p->offset[pair->right + 1] - p->offset[pair->right];
	uint64_t at = p->offset[p->size];
	void *more;

	if (at + n + m + sizeof BPE_END_OF_TEXT > *room) {
		*room = 2 * (at + n + m) + 4096;
		if (!(more = realloc(p->text, *room)))
			return hlx_fail(HLX_ENOMEM, "out of memory");
		p->text = more;
	}
	if (!(p->n_pairs & (p->n_pairs - 1))) { /* doubled at each power of two */
		if (!(more = realloc(p->pair, 2 * (p->n_pairs + 1) * sizeof(*p->pair))))
			return hlx_fail(HLX_ENOMEM, "out of memory");
		p->pair = more;
	}
	memcpy(p->text + at, p->text + p->offset[pair->left], n);
	memcpy(p->text + at + n, p->text + p->offset[pair->right], m);
	p->pair[p->n_pairs][0] = pair->left;
	p->pair[p->n_pairs++][1] = pair->right;
	add_token(l, p, n + m, id);
	return 0;
}

static int begin_parts(struct learn *l, uint32_t size, struct bpe_parts *p, uint8_t id_of[256])
{
	uint32_t id;

	*p = (struct bpe_parts){ .text = malloc(4096), .offset = calloc((size_t)size + 1, sizeof(*p->offset)),
		.added = malloc(sizeof(*p->added)) };
	for (l->find_mask = 1024; l->find_mask < 2ull * size; l->find_mask *= 2)
		;
	l->find = malloc(l->find_mask * sizeof(*l->find));
	if (!p->text || !p->offset || !p->added || !l->find)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	memset(l->find, 0xff, l->find_mask * sizeof(*l->find));
	l->find_mask--;
	for (uint32_t c = 0; c < 0x144; c++)
		for (int b = 0; b < 256; b++)
			if (bpe_char_of_byte((uint8_t)b) == c) {
				p->text[p->size] = (char)b;
				add_token(l, p, 1, &id);
				id_of[b] = (uint8_t)id;
			}
	return 0;
}

static int begin_words(struct learn *l, const uint8_t id_of[256])
{
	const struct words *w = &l->words;

	if (w->n >= UINT32_MAX)
		return hlx_fail(HLX_EIO, "more than 2^32 different words");
	l->symbol = malloc((w->size + 1) * sizeof(*l->symbol));
	l->begin = malloc((w->n + 1) * sizeof(*l->begin));
	l->length = malloc((w->n + 1) * sizeof(*l->length));
	if (!l->symbol || !l->begin || !l->length)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	for (uint64_t i = 0; i < w->size; i++)
		l->symbol[i] = id_of[(uint8_t)w->text[i]];
	for (uint32_t i = 0; i < w->n; i++) {
		l->begin[i] = w->word[i].at;
		l->length[i] = (uint32_t)w->word[i].size;
		for (uint64_t k = 1; k < w->word[i].size; k++)
			CLI_TRY(pairs_raise(&l->pairs, l->symbol[w->word[i].at + k - 1], l->symbol[w->word[i].at + k], w->word[i].count, i));
	}
	return pairs_push(&l->pairs);
}

int learn_vocabulary(struct learn *l, uint32_t size, int (*said)(void *ctx, uint32_t done, uint32_t all), void *ctx,
		struct bpe_parts *p)
{
	uint8_t id_of[256] = { 0 };
	uint64_t room = 4096;
	struct pair *pair;
	uint32_t id;

	CLI_TRY(begin_parts(l, size, p, id_of));
	CLI_TRY(begin_words(l, id_of));
	while (p->size + 1 < size && (pair = pairs_pop(&l->pairs))) {
		CLI_TRY(add_merge(l, p, &room, pair, &id));
		CLI_TRY(merge(l, pair, id));
		CLI_TRY(said(ctx, p->size, size));
	}
	memcpy(p->text + p->offset[p->size], BPE_END_OF_TEXT, sizeof BPE_END_OF_TEXT - 1);
	p->added[p->n_added++] = p->size++;
	p->offset[p->size] = p->offset[p->size - 1] + sizeof BPE_END_OF_TEXT - 1;
	return 0;
}
