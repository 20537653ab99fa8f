/* check_bpe_words.c - where a text is parted into words, against the pattern as a slow reference has it; the alphabet of bytes. */
#include "runner/bpe/split.h"
#include "tests/bpe_reference.h"
#include "tests/bpe_texts.h"
#include "tests/suite.h"

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
	TCase *t = tcase_create("bpe_words");

	if (!have_bpe())
		return 77;
	tcase_add_checked_fixture(t, text_begin, text_end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, words_are_the_pattern_s);
	tcase_add_test(t, every_code_point);
	tcase_add_test(t, the_alphabet);
	return suite_run("bpe_words", t);
}
