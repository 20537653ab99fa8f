/* bpe_texts.c - texts that are hard to tokenize, and a vocabulary of one. */
#include "tests/bpe_texts.h"
#include "runner/bpe/split.h"
#include "tests/bpe_reference.h"

char *text;
size_t text_size;

char *read_all(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *out = malloc(1 << 24);

	*n = f ? fread(out, 1, 1 << 24, f) : 0;
	if (f)
		fclose(f);
	ck_assert_msg(*n, "%s", path);
	return out;
}

static const char *source(const char *name)
{
	static char path[4096];
	const char *top = getenv("top_srcdir");

	snprintf(path, sizeof path, "%s/%s", top ? top : ".", name);
	return path;
}

void text_begin(void)
{
	text = read_all(source("README.md"), &text_size);
	text_size = text_size > 6000 ? 6000 : text_size;
	ck_assert(reference_classes(source("runner/bpe/unicode.txt")));
}

void text_end(void)
{
	free(text);
}

bool have_bpe(void)
{
	struct split *s;

	if (split_create(&s) == HLX_ENOTSUP) {
		printf("SKIP: %s\n", hlx_message());
		return false;
	}
	split_destroy(s);
	return true;
}

uint32_t draw(uint32_t n)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % n);
}

static const char *const pieces[] = {
	"'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'", "\u2019s", " ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\x1c", "\xc2\x85",
	"\u00a0", "\u3000", "\u2028", "\ufeff", "a", "Zb", "the", "\u00e9", "\u00df", "\u6f22", "\u2167", "\u00b2", "\u00bd", "\u0663",
	"123", "!", "...", "$", "_", "\U0001F469\u200d\U0001F467", "\U0001F1E9\U0001F1EA", "e\u0301", "\x7f", "\x1b", "\u180e", "\U0001D518",
	"<|endoftext|>", "<|endo", "\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x9f\x98", "\x80",
	"\xf8\x88", "\xc3",
};

char *make_stress(size_t n, size_t *size)
{
	char *out = malloc(32 * n);

	*size = 0;
	for (size_t i = 0; i < n; i++) {
		const char *piece = pieces[draw(sizeof pieces / sizeof *pieces)];
		size_t length = strlen(piece);
		if (i % 50 == 0)
			piece = "", length = 1; /* a NUL */
		memcpy(out + *size, piece, length);
		*size += length;
	}
	return out;
}

static int say(void *ctx, uint32_t done, uint32_t all)
{
	(void)ctx;
	ck_assert_uint_le(done, all);
	return 0;
}

void learn(const char *bytes, size_t n, uint32_t size, size_t step, struct bpe_parts *out)
{
	struct learn *l;
	size_t used, from = 0, to = 0;

	ck_assert_msg(learn_create(&l) == 0, "%s", hlx_message());
	while (to < n) {
		to = n - to < step ? n : to + step;
		ck_assert_int_eq(learn_text(l, bytes + from, to - from, to == n, &used), 0);
		from += used;
	}
	ck_assert_uint_eq(from, n);
	ck_assert_int_eq(learn_vocabulary(l, size, say, NULL, out), 0);
	learn_destroy(l);
}

void encode(const struct bpe *b, const char *bytes, size_t n, size_t step, struct bpe_tokens *out)
{
	struct bpe_encoder *e;
	size_t used, from = 0, to = 0;

	out->count = 0;
	ck_assert_int_eq(bpe_encoder_create(b, &e), 0);
	do {
		to = n - to < step ? n : to + step;
		ck_assert_int_eq(bpe_encode(e, bytes + from, to - from, to == n, &used, out), 0);
		from += used;
	} while (to < n);
	ck_assert_uint_eq(from, n);
	bpe_encoder_destroy(e);
}

void check_round(const struct bpe *b, const struct bpe_tokens *t, const char *bytes, size_t n)
{
	size_t at = 0, size;

	for (size_t i = 0; i < t->count; i++, at += size) {
		const char *token = bpe_bytes(b, t->id[i], &size);
		if (!size || at + size > n || memcmp(token, bytes + at, size))
			ck_abort_msg("token %zu of %zu is not what stands at byte %zu", i, t->count, at);
	}
	ck_assert_uint_eq(at, n);
}

struct bpe *make_bpe(uint32_t size)
{
	struct bpe_parts p;
	struct bpe *b;

	learn(text, text_size, size, 1 << 20, &p);
	ck_assert_msg(bpe_create(&p, "ours", &b) == 0, "%s", hlx_message());
	return b;
}
