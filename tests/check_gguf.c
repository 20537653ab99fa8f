/* check_gguf.c - GGUF files, byte by byte. */
#include "runner/gguf.h"
#include "tests/run_files.h"
#include "tests/suite.h"

static const char *at; /* where a reader is in the file */

static void take(void *out, size_t n)
{
	memcpy(out, at, n);
	at += n;
}

static uint64_t take_u64(void)
{
	uint64_t v;

	take(&v, sizeof v);
	return v;
}

static uint32_t take_u32(void)
{
	uint32_t v;

	take(&v, sizeof v);
	return v;
}

static void want_text(const char *text)
{
	ck_assert_uint_eq(take_u64(), strlen(text));
	ck_assert_int_eq(memcmp(at, text, strlen(text)), 0);
	at += strlen(text);
}

static void want_key(const char *name, uint32_t type)
{
	want_text(name);
	ck_assert_uint_eq(take_u32(), type);
}

static void write_gguf(const float *x)
{
	const struct hlx_desc two = { .dtype = HLX_F32, .rank = 2, .dim = { 3, 5 } }, one = { .dtype = HLX_F32, .rank = 1, .dim = { 8 } };
	struct gguf_writer w;

	ck_assert_int_eq(gguf_begin(&w, path), 0);
	gguf_u32(&w, "general.alignment", GGUF_ALIGN);
	gguf_string(&w, "a", "");
	gguf_f32(&w, "b", 0.25f);
	gguf_bool(&w, "c", true);
	gguf_strings(&w, "d", 2);
	gguf_item_string(&w, "x");
	gguf_item_string(&w, "yz");
	gguf_i32s(&w, "e", 1);
	gguf_item_i32(&w, -2);
	gguf_strings(&w, "f", 0);
	gguf_declare(&w, "two", &two);
	gguf_declare(&w, "one", &one);
	ck_assert_int_eq(gguf_header(&w), 0);
	ck_assert_int_eq(gguf_write(&w, x, 15), 0);
	ck_assert_int_eq(gguf_write(&w, x + 15, 8), 0);
	ck_assert_int_eq(gguf_end(&w, 0), 0);
}

static void want_keys(void)
{
	float b;

	want_key("general.alignment", 4);
	ck_assert_uint_eq(take_u32(), 32);
	want_key("a", 8);
	want_text("");
	want_key("b", 6);
	take(&b, sizeof b);
	ck_assert(b == 0.25f);
	want_key("c", 7);
	ck_assert_int_eq(*at++, 1);
	want_key("d", 9);
	ck_assert(take_u32() == 8 && take_u64() == 2);
	want_text("x");
	want_text("yz");
	want_key("e", 9);
	ck_assert(take_u32() == 5 && take_u64() == 1 && (int32_t)take_u32() == -2);
	want_key("f", 9);
	ck_assert(take_u32() == 8 && take_u64() == 0);
}

/* Read back by the description of the format, byte by byte. */
START_TEST(gguf_layout)
{
	static const char zeros[32];
	char bytes[1024];
	float x[23];
	size_t n, data;

	for (int i = 0; i < 23; i++)
		x[i] = (float)i - 7.5f;
	write_gguf(x);
	n = get_file(path, bytes, sizeof bytes);
	ck_assert_int_eq(memcmp(bytes, "GGUF", 4), 0);
	at = bytes + 4;
	ck_assert(take_u32() == 3 && take_u64() == 2 && take_u64() == 7);
	want_keys();
	want_text("two");
	ck_assert(take_u32() == 2 && take_u64() == 5 && take_u64() == 3); /* fastest first */
	ck_assert(take_u32() == 0 && take_u64() == 0);
	want_text("one");
	ck_assert(take_u32() == 1 && take_u64() == 8 && take_u32() == 0 && take_u64() == 64);
	data = ((size_t)(at - bytes) + 31) / 32 * 32;
	ck_assert_int_eq(memcmp(at, zeros, (size_t)(bytes + data - at)), 0);
	ck_assert_int_eq(memcmp(bytes + data, x, 60), 0);
	ck_assert_int_eq(memcmp(bytes + data + 60, zeros, 4), 0);
	ck_assert_int_eq(memcmp(bytes + data + 64, x + 15, 32), 0);
	ck_assert_uint_eq(n, data + 96);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("gguf");

	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, gguf_layout);
	return suite_run("gguf", t);
}
