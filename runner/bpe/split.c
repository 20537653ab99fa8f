#include "runner/bpe/split.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { LETTER, NUMBER, SPACE, OTHER };

static const struct {
	uint8_t kind;
	uint32_t first, last;
} ranges[] = {
#define L LETTER
#define N NUMBER
#define S SPACE
#include "runner/bpe/unicode.h" /* made from unicode.txt: { L, 0x41, 0x5A }, ... */
#undef L
#undef N
#undef S
};

/*
 * The byte of a character: itself where it is ASCII, else 0x80 + 8 * (its length in UTF-8 - 1) + its kind.  An invalid
 * byte has length 1.
 */
#define LETTERS "A-Za-z\\x88\\x90\\x98"
#define NUMBERS "0-9\\x89\\x91\\x99"
#define SPACES "\\t-\\r \\x8a\\x92\\x9a"
#define INVALID (0x80 | OTHER)
static const char pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?[" LETTERS "]+| ?[" NUMBERS "]+| ?[^" SPACES LETTERS NUMBERS "]+|["
	SPACES "]+(?![^" SPACES "])|[" SPACES "]+";

struct split {
	pcre2_code *code;
	pcre2_match_data *match;
	uint8_t *kind; /* of each code point */
	uint8_t *kinds; /* of the text at hand */
	size_t room;
};

static int compile(struct split *s)
{
	PCRE2_UCHAR why[120];
	PCRE2_SIZE at;
	int error;

	s->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &error, &at, NULL);
	if (!s->code) {
		pcre2_get_error_message(error, why, sizeof why);
		return hlx_fail(HLX_ENOTSUP, "pcre2 does not take GPT-2's pattern: %s", (char *)why);
	}
	pcre2_jit_compile(s->code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD); /* without it: slower, the same words */
	s->match = pcre2_match_data_create_from_pattern(s->code, NULL);
	return s->match ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
}

int split_create(struct split **out)
{
	struct split *s = *out = calloc(1, sizeof *s);
	int status = 0;

	if (!s || !(s->kind = malloc(0x110000)))
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	if (status >= 0) {
		memset(s->kind, OTHER, 0x110000);
		for (size_t i = 0; i < CLI_COUNT(ranges); i++)
			memset(s->kind + ranges[i].first, ranges[i].kind, ranges[i].last - ranges[i].first + 1);
		status = compile(s);
	}
	if (status < 0) {
		split_destroy(s);
		*out = NULL;
	}
	return status;
}

void split_destroy(struct split *s)
{
	if (!s)
		return;
	pcre2_match_data_free(s->match);
	pcre2_code_free(s->code);
	free(s->kinds);
	free(s->kind);
	free(s);
}

/* The length of the character of two bytes or more at t, or 0 where it is invalid: cut short, overlong, a surrogate, too big. */
static size_t decode(const uint8_t *t, size_t n, uint32_t *code)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = t[0] >= 0xf0 ? 4 : t[0] >= 0xe0 ? 3 : 2;

	if (t[0] < 0xc2 || t[0] > 0xf4 || length > n)
		return 0;
	*code = t[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((t[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (t[i] & 0x3f);
	}
	return *code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : length;
}

/* Could the n bytes at t, fewer than 4, be the beginning of a character? */
static bool cut_short(const uint8_t *t, size_t n)
{
	size_t length = t[0] >= 0xf0 ? 4 : t[0] >= 0xe0 ? 3 : 2;

	for (size_t i = 1; i < n; i++)
		if ((t[i] & 0xc0) != 0x80)
			return false;
	return t[0] >= 0xc2 && t[0] <= 0xf4 && n < length;
}

/* The kinds of text's characters; without last, a character that is cut short at the end is left. */
static size_t classify(struct split *s, const uint8_t *text, size_t size, bool last)
{
	size_t n = 0;

	for (size_t i = 0; i < size; n++) {
		uint32_t code;
		size_t length;

		if (text[i] < 0x80) {
			s->kinds[n] = text[i++];
			continue;
		}
		length = decode(text + i, size - i, &code);
		if (!length && !last && size - i < 4 && cut_short(text + i, size - i))
			break;
		s->kinds[n] = length ? (uint8_t)(0x80 | (length - 1) << 3 | s->kind[code]) : INVALID;
		i += length ? length : 1;
	}
	return n;
}

static size_t bytes_of(const uint8_t *kinds, size_t n)
{
	size_t bytes = n;

	for (size_t i = 0; i < n; i++)
		bytes += kinds[i] < 0x80 ? 0 : (kinds[i] >> 3) & 3;
	return bytes;
}

int split_text(struct split *s, const char *text, size_t size, bool last, size_t *used, split_take take, void *ctx)
{
	size_t n, at = 0, *ends = pcre2_get_ovector_pointer(s->match);

	*used = 0;
	if (size > s->room) {
		free(s->kinds);
		s->room = 0;
		if (!(s->kinds = malloc(size)))
			return hlx_fail(HLX_ENOMEM, "out of memory");
		s->room = size;
	}
	n = classify(s, (const uint8_t *)text, size, last);
	while (at < n) {
		int found = pcre2_match(s->code, s->kinds, n, at, last ? 0 : PCRE2_PARTIAL_HARD, s->match, NULL);
		size_t bytes;

		if (found == PCRE2_ERROR_PARTIAL)
			return 0;
		if (found < 0 || ends[0] != at || ends[1] <= at) /* every character begins a word */
			return hlx_fail(HLX_ENOTSUP, "pcre2 failed to split the text (error %d)", found);
		bytes = bytes_of(s->kinds + at, ends[1] - at);
		CLI_TRY(take(ctx, text + *used, bytes));
		*used += bytes;
		at = ends[1];
	}
	return 0;
}

#else

int split_create(struct split **out)
{
	*out = NULL;
	return hlx_fail(HLX_ENOTSUP, "this hlxt was built without pcre2, which BPE splits text with: "
			"install it (apt install libpcre2-dev) and configure again");
}

void split_destroy(struct split *s)
{
	free(s);
}

int split_text(struct split *s, const char *text, size_t size, bool last, size_t *used, split_take take, void *ctx)
{
	(void)s, (void)text, (void)size, (void)last, (void)take, (void)ctx;
	*used = 0;
	return hlx_fail(HLX_ENOTSUP, "built without pcre2");
}

#endif
