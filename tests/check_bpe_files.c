/* check_bpe_files.c - files of BPE tokenizers: written and read back, what they may say, what they may not, damaged ones. */
#include "tests/bpe_texts.h"
#include "tests/run_files.h"
#include "tests/suite.h"

static void write_file(const char *path, const char *bytes, size_t n)
{
	FILE *f;

	unlink(path); /* writing over one waits for the disk */
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

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
	struct bpe *b = make_bpe(SIZE);
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

int main(void)
{
	TCase *t = tcase_create("bpe_files");

	if (!have_bpe())
		return 77;
	tcase_add_checked_fixture(t, text_begin, text_end);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, files_give_the_same_ids);
	tcase_add_test(t, what_tokenizer_json_may_say);
	tcase_add_test(t, what_tokenizer_json_may_not_say);
	tcase_add_test(t, damaged_files);
	return suite_run("bpe_files", t);
}
