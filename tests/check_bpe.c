/* check_bpe.c - BPE against a slow reference: words, merges, learning; files, whole and damaged. */
#include "runner/bpe/learn.h"
#include "runner/bpe/split.h"
#include "tests/bpe_reference.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE 420

static char *text; /* of this project: the README, three times with other words between */
static size_t text_size;
static char dir[64];

static char *read_all(const char *path, size_t *n)
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

static void begin(void)
{
	text = read_all(source("README.md"), &text_size);
	text_size = text_size > 6000 ? 6000 : text_size;
	ck_assert(reference_classes(source("runner/bpe/unicode.txt")));
	strcpy(dir, "/tmp/hlx-bpe-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void end(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
	free(text);
}

static char *path_of(const char *name)
{
	static char path[4][128];
	static unsigned at;
	char *p = path[at++ % 4];

	snprintf(p, 128, "%s/%s", dir, name);
	return p;
}

static void write_file(const char *path, const char *bytes, size_t n)
{
	FILE *f;

	unlink(path); /* writing over one waits for the disk */
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static uint64_t seed = 1;

static uint32_t draw(uint32_t n)
{
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

static char *make_stress(size_t n, size_t *size)
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

/* ---- words ---- */

struct check {
	const char *text;
	size_t size, at, words;
};

static int check_word(void *ctx, const char *word, size_t n)
{
	struct check *c = ctx;
	size_t want = reference_word(c->text + c->at, c->size - c->at);

	if (word != c->text + c->at || n != want) /* 16 million words: an assertion each takes a minute */
		ck_abort_msg("at byte %zu: %zu bytes, want %zu: %.20s", c->at, n, want, word);
	c->at += n;
	c->words++;
	return 0;
}

static void check_words(const char *bytes, size_t size)
{
	struct check c = { bytes, size, 0, 0 };
	struct split *s;
	size_t used;

	ck_assert_int_eq(split_create(&s), 0);
	ck_assert_int_eq(split_text(s, bytes, size, true, &used, check_word, &c), 0);
	ck_assert_uint_eq(used, size);
	ck_assert_uint_eq(c.at, size);
	split_destroy(s);
}

START_TEST(words_are_the_pattern_s)
{
	size_t n;
	char *stress = make_stress(200000, &n);

	check_words(stress, n);
	check_words(text, text_size);
	for (size_t i = 0; i < n; i++)
		stress[i] = (char)draw(256);
	check_words(stress, n);
	check_words("", 0);
	check_words(" ", 1);
	free(stress);
}
END_TEST

static size_t put_char(uint32_t c, char *out)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 63));
	out[0] = (char)(n == 1 ? c : c | (0xf00u >> n & 0xff));
	return n;
}

/* Every code point, surrogates too, where its class decides: between letters, digits, blanks and marks. */
START_TEST(every_code_point)
{
	char *all = malloc(0x110000u * 40);
	size_t n = 0, count[128] = { 0 };

	for (uint32_t c = 0; c < 0x110000; c++) {
		static const char *const between[] = { "a", "b1", "2 ", "!", "?  ", "z\n" };
		count[(int)reference_class(c)]++;
		for (size_t i = 0; i < 6; i++) {
			n += put_char(c, all + n);
			memcpy(all + n, between[i], strlen(between[i]));
			n += strlen(between[i]);
		}
	}
	check_words(all, n);
	free(all);
	/* Unicode 15.0, for good: ids must not change with a library. */
	ck_assert_uint_eq(count['L'], 136104);
	ck_assert_uint_eq(count['N'], 1831);
	ck_assert_uint_eq(count['S'], 25);
}
END_TEST

/* ---- a vocabulary of our own ---- */

static int say(void *ctx, uint32_t done, uint32_t all)
{
	(void)ctx;
	ck_assert_uint_le(done, all);
	return 0;
}

static void learn(const char *bytes, size_t n, uint32_t size, size_t step, struct bpe_parts *out)
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

START_TEST(learns_what_the_reference_learns)
{
	uint32_t (*pair)[2] = malloc(SIZE * sizeof *pair);
	static const size_t steps[] = { 1 << 20, 1000, 7 };
	uint64_t n = reference_learn(text, text_size, SIZE, pair);

	ck_assert_uint_eq(n, SIZE - 257);
	for (size_t i = 0; i < 3; i++) {
		struct bpe_parts p;
		learn(text, text_size, SIZE, steps[i], &p);
		ck_assert_uint_eq(p.size, SIZE);
		ck_assert_uint_eq(p.n_pairs, n);
		ck_assert_mem_eq(p.pair, pair, n * sizeof *pair);
		ck_assert_uint_eq(p.added[0], SIZE - 1);
		ck_assert_mem_eq(p.text + p.offset[SIZE - 1], BPE_END_OF_TEXT, 13);
		bpe_parts_free(&p);
	}
	free(pair);
}
END_TEST

START_TEST(learns_no_more_than_there_is)
{
	struct bpe_parts p;

	learn("abab", 4, 1000, 4, &p);
	ck_assert_uint_eq(p.size, 259); /* ab, abab */
	bpe_parts_free(&p);
	learn("x<|endoftext|>y<|endoftext|>", 28, 1000, 3, &p); /* it parts documents, and is no word */
	ck_assert_uint_eq(p.size, 257);
	bpe_parts_free(&p);
}
END_TEST

/* As the reference has it, added tokens cut out first. */
static void reference_encode(const struct bpe_parts *p, const char *bytes, size_t n, struct bpe_tokens *out)
{
	while (n) {
		const char *hit = memmem(bytes, n, BPE_END_OF_TEXT, 13);
		size_t part = hit ? (size_t)(hit - bytes) : n;

		for (size_t at = 0, word; at < part; at += word) {
			word = reference_word(bytes + at, part - at);
			reference_merge(p, bytes + at, word, out);
		}
		if (hit)
			bpe_push(out, &(uint32_t){ p->size - 1 }, 1);
		bytes += part + (hit ? 13 : 0);
		n -= part + (hit ? 13 : 0);
	}
}

static void encode(const struct bpe *b, const char *bytes, size_t n, size_t step, struct bpe_tokens *out)
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

static void check_round(const struct bpe *b, const struct bpe_tokens *t, const char *bytes, size_t n)
{
	size_t at = 0, size;

	for (size_t i = 0; i < t->count; i++, at += size) {
		const char *token = bpe_bytes(b, t->id[i], &size);
		if (!size || at + size > n || memcmp(token, bytes + at, size))
			ck_abort_msg("token %zu of %zu is not what stands at byte %zu", i, t->count, at);
	}
	ck_assert_uint_eq(at, n);
}

static struct bpe *make(uint32_t size)
{
	struct bpe_parts p;
	struct bpe *b;

	learn(text, text_size, size, 1 << 20, &p);
	ck_assert_msg(bpe_create(&p, "ours", &b) == 0, "%s", hlx_message());
	return b;
}

static void same_ids(const struct bpe *b, const struct bpe_parts *p, const char *bytes, size_t n)
{
	static const size_t steps[] = { 1 << 20, 911, 5, 1 };
	struct bpe_tokens want = { 0 }, got = { 0 };

	reference_encode(p, bytes, n, &want);
	for (size_t i = 0; i < 4; i++) {
		encode(b, bytes, n, steps[i], &got);
		ck_assert_uint_eq(got.count, want.count);
		ck_assert_mem_eq(got.id, want.id, want.count * sizeof *want.id);
		check_round(b, &got, bytes, n);
	}
	free(want.id);
	free(got.id);
}

START_TEST(ids_are_the_reference_s)
{
	struct bpe_parts p;
	size_t n;
	char *stress = make_stress(4000, &n);
	struct bpe *b = make(SIZE);

	learn(text, text_size, SIZE, 1 << 20, &p);
	same_ids(b, &p, stress, n);
	same_ids(b, &p, text, text_size);
	for (size_t i = 0; i < n; i++)
		stress[i] = "ehtr \n"[draw(6)]; /* long words that merge */
	same_ids(b, &p, stress, n);
	bpe_parts_free(&p);
	bpe_destroy(b);
	free(stress);
}
END_TEST

/* A megabyte without a blank: n^2 would take hours. */
START_TEST(a_word_of_a_megabyte)
{
	struct bpe_tokens t = { 0 };
	struct bpe *b = make(SIZE);
	char *word = malloc(1 << 20);

	for (size_t i = 0; i < 1 << 20; i++)
		word[i] = "ehtrion"[draw(7)];
	encode(b, word, 1 << 20, 1 << 20, &t);
	check_round(b, &t, word, 1 << 20);
	ck_assert_uint_lt(t.count, 1 << 20);
	free(word);
	free(t.id);
	bpe_destroy(b);
}
END_TEST

/* ---- files ---- */

static void same_as(const struct bpe *a, const char *path)
{
	struct bpe_tokens t = { 0 }, u = { 0 };
	struct bpe *b;

	ck_assert_msg(bpe_load(path, &b) == 0, "%s", hlx_message());
	ck_assert_uint_eq(a->digest, b->digest);
	encode(a, text, text_size, 1000, &t);
	encode(b, text, text_size, 1000, &u);
	ck_assert_uint_eq(t.count, u.count);
	ck_assert_mem_eq(t.id, u.id, t.count * sizeof *t.id);
	bpe_destroy(b);
	free(t.id);
	free(u.id);
}

static void put_json(FILE *f, const struct bpe_parts *p, uint32_t id)
{
	char chars[1024];

	bpe_to_chars(p->text + p->offset[id], p->offset[id + 1] - p->offset[id], chars);
	for (char *c = chars; *c; c++)
		fprintf(f, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
}

static void put_plain(FILE *f, const struct bpe_parts *p, uint32_t id)
{
	char chars[1024];

	bpe_to_chars(p->text + p->offset[id], p->offset[id + 1] - p->offset[id], chars);
	fputs(chars, f);
}

/* vocab.json and merges.txt, as GPT-2's. */
static void write_folder(const struct bpe_parts *p, const char *ending)
{
	FILE *f = fopen(path_of("vocab.json"), "w");

	for (uint32_t id = p->size; id--;) { /* in any order */
		fprintf(f, "%s\"", id + 1 == p->size ? "{" : ", ");
		put_json(f, p, id);
		fprintf(f, "\": %u", id);
	}
	fprintf(f, "}");
	fclose(f);
	f = fopen(path_of("merges.txt"), "w");
	fprintf(f, "#version: 0.2%s", ending);
	for (uint64_t i = 0; i < p->n_pairs; i++) {
		put_plain(f, p, p->pair[i][0]);
		putc(' ', f);
		put_plain(f, p, p->pair[i][1]);
		fputs(ending, f);
	}
	fclose(f);
}

START_TEST(files_give_the_same_ids)
{
	char *path = path_of("tokenizer.json");
	struct bpe *b = make(SIZE);
	struct bpe_parts p;

	learn(text, text_size, SIZE, 1 << 20, &p);
	ck_assert_int_eq(bpe_write(&p, path), 0);
	same_as(b, path);
	write_folder(&p, "\n");
	same_as(b, dir);
	write_folder(&p, "\r\n");
	same_as(b, dir);
	bpe_parts_free(&p);
	bpe_destroy(b);
}
END_TEST

/* Every byte a token, "ab" by the one merge; MORE is put among the parts. */
static void write_small(const char *path, const char *more, const char *vocab, const char *merges, const char *added)
{
	FILE *f = fopen(path, "w");

	fprintf(f, "{%s\"added_tokens\": [%s], \"model\": {%s\"vocab\": {", strstr(more, "pre_tokenizer") ? "" :
			"\"pre_tokenizer\": {\"type\": \"ByteLevel\"}, ", added, strstr(more, "model:") ? more + 6 : "");
	for (int i = 0; i < 256; i++) {
		char chars[4], byte = (char)i;
		bpe_to_chars(&byte, 1, chars);
		fprintf(f, "\"%s%s\": %d, ", i == '"' || i == '\\' ? "\\" : "", chars, i);
	}
	fprintf(f, "\"ab\": 256%s}, \"merges\": [%s]}%s%s}", vocab, merges, *more && !strstr(more, "model:") ? ", " : "",
			strstr(more, "model:") ? "" : more);
	fclose(f);
}

static uint32_t encodes(const char *path, const char *bytes, const uint32_t *want, size_t n)
{
	struct bpe_tokens t = { 0 };
	struct bpe *b;
	uint32_t size;

	ck_assert_msg(bpe_load(path, &b) == 0, "%s", hlx_message());
	encode(b, bytes, strlen(bytes), 1, &t);
	ck_assert_uint_eq(t.count, n);
	ck_assert_mem_eq(t.id, want, n * sizeof *want);
	size = b->size;
	bpe_destroy(b);
	free(t.id);
	return size;
}

START_TEST(what_tokenizer_json_may_say)
{
	char *path = path_of("t.json");

	write_small(path, "", "", "\"a b\"", "");
	encodes(path, "abba", (uint32_t[]){ 256, 'b', 'a' }, 3);
	write_small(path, "", "", "[\"a\", \"b\"]", "");
	encodes(path, "abba", (uint32_t[]){ 256, 'b', 'a' }, 3);
	/* Added ones: longest first, out of the range of the vocabulary, with characters that no byte has. */
	write_small(path, "\"normalizer\": null", "", "\"a b\"", "{\"id\": 300, \"content\": \"<x\"}, {\"id\": 301, \"content\": \"<x>\\u6f22\"}");
	ck_assert_uint_eq(encodes(path, "ab<x><x>\u6f22b", (uint32_t[]){ 256, 300, '>', 301, 'b' }, 5), 302);
	/* Without the merge the whole word is a token all the same, where it says so. */
	write_small(path, "model:\"ignore_merges\": true, ", "", "", "");
	encodes(path, "ab aba", (uint32_t[]){ 256, ' ', 'a', 'b', 'a' }, 5);
	write_small(path, "", "", "", "");
	encodes(path, "ab", (uint32_t[]){ 'a', 'b' }, 2);
}
END_TEST

START_TEST(what_tokenizer_json_may_not_say)
{
	static const struct {
		const char *more, *vocab, *merges, *added, *why;
	} bad[] = {
		{ "\"normalizer\": {\"type\": \"NFC\"}", "", "", "", "normalizer NFC is not implemented" },
		{ "\"pre_tokenizer\": {\"type\": \"Whitespace\"}", "", "", "", "pre_tokenizer.type Whitespace is not implemented" },
		{ "\"pre_tokenizer\": null", "", "", "", "want a pre_tokenizer ByteLevel" },
		{ "\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true}", "", "", "", "add_prefix_space" },
		{ "\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"use_regex\": false}", "", "", "", "with its regex" },
		{ "\"post_processor\": {\"type\": \"TemplateProcessing\"}", "", "", "", "post_processor TemplateProcessing" },
		{ "\"truncation\": {\"max_length\": 5}", "", "", "", "truncation is not implemented" },
		{ "model:\"type\": \"WordPiece\", ", "", "", "", "model.type WordPiece" },
		{ "model:\"dropout\": 0.1, ", "", "", "", "model.dropout" },
		{ "model:\"byte_fallback\": true, ", "", "", "", "byte_fallback" },
		{ "model:\"end_of_word_suffix\": \"</w>\", ", "", "", "", "end_of_word_suffix </w>" },
		{ "", ", \"ab\": 257", "", "", "duplicate" },
		{ "", ", \"ba\": 256", "", "", "two tokens have the id 256" },
		{ "", ", \"ba\": -1", "", "", "want an id from 0" },
		{ "", ", \"ba\": 99999999999", "", "", "want an id from 0" },
		{ "", ", \"ba\": \"x\"", "", "", "want an id from 0" },
		{ "", ", \"\u6f22\": 257", "", "", "token 257, \"\u6f22\", is not made of byte-level" },
		{ "", "", "\"a c\"", "", "merge 0 makes a token that is not in" },
		{ "", "", "\"a xyz\"", "", "merge 0: \"xyz\" is not in the vocabulary" },
		{ "", "", "\"ab\"", "", "merge 0: want" },
		{ "", "", "\"a b c\"", "", "merge 0: want" },
		{ "", "", "[\"a\"]", "", "merge 0: want" },
		{ "", "", "5", "", "merge 0: want" },
		{ "", "", "\"a b\", \"a b\"", "", "merges 0 and 1 are the same" },
		{ "", "", "", "{\"id\": 300}", "added_tokens: want" },
		{ "", "", "", "{\"id\": 300, \"content\": \"\"}", "added_tokens: want" },
		{ "", "", "", "{\"id\": 300, \"content\": \"<m>\", \"lstrip\": true}", "lstrip is not implemented" },
		{ "", "", "", "{\"id\": 300, \"content\": \"ab\"}", "tokens 256 and 300 are the same" },
	};
	char *path = path_of("t.json");
	struct bpe *b;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_small(path, bad[i].more, bad[i].vocab, bad[i].merges, bad[i].added);
		ck_assert_int_eq(bpe_load(path, &b), HLX_EIO);
		ck_assert_msg(strstr(hlx_message(), bad[i].why) && strstr(hlx_message(), path), "want %s: %s", bad[i].why, hlx_message());
		ck_assert_ptr_null(b);
	}
	write_file(path, "[]", 2);
	ck_assert_int_eq(bpe_load(path, &b), HLX_EIO);
	write_file(path, "{\"pre_tokenizer\": {\"type\": \"ByteLevel\"}, \"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}}", 84);
	ck_assert_int_eq(bpe_load(path, &b), HLX_EIO);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "has no token for byte 0"));
	ck_assert_int_eq(bpe_load(path_of("none"), &b), HLX_EIO);
	ck_assert_int_eq(bpe_load(dir, &b), HLX_EIO);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "vocab.json: No such file"));
}
END_TEST

/* n times: a few bytes of the file changed, cut or doubled: refused with its path, or a vocabulary that still round-trips. */
static void damage(const char *name, const char *load, unsigned times)
{
	char *path = path_of(name), *good, *bad;
	unsigned fine = 0;
	size_t n;

	good = read_all(path, &n);
	bad = malloc(2 * n);
	for (unsigned i = 0; i < times; i++) {
		struct bpe_tokens t = { 0 };
		size_t size = n, at = draw((uint32_t)n), length = 1 + draw(20);
		struct bpe *b;

		memcpy(bad, good, n);
		length = at + length > n ? n - at : length;
		switch (draw(4)) {
		case 0: bad[at] = (char)draw(256); break;
		case 1: bad[at] = "\"{}[],: \\0"[draw(10)]; break;
		case 2: memmove(bad + at, bad + at + length, n - at - length); size -= length; break;
		default: memmove(bad + at + length, bad + at, n - at); size += length; break;
		}
		write_file(path, bad, size);
		if (bpe_load(load, &b) == 0) {
			encode(b, text, 300, 300, &t);
			check_round(b, &t, text, 300);
			bpe_destroy(b);
			free(t.id);
			fine++;
		} else {
			ck_assert_msg(strstr(hlx_message(), dir), "%s", hlx_message());
		}
	}
	ck_assert_uint_lt(fine, times);
	write_file(path, good, n);
	free(good);
	free(bad);
}

START_TEST(damaged_files)
{
	struct bpe_parts p;

	learn(text, text_size, 270, 1 << 20, &p);
	ck_assert_int_eq(bpe_write(&p, path_of("tokenizer.json")), 0);
	write_folder(&p, "\n");
	bpe_parts_free(&p);
	damage("vocab.json", dir, 1000);
	damage("merges.txt", dir, 500);
	damage("tokenizer.json", path_of("tokenizer.json"), 1000);
}
END_TEST

START_TEST(the_alphabet)
{
	char chars[3];

	for (int i = 0; i < 256; i++) {
		char byte = (char)i, back;
		bpe_to_chars(&byte, 1, chars);
		ck_assert_int_eq(bpe_from_chars(chars, strlen(chars), &back), 1);
		ck_assert_int_eq(back, byte);
	}
	ck_assert_uint_eq(bpe_char_of_byte(' '), 0x120);
	ck_assert_uint_eq(bpe_char_of_byte('\n'), 0x10a);
	ck_assert_uint_eq(bpe_char_of_byte(0xad), 0x143);
	ck_assert_int_eq(bpe_from_chars(" ", 1, chars), -1);
	ck_assert_int_eq(bpe_from_chars("\xc3", 1, chars), -1);
	ck_assert_int_eq(bpe_from_chars("\xc1\xa1", 2, chars), -1); /* an overlong 'a' */
	ck_assert_int_eq(bpe_from_chars("\u0144", 2, chars), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bpe");
	TCase *t = tcase_create("bpe");
	struct split *probe;
	SRunner *r;
	int failed;

	if (split_create(&probe) == HLX_ENOTSUP) {
		printf("SKIP: %s\n", hlx_message());
		return 77;
	}
	split_destroy(probe);
	tcase_add_checked_fixture(t, begin, end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, words_are_the_pattern_s);
	tcase_add_test(t, every_code_point);
	tcase_add_test(t, learns_what_the_reference_learns);
	tcase_add_test(t, learns_no_more_than_there_is);
	tcase_add_test(t, ids_are_the_reference_s);
	tcase_add_test(t, a_word_of_a_megabyte);
	tcase_add_test(t, files_give_the_same_ids);
	tcase_add_test(t, what_tokenizer_json_may_say);
	tcase_add_test(t, what_tokenizer_json_may_not_say);
	tcase_add_test(t, damaged_files);
	tcase_add_test(t, the_alphabet);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
