#include "tests/bpe_reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static char class_of[0x110000];

bool reference_classes(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned first, last;
	char line[200], class;

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "%c %x %x", &class, &first, &last) == 3)
			for (unsigned c = first; c <= last; c++)
				class_of[c] = class;
	return f && !fclose(f);
}

char reference_class(uint32_t code)
{
	return class_of[code];
}

/* The character at t: its length; its class, 0 for what is no valid UTF-8. */
static size_t character(const unsigned char *t, size_t n, char *class)
{
	size_t length = t[0] < 0x80 ? 1 : t[0] < 0xe0 ? 2 : t[0] < 0xf0 ? 3 : 4;
	uint32_t code = t[0] < 0x80 ? t[0] : t[0] & (0xffu >> (length + 1));
	char back[5] = "";

	*class = 0;
	for (size_t i = 1; i < length; i++) {
		if (i >= n || t[i] >> 6 != 2)
			return 1;
		code = code << 6 | (t[i] & 0x3f);
	}
	/* Encoded again it must be the same bytes. */
	if (code < 0x80)
		back[0] = (char)code;
	else if (code < 0x800)
		back[0] = (char)(0xc0 | code >> 6), back[1] = (char)(0x80 | (code & 63));
	else if (code < 0x10000)
		back[0] = (char)(0xe0 | code >> 12), back[1] = (char)(0x80 | (code >> 6 & 63)), back[2] = (char)(0x80 | (code & 63));
	else if (code < 0x110000)
		back[0] = (char)(0xf0 | code >> 18), back[1] = (char)(0x80 | (code >> 12 & 63)), back[2] = (char)(0x80 | (code >> 6 & 63)),
		back[3] = (char)(0x80 | (code & 63));
	if (memcmp(back, t, length) || (code >= 0xd800 && code <= 0xdfff))
		return 1;
	*class = class_of[code];
	return length;
}

/* The end of the characters of one class from at on. */
static size_t run(const char *text, size_t size, size_t at, char class)
{
	while (at < size) {
		char c;
		size_t n = character((const unsigned char *)text + at, size - at, &c);
		if (c != class)
			break;
		at += n;
	}
	return at;
}

size_t reference_word(const char *text, size_t size)
{
	static const char *const endings[] = { "'s", "'t", "'re", "'ve", "'m", "'ll", "'d" };
	size_t at = 0, end = 0, last = 0;
	char class;

	for (size_t i = 0; i < 7; i++)
		if (strlen(endings[i]) <= size && !memcmp(text, endings[i], strlen(endings[i])))
			return strlen(endings[i]);
	at += text[0] == ' ' && size > 1;
	character((const unsigned char *)text + at, size - at, &class);
	if (class != 'S')
		return run(text, size, at, class);
	end = run(text, size, 0, 'S');
	for (size_t i = 0; end < size && i < end; last = i, i += character((const unsigned char *)text + i, size - i, &class))
		;
	return end == size || !last ? end : last; /* the last blank goes with the word behind it */
}

/* ---- merges ---- */

static bool is_token(const struct bpe_parts *p, uint32_t id, const char *bytes, size_t n)
{
	return p->offset[id + 1] - p->offset[id] == n && !memcmp(p->text + p->offset[id], bytes, n);
}

static uint32_t token(const struct bpe_parts *p, const char *bytes, size_t n)
{
	uint32_t id = 0;

	while (!is_token(p, id, bytes, n))
		id++;
	return id;
}

void reference_merge(const struct bpe_parts *p, const char *word, size_t n, struct bpe_tokens *out)
{
	size_t begin[1025], count = n;

	for (size_t i = 0; i <= n; i++)
		begin[i] = i;
	for (;;) { /* pieces of the word: [begin[i], begin[i + 1]) */
		uint64_t best = p->n_pairs;
		size_t at = 0;

		for (size_t i = 0; i + 2 <= count; i++)
			for (uint64_t m = 0; m < best; m++)
				if (is_token(p, p->pair[m][0], word + begin[i], begin[i + 1] - begin[i]) &&
						is_token(p, p->pair[m][1], word + begin[i + 1], begin[i + 2] - begin[i + 1])) {
					best = m;
					at = i;
				}
		if (best == p->n_pairs)
			break;
		memmove(begin + at + 1, begin + at + 2, (count - at - 1) * sizeof *begin);
		count--;
	}
	for (size_t i = 0; i < count; i++)
		bpe_push(out, &(uint32_t){ token(p, word + begin[i], begin[i + 1] - begin[i]) }, 1);
}

/* ---- learning ---- */

/* Tokens of the text, and where words end. */
struct sequence {
	uint32_t *id;
	bool *ends;
	size_t n;
};

static uint64_t count_most(const struct sequence *s, uint32_t size, uint32_t best[2])
{
	uint32_t *count = calloc((size_t)size * size, sizeof *count);
	uint64_t most = 0;

	for (size_t i = 0; i + 1 < s->n; i++)
		if (!s->ends[i])
			count[s->id[i] * size + s->id[i + 1]]++;
	for (uint32_t a = 0; a < size; a++)
		for (uint32_t b = 0; b < size; b++)
			if (count[a * size + b] > most) {
				most = count[a * size + b];
				best[0] = a;
				best[1] = b;
			}
	free(count);
	return most;
}

static void replace(struct sequence *s, const uint32_t pair[2], uint32_t id)
{
	size_t to = 0;

	for (size_t i = 0; i < s->n; i++, to++) {
		bool hit = i + 1 < s->n && !s->ends[i] && s->id[i] == pair[0] && s->id[i + 1] == pair[1];
		s->id[to] = hit ? id : s->id[i];
		s->ends[to] = s->ends[hit ? i + 1 : i];
		i += hit;
	}
	s->n = to;
}

static uint32_t byte_id(uint8_t b)
{
	uint32_t id = 0;

	for (int other = 0; other < 256; other++)
		id += bpe_char_of_byte((uint8_t)other) < bpe_char_of_byte(b);
	return id;
}

uint64_t reference_learn(const char *text, size_t n, uint32_t size, uint32_t (*pair)[2])
{
	struct sequence s = { malloc(n * sizeof(*s.id)), calloc(n, sizeof(*s.ends)), n };
	uint64_t n_pairs = 0;

	for (size_t i = 0; i < n; i++)
		s.id[i] = byte_id((uint8_t)text[i]);
	for (size_t at = 0; at < n; s.ends[at - 1] = true)
		at += reference_word(text + at, n - at);
	for (uint32_t id = 256; id + 1 < size && count_most(&s, size, pair[n_pairs]); id++)
		replace(&s, pair[n_pairs++], id);
	free(s.id);
	free(s.ends);
	return n_pairs;
}
