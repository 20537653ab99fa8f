/* check_safetensors.c - safetensors files from friends and strangers. */
#include "core/numerics.h"
#include "runner/safetensors.h"
#include "tests/run_files.h"
#include "tests/suite.h"

#include <sys/mman.h>

static void write_two(void)
{
	const struct hlx_desc a = { .dtype = HLX_F32, .rank = 2, .dim = { 2, 3 } }, b = { .dtype = HLX_F32, .rank = 1, .dim = { 1 } };
	const float x[7] = { 1, -2, 3.5f, 0, 1e30f, 0x1p-50f, 7 };
	struct st_writer w;

	unlink(path);
	ck_assert_int_eq(st_begin(&w, path), 0);
	ck_assert_int_eq(st_declare(&w, "layer.0.fc.weight", &a), 0);
	ck_assert_int_eq(st_declare(&w, "b", &b), 0);
	ck_assert_int_eq(st_header(&w), 0);
	ck_assert_int_eq(st_write(&w, x, 24), 0);
	ck_assert_int_eq(st_write(&w, x + 6, 4), 0);
	ck_assert_int_eq(st_end(&w, 0), 0);
}

START_TEST(round_trip)
{
	const struct st_tensor *t;
	struct st_file f;
	float x[6];

	write_two();
	ck_assert_int_eq(st_open(path, &f), 0);
	ck_assert_uint_eq(f.count, 2);
	t = st_find(&f, "layer.0.fc.weight");
	ck_assert_ptr_nonnull(t);
	ck_assert_uint_eq(t->begin % 8, 0);
	ck_assert_uint_eq(t->dim[1], 3);
	ck_assert_int_eq(st_read(&f, t, 0, 24, x), 0);
	ck_assert(x[1] == -2 && x[5] == 0x1p-50f);
	ck_assert_int_eq(st_read(&f, t, 20, 4, x), 0);
	ck_assert_int_lt(st_read(&f, t, 20, 5, x), 0);
	ck_assert_int_lt(st_read(&f, t, UINT64_MAX, 2, x), 0);
	ck_assert_ptr_null(st_find(&f, "c"));
	st_close(&f);
}
END_TEST

/* A file of this header and n bytes of data. */
static int open_header(const char *header, size_t n)
{
	char bytes[1024] = "";
	uint64_t size = strlen(header);
	struct st_file f;
	int status;

	memcpy(bytes, &size, 8);
	memcpy(bytes + 8, header, size);
	put_file(bytes, 8 + size + n);
	status = st_open(path, &f);
	if (status >= 0)
		st_close(&f);
	return status;
}

#define T(shape, offsets) "\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets
static const struct {
	const char *header;
	size_t data;
	const char *why; /* NULL: right */
} headers[] = {
	{ "{}", 0, NULL },
	{ "{}      ", 0, NULL },
	{ "{\"a\":{" T("[2]", "[0,8]") "}}", 8, NULL },
	{ "{\"b\":{" T("[1]", "[4,8]") "},\"a\":{" T("[1]", "[0,4]") "}}", 8, NULL },
	{ "{\"a\":{" T("[]", "[0,4]") "},\"e\":{" T("[3,0]", "[4,4]") "}}", 4, NULL },
	{ "{\"__metadata__\":{\"k\":\"v\"}}", 0, NULL },
	{ "{\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, NULL },
	{ " {}", 0, "begin with {" },
	{ "[]", 0, "begin with {" },
	{ "{} {}", 0, "header" },
	{ "{}", 1, "after the last" },
	{ "{\"__metadata__\":{\"k\":1}}", 0, "want dtype" },
	{ "{\"a\":{" T("[2]", "[0,8]") "}}", 7, "do not lie in the file" },
	{ "{\"a\":{" T("[2]", "[0,8]") "}}", 9, "after the last" },
	{ "{\"a\":{" T("[2]", "[0,4]") "}}", 4, "do not fit" },
	{ "{\"a\":{" T("[2]", "[8,0]") "}}", 8, "do not lie in the file" },
	{ "{\"a\":{" T("[2]", "[-8,0]") "}}", 8, "do not lie in the file" },
	{ "{\"a\":{" T("[2]", "[0,8.0]") "}}", 8, "do not lie in the file" },
	{ "{\"a\":{" T("[2]", "[0,8,8]") "}}", 8, "do not lie in the file" },
	{ "{\"a\":{" T("[-2]", "[0,8]") "}}", 8, "not a shape" },
	{ "{\"a\":{" T("[2.0]", "[0,8]") "}}", 8, "not a shape" },
	{ "{\"a\":{" T("2", "[0,8]") "}}", 8, "not a shape" },
	{ "{\"a\":{" T("[1,1,1,1,1,1,1,1,2]", "[0,8]") "}}", 8, "not a shape" },
	{ "{\"a\":{" T("[4611686018427387904]", "[0,0]") "}}", 0, "not a shape" },          /* x 4 = 2^64 */
	{ "{\"a\":{" T("[4294967296,4294967296]", "[0,0]") "}}", 0, "not a shape" },
	{ "{\"a\":{" T("[99999999999999999999]", "[0,0]") "}}", 0, "header" },
	{ "{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype" },
	{ "{\"a\":{\"dtype\":5,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype" },
	{ "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "want dtype" },
	{ "{\"a\":{" T("[2]", "[0,8]") ",\"x\":1}}", 8, "want dtype" },
	{ "{\"a\":7}", 0, "want dtype" },
	{ "{\"a\":{" T("[1]", "[0,4]") "},\"a\":{" T("[1]", "[4,8]") "}}", 8, "header" },   /* a key twice */
	{ "{\"a\":{" T("[1]", "[0,4]") "},\"b\":{" T("[1]", "[0,4]") "}}", 4, "overlaps" },
	{ "{\"a\":{" T("[2]", "[0,8]") "},\"b\":{" T("[1]", "[4,8]") "}}", 8, "overlaps" },
	{ "{\"a\":{" T("[1]", "[0,4]") "},\"b\":{" T("[1]", "[8,12]") "}}", 12, "a hole" },
	{ "{\"a\":{" T("[1]", "[4,8]") "}}", 8, "a hole" },
};

START_TEST(strange_headers)
{
	int status = open_header(headers[_i].header, headers[_i].data);

	if (!headers[_i].why)
		ck_assert_msg(!status, "%s: %s", headers[_i].header, hlx_message());
	else
		ck_assert_msg(status == HLX_EIO && strstr(hlx_message(), headers[_i].why) && strstr(hlx_message(), path),
				"%s: %d %s", headers[_i].header, status, hlx_message());
}
END_TEST

START_TEST(huge_header_length)
{
	static const uint64_t sizes[] = { 0, 1, 3, 100000001, 1ull << 32, 1ull << 63, UINT64_MAX, UINT64_MAX - 7 };
	struct st_file f;

	for (size_t i = 0; i < CLI_COUNT(sizes); i++) {
		put_file(&sizes[i], 8);
		ck_assert_int_eq(st_open(path, &f), HLX_EIO);
	}
	put_file("", 0);
	ck_assert_int_eq(st_open(path, &f), HLX_EIO);
	ck_assert_int_eq(st_open(dir, &f), HLX_EIO);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	char bytes[1024];
	struct st_file f;
	size_t n;

	write_two();
	n = get_file(path, bytes, sizeof bytes);
	for (size_t i = 0; i < n; i++) {
		put_file(bytes, i);
		ck_assert_int_eq(st_open(path, &f), HLX_EIO);
	}
	put_file(bytes, n);
	ck_assert_int_eq(st_open(path, &f), 0);
	st_close(&f);
}
END_TEST

/* Whatever a mutated file says: no crash (the sanitizers watch), and what opens lies inside the file. */
START_TEST(mutations)
{
	char good[1024], bytes[1024], x[1024];
	int memory = memfd_create("mutant", 0);
	size_t n;

	write_two();
	n = get_file(path, good, sizeof good);
	snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
	for (uint64_t i = 0; i < 20000; i++) {
		struct st_file f;
		uint32_t r[4];
		hlx_philox(1, 1, i, r);
		memcpy(bytes, good, n);
		for (uint32_t k = 0; k <= r[0] % 3; k++)
			bytes[(r[1] >> (8 * k)) % n] = (char)(r[2] >> (8 * k));
		ck_assert_int_eq(pwrite(memory, bytes, n, 0), (int)n);
		if (st_open(path, &f) < 0)
			continue;
		for (size_t t = 0; t < f.count; t++) {
			ck_assert_uint_le(f.tensor[t].end, n);
			ck_assert_int_eq(st_read(&f, &f.tensor[t], 0, f.tensor[t].end - f.tensor[t].begin, x), 0);
		}
		st_close(&f);
	}
}
END_TEST
int main(void)
{
	TCase *t = tcase_create("safetensors");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, round_trip);
	tcase_add_loop_test(t, strange_headers, 0, (int)CLI_COUNT(headers));
	tcase_add_test(t, huge_header_length);
	tcase_add_test(t, every_truncation_is_refused);
	tcase_add_test(t, mutations);
	return suite_run("safetensors", t);
}
