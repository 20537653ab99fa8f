/*
 * encode.c - text to ids.
 *
 * A word's bytes are a linked list of symbols, and the pairs that have a rank wait in a heap, lowest rank first, leftmost
 * of equals: n log n for a word of n bytes, where trying each merge in turn costs n^2.  Words repeat, so most are answered
 * by a cache of those that were short.
 */
#include "runner/bpe/bpe.h"
#include "runner/bpe/split.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define CACHE_WORD 16 /* bytes: 99 % of the words of prose */
#define CACHE_IDS 6
#define CACHE_SIZE (1u << 16) /* 3 MiB */

struct cached {
	char word[CACHE_WORD];
	uint32_t id[CACHE_IDS];
	uint8_t size, count; /* size 0: empty */
};

struct symbol {
	uint32_t id, prev, next; /* places in the word; BPE_NONE at its ends, id BPE_NONE where it was merged away */
};

struct candidate {
	uint32_t rank, at, id; /* the symbol at at and its next make id */
};

struct bpe_encoder {
	const struct bpe *bpe;
	struct split *split;
	struct cached *cache;
	struct symbol *symbol;
	struct candidate *heap;
	size_t n_heap, room; /* room: bytes of a word */
	bool begins[256];    /* bytes that an added token begins with */
	struct bpe_tokens *out;
};

int bpe_push(struct bpe_tokens *t, const uint32_t *id, size_t n)
{
	if (t->count + n > t->room) {
		size_t room = 2 * t->room + n + 1024;
		uint32_t *more = realloc(t->id, room * sizeof *more);
		if (!more)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		t->id = more;
		t->room = room;
	}
	memcpy(t->id + t->count, id, n * sizeof *id);
	t->count += n;
	return 0;
}

int bpe_encoder_create(const struct bpe *b, struct bpe_encoder **out)
{
	struct bpe_encoder *e = *out = calloc(1, sizeof *e);
	int status = e ? split_create(&e->split) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0 && !(e->cache = calloc(CACHE_SIZE, sizeof(*e->cache))))
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	if (status < 0) {
		bpe_encoder_destroy(e);
		*out = NULL;
		return status;
	}
	e->bpe = b;
	for (size_t i = 0; i < b->n_added; i++) {
		size_t n;
		e->begins[(uint8_t)*bpe_bytes(b, b->added[i], &n)] = true;
	}
	return 0;
}

void bpe_encoder_destroy(struct bpe_encoder *e)
{
	if (!e)
		return;
	split_destroy(e->split);
	free(e->cache);
	free(e->symbol);
	free(e->heap);
	free(e);
}

/* ---- a word ---- */

static bool before(const struct candidate *a, const struct candidate *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void add(struct bpe_encoder *e, uint32_t at)
{
	const struct symbol *s = &e->symbol[at];
	const struct bpe_merge *m = s->next == BPE_NONE ? NULL : bpe_find_merge(e->bpe, s->id, e->symbol[s->next].id);
	struct candidate c;
	size_t i;

	if (!m)
		return;
	c = (struct candidate){ m->rank, at, m->id };
	for (i = e->n_heap++; i && before(&c, &e->heap[(i - 1) / 2]); i = (i - 1) / 2)
		e->heap[i] = e->heap[(i - 1) / 2];
	e->heap[i] = c;
}

static struct candidate take(struct bpe_encoder *e)
{
	struct candidate top = e->heap[0], last = e->heap[--e->n_heap];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < e->n_heap) {
		child += child + 1 < e->n_heap && before(&e->heap[child + 1], &e->heap[child]);
		if (!before(&e->heap[child], &last))
			break;
		e->heap[i] = e->heap[child];
		i = child;
	}
	e->heap[i] = last;
	return top;
}

/* Each merge takes one candidate out and puts up to two in: n - 1 and 2 (n - 1) are the most there can be. */
static int make_room(struct bpe_encoder *e, size_t n)
{
	if (n <= e->room)
		return 0;
	if (n > 1u << 28)
		return hlx_fail(HLX_EIO, "a word of more than 256 MiB");
	free(e->symbol);
	free(e->heap);
	e->room = 0;
	e->symbol = malloc(n * sizeof(*e->symbol));
	e->heap = malloc(3 * n * sizeof(*e->heap));
	if (!e->symbol || !e->heap)
		return hlx_fail(HLX_ENOMEM, "out of memory for a word of %zu bytes", n);
	e->room = n;
	return 0;
}

static void merge(struct bpe_encoder *e, struct candidate c)
{
	struct symbol *s = &e->symbol[c.at], *next;
	const struct bpe_merge *m;

	if (s->id == BPE_NONE || s->next == BPE_NONE)
		return;
	next = &e->symbol[s->next];
	m = bpe_find_merge(e->bpe, s->id, next->id);
	if (!m || m->id != c.id) /* one of the two has been merged since */
		return;
	s->id = c.id;
	next->id = BPE_NONE;
	s->next = next->next;
	if (s->next != BPE_NONE)
		e->symbol[s->next].prev = c.at;
	if (s->prev != BPE_NONE)
		add(e, s->prev);
	add(e, c.at);
}

static int merge_word(struct bpe_encoder *e, const char *word, size_t n)
{
	uint32_t whole = e->bpe->whole_words ? bpe_find(e->bpe, word, n) : BPE_NONE;

	if (whole != BPE_NONE)
		return bpe_push(e->out, &whole, 1);
	CLI_TRY(make_room(e, n));
	for (uint32_t i = 0; i < n; i++)
		e->symbol[i] = (struct symbol){ e->bpe->byte[(uint8_t)word[i]], i ? i - 1 : BPE_NONE, i + 1 < n ? i + 1 : BPE_NONE };
	e->n_heap = 0;
	for (uint32_t i = 0; i + 1 < n; i++)
		add(e, i);
	while (e->n_heap)
		merge(e, take(e));
	for (uint32_t i = 0; i != BPE_NONE; i = e->symbol[i].next)
		CLI_TRY(bpe_push(e->out, &e->symbol[i].id, 1));
	return 0;
}

static int take_word(void *ctx, const char *word, size_t n)
{
	struct bpe_encoder *e = ctx;
	struct cached *c;
	size_t from = e->out->count, count;

	if (n > CACHE_WORD)
		return merge_word(e, word, n);
	c = &e->cache[XXH3_64bits(word, n) % CACHE_SIZE];
	if (c->size == n && !memcmp(c->word, word, n))
		return bpe_push(e->out, c->id, c->count);
	CLI_TRY(merge_word(e, word, n));
	count = e->out->count - from;
	if (count > CACHE_IDS)
		return 0;
	memcpy(c->word, word, n);
	memcpy(c->id, e->out->id + from, count * sizeof(*c->id));
	c->size = (uint8_t)n;
	c->count = (uint8_t)count;
	return 0;
}

/* ---- text ---- */

enum { ADDED_NONE, ADDED_HERE, ADDED_PERHAPS }; /* perhaps: the text ends within it */

static int added_at(const struct bpe_encoder *e, const char *text, size_t size, bool last, uint32_t *id, size_t *length)
{
	for (size_t i = 0; i < e->bpe->n_added; i++) { /* longest first */
		const char *token = bpe_bytes(e->bpe, e->bpe->added[i], length);
		if (*length <= size && !memcmp(text, token, *length)) {
			*id = e->bpe->added[i];
			return ADDED_HERE;
		}
		if (*length > size && !last && !memcmp(text, token, size))
			return ADDED_PERHAPS;
	}
	return ADDED_NONE;
}

int bpe_encode(struct bpe_encoder *e, const char *text, size_t size, bool last, size_t *used, struct bpe_tokens *out)
{
	size_t from = 0, taken = 0;

	*used = 0;
	e->out = out;
	for (size_t i = 0; i < size; i++) {
		size_t length = 0;
		uint32_t id = 0;
		int found = e->begins[(uint8_t)text[i]] ? added_at(e, text + i, size - i, last, &id, &length) : ADDED_NONE;

		if (found == ADDED_PERHAPS) {
			size = i;
			last = false;
		} else if (found == ADDED_HERE) {
			CLI_TRY(split_text(e->split, text + from, i - from, true, &taken, take_word, e));
			CLI_TRY(bpe_push(out, &id, 1));
			from = i + length;
			i = from - 1;
			*used = from;
		}
	}
	CLI_TRY(split_text(e->split, text + from, size - from, last, &taken, take_word, e));
	*used = from + taken;
	return 0;
}
