/* check_data.c - the corpus: which sequence is where, what is refused, files that change under a run. */
#include "runner/data.h"
#include "runner/tokenizer.h"
#include "tests/run_files.h"
#include "tests/suite.h"

#include <fcntl.h>

/* A file of n bytes, byte i being first + i mod 251. */
static char *make_file(const char *name, size_t n, unsigned first)
{
	char *p = path_of(name);
	FILE *f = fopen(p, "w");

	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < n; i++)
		putc((int)((first + i) % 251), f);
	fclose(f);
	return p;
}

static int open_text(char *const *paths, size_t n, uint64_t vocab_size, struct data *d)
{
	return data_open(paths, n, n, FORMAT_TEXT, vocab_size, d);
}

static void refused(char *path, uint64_t vocab, const char *why)
{
	struct data d;

	ck_assert_int_eq(open_text(&path, 1, vocab, &d), HLX_EIO);
	ck_assert_msg(strstr(hlx_message(), why) && strstr(hlx_message(), path), "%s", hlx_message());
	data_close(&d);
}

START_TEST(refuses_what_is_no_corpus)
{
	char missing[128];

	snprintf(missing, sizeof missing, "%s/missing", dir);
	refused(missing, 256, "No such file");
	refused(dir, 256, "folder");
	refused(make_file("empty", 0, 0), 256, "empty");
	refused(make_file("binary", 300, 0), 128, "byte 128 is 128, and vocab_size = 128");
	refused("/dev/null", 256, "not a regular file");
}
END_TEST

START_TEST(refuses_a_short_corpus)
{
	char *path = make_file("short", 17, 0);
	struct data d;

	ck_assert_int_eq(open_text(&path, 1, 256, &d), 0);
	ck_assert_int_eq(data_split(&d, 0, 16, 1), 0); /* 16 tokens and the last one's target */
	ck_assert_uint_eq(d.windows, 1);
	ck_assert_uint_eq(data_start(&d, 12345), 0);
	ck_assert_int_eq(data_split(&d, 0, 17, 1), HLX_EIO);
	ck_assert_int_eq(data_split(&d, 0.1, 16, 1), HLX_EIO);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "fewer than one sequence"));
	data_close(&d);
}
END_TEST

/* Files of a few bytes each, so that every sequence crosses their borders. */
START_TEST(several_files_read_as_one)
{
	char *path[4] = { make_file("a", 7, 0), make_file("b", 1, 7), make_file("c", 90, 8), make_file("d", 2, 98) };
	uint32_t x[10], y[10];
	struct data d;

	ck_assert_int_eq(open_text(path, 4, 256, &d), 0);
	ck_assert_int_eq(data_split(&d, 0, 10, 1), 0);
	ck_assert_uint_eq(d.size, 100);
	for (uint64_t start = 0; start + 10 < d.size; start++) {
		ck_assert_int_eq(data_sequence(&d, start, x, y), 0);
		for (uint64_t i = 0; i < 10; i++) {
			ck_assert_uint_eq(x[i], start + i);
			ck_assert_uint_eq(y[i], start + i + 1);
		}
	}
	ck_assert_int_lt(data_sequence(&d, 90, x, y), 0);
	data_close(&d);
}
END_TEST

START_TEST(fingerprint_is_of_the_bytes)
{
	char *two[2] = { make_file("a", 60, 0), make_file("b", 40, 60) }, *one = make_file("c", 100, 0);
	struct data a, b;

	ck_assert_int_eq(open_text(two, 2, 256, &a), 0);
	ck_assert_int_eq(open_text(&one, 1, 256, &b), 0);
	ck_assert_uint_eq(a.fingerprint, b.fingerprint);
	data_close(&a);
	data_close(&b);
}
END_TEST

/* An epoch's windows are all moved by one offset, in another order each time, inside the training part. */
static void check_epoch(const struct data *d, uint64_t epoch, uint64_t *offset)
{
	uint64_t n = d->windows, moved = 0;

	*offset = data_start(d, epoch * n) % d->seq_len;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t start = data_start(d, epoch * n + i);
		ck_assert_uint_eq(start % d->seq_len, *offset);
		ck_assert_uint_lt(start + d->seq_len, d->train_size);
		moved += start / d->seq_len != i;
	}
	ck_assert_uint_gt(moved, n / 2);
}

START_TEST(epochs_differ)
{
	char *path = make_file("text", 5000, 0);
	uint64_t offset, before = 16, other = 0;
	struct data d;

	ck_assert_int_eq(open_text(&path, 1, 256, &d), 0);
	ck_assert_int_eq(data_split(&d, 0.1, 16, 7), 0);
	ck_assert_uint_eq(d.train_size, 4500);
	for (uint64_t epoch = 0; epoch < 20; epoch++, before = offset) {
		check_epoch(&d, epoch, &offset);
		other += offset != before;
	}
	ck_assert_uint_gt(other, 10);
	data_close(&d);
}
END_TEST

START_TEST(each_window_once_an_epoch)
{
	char *path = make_file("text", 3210, 0);
	uint64_t starts[400], n;
	struct data d;

	ck_assert_int_eq(open_text(&path, 1, 256, &d), 0);
	ck_assert_int_eq(data_split(&d, 0, 16, 3), 0);
	n = d.windows;
	for (uint64_t i = 0; i < n; i++) {
		starts[i] = data_start(&d, 5 * n + i);
		for (uint64_t j = 0; j < i; j++)
			ck_assert_uint_ne(starts[i], starts[j]);
	}
	data_split(&d, 0, 16, 4);
	uint64_t same = 0;
	for (uint64_t i = 0; i < n; i++)
		same += starts[i] == data_start(&d, 5 * n + i);
	ck_assert_uint_lt(same, n / 4); /* another seed, another order */
	data_close(&d);
}
END_TEST

START_TEST(validation_stays_in_its_part)
{
	char *path = make_file("text", 5000, 0);
	struct data d;

	ck_assert_int_eq(open_text(&path, 1, 256, &d), 0);
	ck_assert_int_eq(data_split(&d, 0.1, 16, 7), 0);
	ck_assert_uint_eq(d.valid_windows, 31);
	for (uint64_t count = 1; count < 70; count += 4)
		for (uint64_t i = 0; i < count; i++) {
			uint64_t start = data_valid_start(&d, i, count);
			ck_assert_uint_ge(start, d.train_size);
			ck_assert_uint_lt(start + 16, d.size);
		}
	data_close(&d);
}
END_TEST

START_TEST(a_file_that_shrinks_is_an_error)
{
	char *path = make_file("text", 40000, 0);
	uint32_t x[64], y[64];
	struct data d;

	ck_assert_int_eq(open_text(&path, 1, 256, &d), 0);
	ck_assert_int_eq(data_split(&d, 0, 64, 1), 0);
	ck_assert_int_eq(truncate(path, 100), 0);
	ck_assert_int_eq(data_sequence(&d, 20000, x, y), HLX_EIO); /* a page that is gone */
	ck_assert_ptr_nonnull(strstr(hlx_message(), "shrank"));
	ck_assert_int_eq(data_sequence(&d, 200, x, y), HLX_EIO);   /* zeros in the last page */
	ck_assert_int_eq(data_sequence(&d, 0, x, y), HLX_EIO);
	data_close(&d);
}
END_TEST

START_TEST(a_byte_that_changes_is_checked_again)
{
	char *path = make_file("text", 100, 0);
	uint32_t x[16], y[16];
	struct data d;
	int fd;

	ck_assert_int_eq(open_text(&path, 1, 128, &d), 0);
	ck_assert_int_eq(data_split(&d, 0, 16, 1), 0);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "\xff", 1, 20), 1);
	close(fd);
	ck_assert_int_eq(data_sequence(&d, 0, x, y), 0);
	ck_assert_int_eq(data_sequence(&d, 10, x, y), HLX_EIO);
	data_close(&d);
}
END_TEST

START_TEST(tokens_are_bytes)
{
	struct bpe_tokens tokens = { 0 };
	struct tokenizer *t;
	size_t used, n;

	ck_assert(tokenizer_known("bytes") && !tokenizer_known("words"));
	ck_assert_int_eq(tokenizer_open("bytes", &t), 0);
	ck_assert_int_eq(tokenizer_encode(t, "a\xff\n", 3, false, &used, &tokens), 0);
	ck_assert_uint_eq(used, 3);
	ck_assert_uint_eq(tokens.count, 3);
	ck_assert_uint_eq(tokens.id[1], 255);
	ck_assert_int_eq((unsigned char)*tokenizer_decode(t, 255, &n), 255);
	ck_assert_uint_eq(n, 1);
	tokenizer_decode(t, 256, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(tokenizer_check(t, "a\xff\n", 3, 256), 0);
	ck_assert_int_eq(tokenizer_check(t, "a\xff\n", 3, 255), HLX_EINVAL);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "byte 1 of the prompt is 255"));
	ck_assert_uint_eq(tokenizer_start(t, 256), '\n');
	ck_assert_uint_eq(tokenizer_start(t, 3), 0);
	tokenizer_close(t);
	free(tokens.id);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("data");

	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, refuses_what_is_no_corpus);
	tcase_add_test(t, refuses_a_short_corpus);
	tcase_add_test(t, several_files_read_as_one);
	tcase_add_test(t, fingerprint_is_of_the_bytes);
	tcase_add_test(t, epochs_differ);
	tcase_add_test(t, each_window_once_an_epoch);
	tcase_add_test(t, validation_stays_in_its_part);
	tcase_add_test(t, a_file_that_shrinks_is_an_error);
	tcase_add_test(t, a_byte_that_changes_is_checked_again);
	tcase_add_test(t, tokens_are_bytes);
	return suite_run("data", t);
}
