#include "runner/bpe/learn_pairs.h"
#include "runner/bpe/bpe.h"

#include <stdlib.h>

static uint64_t hash(uint32_t left, uint32_t right)
{
	uint64_t h = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u;

	return h ^ h >> 29;
}

static struct pair *place(struct pair *table, uint64_t mask, uint32_t left, uint32_t right)
{
	uint64_t i = hash(left, right) & mask;

	while (table[i].left != BPE_NONE && (table[i].left != left || table[i].right != right))
		i = (i + 1) & mask;
	return &table[i];
}

static int grow_pairs(struct pairs *s)
{
	uint64_t size = s->pair ? 2 * (s->mask + 1) : 1 << 16;
	struct pair *table = malloc(size * sizeof *table);

	if (!table)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	for (uint64_t i = 0; i < size; i++)
		table[i].left = BPE_NONE;
	for (uint64_t i = 0; s->pair && i <= s->mask; i++)
		if (s->pair[i].left != BPE_NONE)
			*place(table, size - 1, s->pair[i].left, s->pair[i].right) = s->pair[i];
	free(s->pair);
	s->pair = table;
	s->mask = size - 1;
	return 0;
}

void pairs_lower(struct pairs *s, uint32_t left, uint32_t right, uint64_t by)
{
	place(s->pair, s->mask, left, right)->count -= (int64_t)by;
}

static int append(struct top **list, uint64_t *n, uint64_t *room, struct top t)
{
	if (*n == *room) {
		uint64_t more = 2 * *room + 4096;
		struct top *to = realloc(*list, more * sizeof *to);
		if (!to)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		*list = to;
		*room = more;
	}
	(*list)[(*n)++] = t;
	return 0;
}

int pairs_raise(struct pairs *s, uint32_t left, uint32_t right, uint64_t by, uint32_t word)
{
	struct pair *p;

	if (!s->pair || 2 * s->n_pairs >= s->mask)
		CLI_TRY(grow_pairs(s));
	p = place(s->pair, s->mask, left, right);
	if (p->left == BPE_NONE) {
		*p = (struct pair){ .left = left, .right = right };
		s->n_pairs++;
	}
	p->count += (int64_t)by;
	if (!p->raised)
		CLI_TRY(append(&s->raised, &s->n_raised, &s->raised_room, (struct top){ 0, left, right }));
	p->raised = true;
	if (p->n && p->word[p->n - 1] == word)
		return 0;
	if (p->n == p->room) {
		uint32_t room = 2 * p->room + 2, *more = realloc(p->word, room * sizeof *more);
		if (!more)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		p->word = more;
		p->room = room;
	}
	p->word[p->n++] = word;
	return 0;
}

/* ---- the heap ---- */

static bool before(const struct top *a, const struct top *b)
{
	if (a->count != b->count)
		return a->count > b->count;
	return a->left != b->left ? a->left < b->left : a->right < b->right;
}

static void sift_up(struct top *heap, uint64_t i)
{
	struct top t = heap[i];

	for (; i && before(&t, &heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = t;
}

static void sift_down(struct top *heap, uint64_t n, struct top t)
{
	uint64_t i = 0, child;

	while ((child = 2 * i + 1) < n) {
		child += child + 1 < n && before(&heap[child + 1], &heap[child]);
		if (!before(&heap[child], &t))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = t;
}

int pairs_push(struct pairs *s)
{
	for (uint64_t i = 0; i < s->n_raised; i++) {
		struct pair *p = place(s->pair, s->mask, s->raised[i].left, s->raised[i].right);
		p->raised = false;
		if (p->count <= 0)
			continue;
		CLI_TRY(append(&s->heap, &s->n_heap, &s->room, (struct top){ p->count, p->left, p->right }));
		sift_up(s->heap, s->n_heap - 1);
	}
	s->n_raised = 0;
	return 0;
}

struct pair *pairs_pop(struct pairs *s)
{
	while (s->n_heap) {
		struct top t = s->heap[0];
		struct pair *p = place(s->pair, s->mask, t.left, t.right);

		if (p->count == t.count) {
			sift_down(s->heap, s->n_heap - 1, s->heap[s->n_heap - 1]);
			s->n_heap--;
			return p;
		}
		t.count = p->count;
		if (t.count > 0) {
			sift_down(s->heap, s->n_heap, t);
		} else {
			sift_down(s->heap, s->n_heap - 1, s->heap[s->n_heap - 1]);
			s->n_heap--;
		}
	}
	return NULL;
}

void pairs_free(struct pairs *s)
{
	for (uint64_t i = 0; s->pair && i <= s->mask; i++)
		free(s->pair[i].left == BPE_NONE ? NULL : s->pair[i].word);
	free(s->pair);
	free(s->heap);
	free(s->raised);
	*s = (struct pairs){ 0 };
}
