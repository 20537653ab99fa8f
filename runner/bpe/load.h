/* load.h - what the readers of the two formats share. */
#ifndef RUNNER_BPE_LOAD_H
#define RUNNER_BPE_LOAD_H

#include "runner/bpe/bpe.h"

#include <jansson.h>

struct load_token {
	char *bytes; /* NULL: no token has this id */
	size_t size;
	bool plain;  /* its characters stood for bytes */
};

struct load {
	const char *path;
	const json_t *vocab;
	struct load_token *token;
	uint32_t size;
	uint64_t room; /* for merges */
	struct bpe_parts parts;
};

int load_json(const char *path, json_t **out);
/* The ids of vocab; more: how many there are at least. */
int load_vocab(struct load *, const json_t *vocab, uint32_t more);
int load_pair(struct load *, const char *left, const char *right);
/* text is what id stands for, and is found in text as it is. */
int load_added(struct load *, uint32_t id, const char *text);
/* The vocabulary, unless status is an error; frees what l holds. */
int load_finish(struct load *l, int status, struct bpe **out);

int load_tokenizer_json(const char *path, struct bpe **out);

#endif
