/* check_shards.c - files of tokens: what is which, what is refused, several, larger than memory, gone in the middle. */
#include "runner/data.h"
#include "tests/run_files.h"
#include "tests/suite.h"

#include <fcntl.h>

/* n tokens of width bytes, the i-th being first + i, behind a header of three words or of none. */
static char *make_file(const char *name, const uint32_t header[3], uint32_t width, uint32_t n, uint32_t first)
{
	char *path = path_of(name);
	FILE *f = fopen(path, "wb");

	ck_assert_ptr_nonnull(f);
	for (uint32_t i = 0; header && i < 1024; i++)
		putc(i < 12 ? (int)(header[i / 4] >> 8 * (i % 4) & 0xff) : 0, f);
	for (uint32_t i = 0; i < n * width; i++)
		putc((int)((first + i / width) >> 8 * (i % width) & 0xff), f);
	fclose(f);
	return path;
}

static const uint32_t gpt2[3] = { 20240520, 1, 100 }, llama[3] = { 20240801, 7, 100 };

/* 100 tokens from 1000 on. */
static void holds(char *path, enum token_format format, uint32_t width)
{
	uint32_t x[99], y[99];
	struct data d;

	ck_assert_msg(data_open(&path, 1, 1, format, 70000, &d) == 0, "%s", hlx_message());
	ck_assert_uint_eq(d.size, 100);
	ck_assert_uint_eq(d.file[0].width, width);
	ck_assert_int_eq(data_split(&d, 0, 99, 1), 0);
	ck_assert_int_eq(data_sequence(&d, 0, x, y), 0);
	for (uint32_t i = 0; i < 99; i++) {
		ck_assert_uint_eq(x[i], 1000 + i);
		ck_assert_uint_eq(y[i], 1001 + i);
	}
	data_close(&d);
}

START_TEST(formats_are_told_apart)
{
	char *text = make_file("a.txt", NULL, 1, 100, 0);
	struct data d;

	holds(make_file("a.bin", gpt2, 2, 100, 1000), FORMAT_AUTO, 2);
	holds(make_file("a", gpt2, 2, 100, 1000), FORMAT_AUTO, 2); /* by what is in it, whatever its name */
	holds(make_file("b.bin", llama, 4, 100, 1000), FORMAT_AUTO, 4);
	holds(make_file("b.bin", llama, 4, 100, 1000), FORMAT_LLMC, 4);
	holds(make_file("c.bin", NULL, 2, 100, 1000), FORMAT_AUTO, 2);
	holds(make_file("d.dat", NULL, 2, 100, 1000), FORMAT_UINT16, 2);
	holds(make_file("e.bin", NULL, 4, 100, 1000), FORMAT_UINT32, 4);
	ck_assert_int_eq(data_open(&text, 1, 1, FORMAT_AUTO, 256, &d), 0);
	ck_assert_uint_eq(d.file[0].width, 1);
	data_close(&d);
}
END_TEST

static void refused(char *path, enum token_format format, uint64_t vocab_size, const char *why)
{
	struct data d;

	ck_assert_int_eq(data_open(&path, 1, 1, format, vocab_size, &d), HLX_EIO);
	ck_assert_msg(strstr(hlx_message(), why) && strstr(hlx_message(), path), "want %s: %s", why, hlx_message());
	data_close(&d);
}

START_TEST(refuses_what_is_no_token_file)
{
	const uint32_t version[3] = { 20240520, 2, 100 }, more[3] = { 20240520, 1, 101 }, most[3] = { 20240520, 1, 0xffffffff };

	refused(make_file("a.bin", version, 2, 100, 0), FORMAT_AUTO, 256, "version 2");
	refused(make_file("a.bin", more, 2, 100, 0), FORMAT_AUTO, 256, "says 101 tokens of 2 bytes, and 200 bytes follow");
	refused(make_file("a.bin", most, 2, 100, 0), FORMAT_AUTO, 256, "says 4294967295 tokens");
	refused(make_file("a.bin", gpt2, 1, 100, 0), FORMAT_AUTO, 256, "100 bytes follow");
	refused(make_file("a.bin", NULL, 2, 100, 0), FORMAT_LLMC, 256, "shorter than a header");
	refused(make_file("a.bin", NULL, 2, 1000, 0), FORMAT_LLMC, 256, "magic");
	refused(make_file("a.bin", NULL, 1, 101, 0), FORMAT_AUTO, 256, "101 bytes are no whole number of uint16 tokens");
	refused(make_file("a.bin", NULL, 2, 101, 0), FORMAT_UINT32, 256, "202 bytes are no whole number of uint32");
	refused(make_file("a.bin", gpt2, 2, 100, 1000), FORMAT_AUTO, 1050, "token 50 is 1050, and vocab_size = 1050");
}
END_TEST

/* Every change of a byte of the header, and every length: an error with its reason, or the tokens that it says. */
START_TEST(damaged_headers)
{
	char *good = make_file("good.bin", gpt2, 2, 100, 0), *path = path_of("bad.bin");
	uint64_t seed = 1;

	for (int i = 0; i < 400; i++) {
		struct data d;
		int fd, status;

		unlink(path);
		ck_assert_int_eq(link(good, path), 0);
		fd = open(path, O_RDWR);
		uint8_t byte[1024], old[1224];
		ck_assert_int_eq(pread(fd, old, sizeof old, 0), sizeof old);
		memcpy(byte, old, sizeof byte);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		byte[i < 96 ? (uint64_t)i / 8 : seed >> 54] ^= (uint8_t)(1u << (i & 7));
		ck_assert_int_eq(pwrite(fd, byte, sizeof byte, 0), sizeof byte);
		if (i % 3 == 1)
			ck_assert_int_eq(ftruncate(fd, (off_t)((seed >> 20) % 1225)), 0);
		status = data_open(&path, 1, 1, FORMAT_AUTO, 65536, &d);
		ck_assert(status == 0 || status == HLX_EIO);
		ck_assert(status == 0 || strstr(hlx_message(), path));
		if (!status)
			ck_assert_uint_eq(d.file[0].size * d.file[0].width + d.file[0].offset, d.file[0].bytes);
		data_close(&d);
		ck_assert_int_eq(ftruncate(fd, sizeof old), 0);
		ck_assert_int_eq(pwrite(fd, old, sizeof old, 0), sizeof old);
		close(fd);
	}
}
END_TEST

/* Widths may differ; the validation files come behind, and no training sequence reaches them. */
START_TEST(files_of_their_own_for_validation)
{
	char *path[4] = { make_file("a.bin", gpt2, 2, 100, 0), make_file("b", NULL, 1, 3, 100), make_file("c.bin", llama, 4, 100, 103),
		make_file("v.bin", gpt2, 2, 100, 203) };
	uint32_t x[10], y[10];
	struct data d;

	ck_assert_int_eq(data_open(path, 3, 4, FORMAT_AUTO, 1000, &d), 0);
	ck_assert_int_eq(data_split(&d, 0, 10, 1), 0);
	ck_assert_uint_eq(d.train_size, 203);
	ck_assert_uint_eq(d.valid_windows, 9);
	for (uint64_t start = 0; start < 293; start++) {
		ck_assert_int_eq(data_sequence(&d, start, x, y), 0);
		for (uint64_t i = 0; i < 10; i++)
			ck_assert(x[i] == start + i && y[i] == x[i] + 1);
	}
	for (uint64_t g = 0; g < 200; g++)
		ck_assert_uint_lt(data_start(&d, g) + 10, 203);
	for (uint64_t i = 0; i < 9; i++)
		ck_assert_uint_ge(data_valid_start(&d, i, 9), 203);
	ck_assert_int_eq(data_split(&d, 0, 100, 1), HLX_EIO);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "100 tokens for validation are fewer"));
	data_close(&d);
}
END_TEST

static char *make_sparse(const char *name, off_t bytes)
{
	char *path = path_of(name);
	int fd = open(path, O_WRONLY | O_CREAT, 0666);

	if (ftruncate(fd, bytes)) /* a file system that cannot */
		path = NULL;
	close(fd);
	return path;
}

static void put_token(const char *path, uint64_t at, uint16_t token)
{
	uint8_t bytes[2] = { (uint8_t)token, (uint8_t)(token >> 8) };
	int fd = open(path, O_WRONLY);

	ck_assert_int_eq(pwrite(fd, bytes, 2, (off_t)(2 * at)), 2);
	close(fd);
}

static uint64_t fingerprint(char *path)
{
	struct data d;
	uint64_t f;

	ck_assert_msg(data_open(&path, 1, 1, FORMAT_AUTO, 50257, &d) == 0, "%s", hlx_message());
	f = d.fingerprint;
	data_close(&d);
	return f;
}

/* 256 GiB of zeros, which are on no disk: opened without being read, and looked at only where a sequence is. */
START_TEST(larger_than_memory)
{
	const uint64_t n = 128ull << 30, bad = 77777777777;
	char *path = make_sparse("huge.bin", (off_t)(2 * n)), position[64];
	uint32_t x[1024], y[1024];
	uint64_t empty;
	struct data d;

	if (!path)
		return;
	empty = fingerprint(path);
	put_token(path, n - 1, 7); /* both ends are part of the fingerprint, whatever the size */
	ck_assert_uint_ne(fingerprint(path), empty);
	put_token(path, n - 1, 0);
	ck_assert_uint_eq(fingerprint(path), empty);
	put_token(path, 0, 7);
	ck_assert_uint_ne(fingerprint(path), empty);
	put_token(path, bad, 50257);
	ck_assert_int_eq(data_open(&path, 1, 1, FORMAT_AUTO, 50257, &d), 0);
	ck_assert_uint_eq(d.size, n);
	ck_assert_int_eq(data_split(&d, 0.1, 1024, 1), 0);
	for (uint64_t g = 0; g < 2000; g++)
		ck_assert_int_eq(data_sequence(&d, data_start(&d, g), x, y), 0);
	ck_assert_int_eq(data_sequence(&d, bad - 1024, x, y), HLX_EIO); /* the last target */
	ck_assert_int_eq(data_sequence(&d, bad - 1025, x, y), 0);
	ck_assert_int_eq(data_sequence(&d, bad - 10, x, y), HLX_EIO);
	snprintf(position, sizeof position, "huge.bin: token %llu is 50257", (unsigned long long)bad);
	ck_assert_msg(strstr(hlx_message(), position), "%s", hlx_message());
	data_close(&d);
}
END_TEST

START_TEST(a_shard_that_is_gone)
{
	char *path[2] = { make_file("a.bin", gpt2, 2, 100, 0), make_file("b.bin", gpt2, 2, 100, 100) };
	uint32_t x[10], y[10];
	struct data d;

	ck_assert_int_eq(data_open(path, 2, 2, FORMAT_AUTO, 256, &d), 0);
	ck_assert_int_eq(data_split(&d, 0, 10, 1), 0);
	ck_assert_int_eq(unlink(path[1]), 0);
	ck_assert_int_eq(data_sequence(&d, 50, x, y), 0);
	ck_assert_int_eq(data_sequence(&d, 95, x, y), HLX_EIO);
	ck_assert_msg(strstr(hlx_message(), "b.bin: was removed or replaced"), "%s", hlx_message());
	data_close(&d);
}
END_TEST

START_TEST(written_files_read_back)
{
	static const uint32_t tokens[5] = { 0, 1, 65535, 300, 256 };
	char *path = path_of("w.bin");
	uint32_t x[4], y[4], big = 70000;
	struct token_writer w;
	struct data d;

	ck_assert_int_eq(token_writer_open(path, 65536, &w), 0);
	ck_assert_int_eq(token_writer_put(&w, tokens, 2), 0);
	ck_assert_int_eq(access(path, F_OK), -1); /* nothing half-written */
	ck_assert_int_eq(token_writer_put(&w, tokens + 2, 3), 0);
	ck_assert_int_eq(token_writer_close(&w, 0), 0);
	ck_assert_int_eq(data_open(&path, 1, 1, FORMAT_AUTO, 65536, &d), 0);
	ck_assert_int_eq(data_split(&d, 0, 4, 1), 0);
	ck_assert_int_eq(data_sequence(&d, 0, x, y), 0);
	ck_assert_mem_eq(x, tokens, sizeof x);
	ck_assert_mem_eq(y, tokens + 1, sizeof y);
	data_close(&d);
	ck_assert_int_eq(token_writer_open(path, 65537, &w), 0);
	ck_assert_int_eq(token_writer_put(&w, &big, 1), 0);
	ck_assert_int_eq(token_writer_close(&w, 0), 0);
	ck_assert_int_eq(data_open(&path, 1, 1, FORMAT_AUTO, 70001, &d), 0);
	ck_assert_uint_eq(d.file[0].width, 4);
	data_close(&d);
	refused(path, FORMAT_AUTO, 70000, "token 0 is 70000");
	ck_assert_int_eq(token_writer_open(path, 256, &w), 0);
	ck_assert_int_eq(token_writer_close(&w, HLX_EIO), HLX_EIO); /* and the old file stays */
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(token_writer_open(dir, 256, &w), HLX_EOUTPUT);
	ck_assert_int_eq(token_writer_close(&w, HLX_EOUTPUT), HLX_EOUTPUT);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("shards");

	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, formats_are_told_apart);
	tcase_add_test(t, refuses_what_is_no_token_file);
	tcase_add_test(t, damaged_headers);
	tcase_add_test(t, files_of_their_own_for_validation);
	tcase_add_test(t, larger_than_memory);
	tcase_add_test(t, a_shard_that_is_gone);
	tcase_add_test(t, written_files_read_back);
	return suite_run("shards", t);
}
