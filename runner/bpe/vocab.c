/* vocab.c - the tables of a vocabulary: bytes to id, pair to rank. */
#include "runner/bpe/bpe.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static uint64_t table_size(uint64_t n)
{
	uint64_t size = 16;

	while (size < 2 * n) /* at most half full */
		size *= 2;
	return size;
}

static uint64_t pair_hash(uint32_t left, uint32_t right)
{
	uint64_t h = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u;

	return h ^ h >> 29;
}

const char *bpe_bytes(const struct bpe *b, uint32_t id, size_t *n)
{
	*n = id < b->size ? b->offset[id + 1] - b->offset[id] : 0;
	return *n ? b->text + b->offset[id] : "";
}

uint32_t bpe_find(const struct bpe *b, const char *bytes, size_t n)
{
	for (uint64_t i = XXH3_64bits(bytes, n) & b->find_mask; b->find[i] != BPE_NONE; i = (i + 1) & b->find_mask) {
		size_t size;
		const char *text = bpe_bytes(b, b->find[i], &size);
		if (size == n && !memcmp(text, bytes, n))
			return b->find[i];
	}
	return BPE_NONE;
}

const struct bpe_merge *bpe_find_merge(const struct bpe *b, uint32_t left, uint32_t right)
{
	const struct bpe_merge *m;

	for (uint64_t i = pair_hash(left, right);; i++) {
		m = &b->merge[i & b->merge_mask];
		if (m->left == left && m->right == right)
			return m;
		if (m->left == BPE_NONE)
			return NULL;
	}
}

static int fill_find(struct bpe *b, const char *path)
{
	b->find_mask = table_size(b->size) - 1;
	if (!(b->find = malloc((b->find_mask + 1) * sizeof(*b->find))))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	memset(b->find, 0xff, (b->find_mask + 1) * sizeof(*b->find));
	for (uint32_t id = 0; id < b->size; id++) {
		size_t n;
		const char *bytes = bpe_bytes(b, id, &n);
		uint64_t i = XXH3_64bits(bytes, n) & b->find_mask;

		if (!n)
			continue;
		if (bpe_find(b, bytes, n) != BPE_NONE)
			return hlx_fail(HLX_EIO, "%s: tokens %u and %u are the same", path, bpe_find(b, bytes, n), id);
		while (b->find[i] != BPE_NONE)
			i = (i + 1) & b->find_mask;
		b->find[i] = id;
		b->longest = n > b->longest ? (uint32_t)n : b->longest;
	}
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		if ((b->byte[c] = bpe_find(b, &byte, 1)) == BPE_NONE)
			return hlx_fail(HLX_EIO, "%s: has no token for byte %d; a byte-level vocabulary has all 256", path, c);
	}
	return 0;
}

static int add_merge(struct bpe *b, const uint32_t pair[2], uint32_t rank, char *room, const char *path)
{
	uint64_t i = pair_hash(pair[0], pair[1]);
	size_t n, m;
	const char *left = bpe_bytes(b, pair[0], &n), *right = bpe_bytes(b, pair[1], &m);
	uint32_t id;

	memcpy(room, left, n);
	memcpy(room + n, right, m);
	id = n && m ? bpe_find(b, room, n + m) : BPE_NONE;
	if (id == BPE_NONE)
		return hlx_fail(HLX_EIO, "%s: merge %u makes a token that is not in the vocabulary", path, rank);
	while (b->merge[i & b->merge_mask].left != BPE_NONE) {
		const struct bpe_merge *other = &b->merge[i & b->merge_mask];
		if (other->left == pair[0] && other->right == pair[1])
			return hlx_fail(HLX_EIO, "%s: merges %u and %u are the same", path, other->rank, rank);
		i++;
	}
	b->merge[i & b->merge_mask] = (struct bpe_merge){ pair[0], pair[1], rank, id };
	return 0;
}

static int fill_merges(struct bpe *b, const struct bpe_parts *parts, const char *path)
{
	char *room = malloc(2 * (size_t)b->longest + 1);
	int status = 0;

	b->merge_mask = table_size(parts->n_pairs) - 1;
	b->merge = malloc((b->merge_mask + 1) * sizeof(*b->merge));
	if (!room || !b->merge)
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	else
		memset(b->merge, 0xff, (b->merge_mask + 1) * sizeof(*b->merge));
	for (uint64_t i = 0; i < parts->n_pairs && status >= 0; i++)
		status = add_merge(b, parts->pair[i], (uint32_t)i, room, path);
	b->n_merges = parts->n_pairs;
	free(room);
	return status;
}

static uint64_t digest(const struct bpe *b, const struct bpe_parts *parts)
{
	XXH64_hash_t h = XXH64(b->offset, (b->size + 1) * sizeof(*b->offset), b->whole_words);

	h = XXH64(b->text, b->offset[b->size], h);
	h = XXH64(parts->pair, parts->n_pairs * sizeof(*parts->pair), h);
	return XXH64(b->added, b->n_added * sizeof(*b->added), h);
}

static int longer(const void *a, const void *b, void *ctx)
{
	size_t n, m;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

	bpe_bytes(ctx, i, &n);
	bpe_bytes(ctx, j, &m);
	return n != m ? (n > m ? -1 : 1) : i < j ? -1 : i > j;
}

int bpe_create(struct bpe_parts *parts, const char *path, struct bpe **out)
{
	struct bpe *b = *out = calloc(1, sizeof *b);
	int status;

	if (!b) {
		bpe_parts_free(parts);
		return hlx_fail(HLX_ENOMEM, "out of memory");
	}
	*b = (struct bpe){ .size = parts->size, .offset = parts->offset, .text = parts->text, .added = parts->added,
		.n_added = parts->n_added, .whole_words = parts->whole_words };
	parts->offset = NULL;
	parts->text = NULL;
	parts->added = NULL;
	status = fill_find(b, path);
	if (status >= 0)
		status = fill_merges(b, parts, path);
	if (status >= 0) {
		if (b->n_added)
			qsort_r(b->added, b->n_added, sizeof(*b->added), longer, b);
		b->digest = digest(b, parts);
	} else {
		bpe_destroy(b);
		*out = NULL;
	}
	bpe_parts_free(parts);
	return status;
}

void bpe_parts_free(struct bpe_parts *p)
{
	free(p->text);
	free(p->offset);
	free(p->pair);
	free(p->added);
	*p = (struct bpe_parts){ 0 };
}

void bpe_destroy(struct bpe *b)
{
	if (!b)
		return;
	free(b->added);
	free(b->merge);
	free(b->find);
	free(b->text);
	free(b->offset);
	free(b);
}
