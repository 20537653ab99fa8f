/* check_spirv_damage - SPIR-V modules with wrong headers, cut short, and with words changed at random. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/spirv_modules.h"
#include "tests/suite.h"

START_TEST(headers)
{
	static const struct { uint32_t at, word; const char *message; } cases[] = {
		{ 0, 0x03022307, "word 0: this SPIR-V is in the other byte order" }, { 0, 0x464c457f, "word 0: not SPIR-V" },
		{ 1, 0x00010700, "word 1: SPIR-V version" }, { 1, 0x00020000, "word 1: SPIR-V version" },
		{ 1, 0x00010001, "word 1: SPIR-V version" }, { 3, 0, "word 3: id bound is 0" },
		{ 3, 0x400000, "word 3: id bound is 4194304" }, { 3, 5, "outside the bound 5" }, { 4, 1, "word 4: schema" },
	};
	uint32_t code[COUNT(plain_v10)];
	struct hlx_reflect out;

	for (size_t i = 0; i < COUNT(cases); i++) {
		memcpy(code, plain_v10, sizeof code);
		code[cases[i].at] = cases[i].word;
		assert_refused(reflect(code, COUNT(code), &out), &out);
		ck_assert_msg(strstr(err, cases[i].message) != NULL, "said \"%s\", want \"%s\"", err, cases[i].message);
	}
	for (size_t bytes = 1; bytes < 4; bytes++) {
		int status = hlx_spirv_reflect(plain_v10, sizeof plain_v10 - bytes, &out, err, sizeof err);
		assert_refused(status, &out);
		ck_assert_msg(strstr(err, "not a whole number of words") != NULL, "said \"%s\"", err);
	}
}
END_TEST

/* The message may be cut or unwanted; the status stays. */
START_TEST(small_error_buffers)
{
	struct hlx_reflect out;
	char small[8] = "xxxxxxx";

	for (size_t size = 0; size <= sizeof small; size++)
		ck_assert_int_eq(hlx_spirv_reflect(plain_v10, 20, &out, size ? small : NULL, size), HLX_ENOTSUP);
	ck_assert_str_eq(small, "word 5:");
}
END_TEST

START_TEST(truncated)
{
	const struct module *m = &modules[_i];
	struct hlx_reflect out;

	for (size_t n = 0; n < m->n_words; n++)
		assert_refused(reflect(m->code, n, &out), &out);
	ck_assert_int_eq(reflect(m->code, m->n_words, &out), 0);
}
END_TEST

static uint64_t random_state;

static uint32_t random_u32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

static void mutate(uint32_t *code, size_t n)
{
	static const uint32_t interesting[] = { 0, 1, 16, 255, 0x7fffffff, 0x80000000, UINT32_MAX, I(SpvOpTypeStruct, 3) };
	uint32_t *word = code + random_u32() % n;

	switch (random_u32() % 5) {
	case 0: *word = code[random_u32() % n]; break;
	case 1: *word = interesting[random_u32() % COUNT(interesting)]; break;
	case 2: *word += random_u32() % 9 - 4; break;
	default: ((uint8_t *)word)[random_u32() % 4] = (uint8_t)random_u32();
	}
}

START_TEST(mutated)
{
	const struct module *m = &modules[_i];
	struct hlx_reflect out;
	int accepted = 0, refused = 0;

	random_state = 0x9e3779b97f4a7c15u + (uint64_t)_i;
	for (int i = 0; i < 4000; i++) {
		uint32_t *code = fenced(m->code, m->n_words);
		for (uint32_t changes = 1 + random_u32() % 6; changes; changes--)
			mutate(code, m->n_words);
		err[0] = 0;
		if (hlx_spirv_reflect(code, m->n_words * 4, &out, err, sizeof err)) {
			assert_refused(HLX_EINVAL, &out);
			refused++;
			continue;
		}
		accepted++;
		ck_assert(out.n_bindings <= HLX_MAX_BINDINGS && out.n_spec <= HLX_MAX_SPEC);
		ck_assert(out.n_capability <= HLX_MAX_CAPABILITIES && memchr(out.entry, 0, sizeof out.entry));
	}
	ck_assert_msg(accepted > 100 && refused > 100, "%d accepted, %d refused", accepted, refused);
}
END_TEST
int main(void)
{
	TCase *reading = tcase_create("spirv_damage");

	tcase_add_checked_fixture(reading, setup_fence, NULL);
	tcase_set_timeout(reading, 60);
	tcase_add_test(reading, headers);
	tcase_add_test(reading, small_error_buffers);
	tcase_add_loop_test(reading, truncated, 0, COUNT(modules));
	tcase_add_loop_test(reading, mutated, 0, COUNT(modules));
	return suite_run("spirv_damage", reading);
}
