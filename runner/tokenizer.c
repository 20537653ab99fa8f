#include "runner/tokenizer.h"

#include <stdlib.h>
#include <string.h>

struct kind {
	const char *name; /* NULL: of a file */
	int (*open)(struct tokenizer *, const char *path);
	int (*encode)(struct tokenizer *, const char *text, size_t size, bool last, size_t *used, struct bpe_tokens *);
	const char *(*decode)(const struct tokenizer *, uint32_t token, size_t *n);
};

struct tokenizer {
	const struct kind *kind;
	uint32_t size;
	char byte[256];
	struct bpe *bpe;
	struct bpe_encoder *encoder;
};

static int bytes_open(struct tokenizer *t, const char *path)
{
	(void)path;
	t->size = 256;
	for (int i = 0; i < 256; i++)
		t->byte[i] = (char)i;
	return 0;
}

static int bytes_encode(struct tokenizer *t, const char *text, size_t size, bool last, size_t *used, struct bpe_tokens *out)
{
	(void)t, (void)last;
	*used = 0;
	for (; *used < size; ++*used)
		CLI_TRY(bpe_push(out, &(uint32_t){ (uint8_t)text[*used] }, 1));
	return 0;
}

static const char *bytes_decode(const struct tokenizer *t, uint32_t token, size_t *n)
{
	*n = token < 256;
	return token < 256 ? &t->byte[token] : "";
}

static int bpe_open(struct tokenizer *t, const char *path)
{
	CLI_TRY(bpe_load(path, &t->bpe));
	t->size = t->bpe->size;
	return bpe_encoder_create(t->bpe, &t->encoder);
}

static int bpe_encode_text(struct tokenizer *t, const char *text, size_t size, bool last, size_t *used, struct bpe_tokens *out)
{
	return bpe_encode(t->encoder, text, size, last, used, out);
}

static const char *bpe_decode(const struct tokenizer *t, uint32_t token, size_t *n)
{
	return bpe_bytes(t->bpe, token, n);
}

static const struct kind kinds[] = {
	{ "bytes", bytes_open, bytes_encode, bytes_decode },
	{ NULL, bpe_open, bpe_encode_text, bpe_decode },
};

static const struct kind *find_kind(const char *name)
{
	size_t i = 0;

	while (kinds[i].name && strcmp(kinds[i].name, name))
		i++;
	return &kinds[i];
}

bool tokenizer_known(const char *name)
{
	return find_kind(name)->name;
}

int tokenizer_open(const char *name, struct tokenizer **out)
{
	struct tokenizer *t = *out = calloc(1, sizeof *t);
	int status;

	if (!t)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	t->kind = find_kind(name);
	status = t->kind->open(t, name);
	if (status < 0) {
		tokenizer_close(t);
		*out = NULL;
	}
	return status;
}

void tokenizer_close(struct tokenizer *t)
{
	if (!t)
		return;
	bpe_encoder_destroy(t->encoder);
	bpe_destroy(t->bpe);
	free(t);
}

uint32_t tokenizer_size(const struct tokenizer *t)
{
	return t->size;
}

uint64_t tokenizer_digest(const struct tokenizer *t)
{
	return t->bpe ? t->bpe->digest : 0;
}

int tokenizer_encode(struct tokenizer *t, const char *text, size_t size, bool last, size_t *used, struct bpe_tokens *out)
{
	return t->kind->encode(t, text, size, last, used, out);
}

int tokenizer_check(struct tokenizer *t, const char *text, size_t size, uint64_t vocab_size)
{
	struct bpe_tokens tokens = { 0 };
	size_t used, at = 0, n;
	int status = tokenizer_encode(t, text, size, true, &used, &tokens);

	for (size_t i = 0; i < tokens.count && status >= 0; i++, at += n) {
		tokenizer_decode(t, tokens.id[i], &n);
		if (tokens.id[i] >= vocab_size)
			status = hlx_fail(HLX_EINVAL, "byte %zu of the prompt %s %u, and vocab_size = %llu ends below that", at,
					t->bpe ? "begins token" : "is", tokens.id[i], (unsigned long long)vocab_size);
	}
	free(tokens.id);
	return status;
}

const char *tokenizer_decode(const struct tokenizer *t, uint32_t token, size_t *n)
{
	return t->kind->decode(t, token, n);
}

uint32_t tokenizer_start(const struct tokenizer *t, uint64_t vocab_size)
{
	uint32_t end = t->bpe ? bpe_find(t->bpe, BPE_END_OF_TEXT, strlen(BPE_END_OF_TEXT)) : BPE_NONE, line = t->bpe ? t->bpe->byte['\n'] : '\n';

	return end < vocab_size ? end : line < vocab_size ? line : 0;
}

void tokenizer_print(FILE *f, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		putc((c < 32 && c != '\n' && c != '\t') || c == 127 ? '?' : c, f);
	}
}
