/* check_bpe.c - BPE against a slow reference: what is learned, and the ids of texts. */
#include "tests/bpe_reference.h"
#include "tests/bpe_texts.h"
#include "tests/suite.h"

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
	struct bpe *b = make_bpe(SIZE);

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
	struct bpe *b = make_bpe(SIZE);
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

int main(void)
{
	TCase *t = tcase_create("bpe");

	if (!have_bpe())
		return 77;
	tcase_add_checked_fixture(t, text_begin, text_end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, learns_what_the_reference_learns);
	tcase_add_test(t, learns_no_more_than_there_is);
	tcase_add_test(t, ids_are_the_reference_s);
	tcase_add_test(t, a_word_of_a_megabyte);
	return suite_run("bpe", t);
}
