/*
 * bpe.h - a byte-level BPE vocabulary, as GPT-2 has it: tokens are strings of bytes, and a merge makes one of two.
 *
 *     text -> added tokens, whole ("<|endoftext|>") | words (split.h) -> bytes -> merges, lowest rank first -> ids
 *
 * The ids are those of Hugging Face's tokenizers and of tiktoken.
 */
#ifndef RUNNER_BPE_BPE_H
#define RUNNER_BPE_BPE_H

#include "runner/cli.h"

#define BPE_NONE UINT32_MAX

struct bpe_merge {
	uint32_t left, right, rank, id; /* left == BPE_NONE: an empty place of the table */
};

struct bpe {
	uint32_t size;      /* every id is below it; an id may have no bytes */
	uint64_t *offset;   /* size + 1: where the bytes of each id begin in text */
	char *text;
	uint32_t longest;   /* bytes of the longest token */
	uint32_t *find;     /* table from bytes to ids; find_mask + 1 places */
	uint64_t find_mask;
	struct bpe_merge *merge; /* table from pairs to ranks; merge_mask + 1 places */
	uint64_t merge_mask, n_merges;
	uint32_t byte[256]; /* the tokens of single bytes */
	uint32_t *added;    /* n_added tokens that are found in text as they are, longest first */
	size_t n_added;
	bool whole_words;   /* a word that is a token is that token, whatever the merges make of it */
	uint64_t digest;    /* of all that an id depends on */
};

/* A tokenizer.json, or a folder with vocab.json and merges.txt. */
int bpe_load(const char *path, struct bpe **out);
void bpe_destroy(struct bpe *);

/* What a vocabulary is made of; id i has text[offset[i], offset[i + 1]). */
struct bpe_parts {
	char *text;
	uint64_t *offset;
	uint32_t size;
	uint32_t (*pair)[2]; /* n_pairs merges, by rank */
	uint64_t n_pairs;
	uint32_t *added;
	size_t n_added;
	bool whole_words;
};
/* Takes what parts owns, whatever it returns.  path: for messages. */
int bpe_create(struct bpe_parts *parts, const char *path, struct bpe **out);
void bpe_parts_free(struct bpe_parts *);

/* The id of these bytes, or BPE_NONE. */
uint32_t bpe_find(const struct bpe *, const char *bytes, size_t n);
const struct bpe_merge *bpe_find_merge(const struct bpe *, uint32_t left, uint32_t right);
/* The bytes of an id; none where it has none. */
const char *bpe_bytes(const struct bpe *, uint32_t id, size_t *n);

struct bpe_tokens {
	uint32_t *id;
	size_t count, room;
};
int bpe_push(struct bpe_tokens *, const uint32_t *id, size_t n);

/* Threads: one at a time for each encoder; several may share a vocabulary. */
struct bpe_encoder;
int bpe_encoder_create(const struct bpe *, struct bpe_encoder **);
void bpe_encoder_destroy(struct bpe_encoder *);
/*
 * Appends the ids of text.  last: no text follows; otherwise the end, which what follows could change, is left for the next
 * call, to be given again with more: *used bytes are done.
 */
int bpe_encode(struct bpe_encoder *, const char *text, size_t size, bool last, size_t *used, struct bpe_tokens *);

/*
 * The 256 characters that stand for bytes in vocab.json, merges.txt and tokenizer.json: printable ones for themselves, the
 * others from U+0100 on.
 */
uint32_t bpe_char_of_byte(uint8_t byte);
/* UTF-8 to bytes, into out (room for n): how many, or -1 where a character stands for none. */
long bpe_from_chars(const char *text, size_t n, char *out);
/* The other way, ending with NUL; out: room for 2 * n + 1. */
void bpe_to_chars(const char *bytes, size_t n, char *out);

/* What comes after a document; the last token of what we learn. */
#define BPE_END_OF_TEXT "<|endoftext|>"

/* As tokenizer.json, which appears whole or not at all. */
int bpe_write(const struct bpe_parts *, const char *path);

#endif
