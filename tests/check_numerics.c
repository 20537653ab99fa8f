/* What the host computes that reaches a bit of the result (core/numerics.h). */
#define _POSIX_C_SOURCE 200809L

#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/numerics.h"
#include "hlx/math.h"
#include "tests/suite.h"

#define INPUTS (1u << 20)

static uint32_t draw(uint64_t stream, uint64_t i)
{
	uint32_t u[4];
	hlx_philox(1, stream, i, u);
	return u[0];
}

static uint32_t bits_of(float x)
{
	return hlx_bits(x);
}

START_TEST(philox)
{
	/* Random123's kat_vectors: philox4x32 10 */
	static const struct {
		uint64_t index, stream, seed;
		uint32_t want[4];
	} kat[] = {
		{ 0, 0, 0, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ 0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822, { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};
	for (size_t i = 0; i < sizeof kat / sizeof *kat; i++) {
		uint32_t out[4];
		hlx_philox(kat[i].seed, kat[i].stream, kat[i].index, out);
		ck_assert_mem_eq(out, kat[i].want, sizeof out);
	}
	ck_assert_uint_eq(hlx_stream(0, ""), 0xef46db3751d8e999);
	ck_assert_uint_eq(hlx_stream(0, "abc"), 0x44bc2cf5ad770999);
	ck_assert_uint_ne(hlx_stream(1, "abc"), hlx_stream(0, "abc"));
}
END_TEST

START_TEST(initial_weights)
{
	double sum = 0, squares = 0, fourth = 0;
	bool stored = true;
	for (uint32_t i = 0; i < INPUTS; i++) {
		float x = hlx_init_normal(7, 9, i, 0.02);
		stored = stored && fabsf(x) <= 0.12f && (x == 0.0f || fabsf(x) >= 0x1p-50f);
		sum += x;
		squares += (double)x * x;
		fourth += (double)x * x * x * x;
	}
	ck_assert(stored);
	ck_assert_double_lt(fabs(sum / INPUTS), 5 * 0.02 / 1024);
	ck_assert_double_eq_tol(sqrt(squares / INPUTS), 0.02, 5e-5);
	ck_assert_double_eq_tol(fourth / INPUTS / (0.02 * 0.02 * 0.02 * 0.02), 2.9, 0.03); /* 3 - 1.2 / 12 */
	ck_assert_uint_eq(bits_of(hlx_init_normal(1, 2, 3, 0.02)), bits_of(hlx_init_normal(1, 2, 3, 0.02)));
	ck_assert_uint_ne(bits_of(hlx_init_normal(1, 2, 3, 0.02)), bits_of(hlx_init_normal(1, 2, 4, 0.02)));
	ck_assert_uint_eq(bits_of(hlx_init_normal(1, 2, 3, 0.0)), 0);
}
END_TEST

START_TEST(cosine_and_powers)
{
	double worst = 0;
	for (uint32_t i = 0; i <= INPUTS; i++) {
		double x = (double)i / INPUTS;
		worst = fmax(worst, fabs(hlx_cos_pi(x) - cos(3.14159265358979323846 * x)));
	}
	ck_assert_double_lt(worst, 1e-15);
	ck_assert(hlx_cos_pi(0.0) == 1.0 && hlx_cos_pi(0.5) == 0.0 && hlx_cos_pi(1.0) == -1.0);
	ck_assert(hlx_cos_pi(-1.0) == 1.0 && hlx_cos_pi(2.0) == -1.0);
	ck_assert(hlx_pow_int(0.5, 10) == 0x1p-10 && hlx_pow_int(0.9, 0) == 1.0 && hlx_pow_int(0.0, 0) == 1.0);
	for (uint64_t t = 1; t < 100000; t += 7)
		ck_assert_double_eq_tol(hlx_pow_int(0.999, t) / pow(0.999, (double)t), 1.0, 1e-10);
	ck_assert_uint_eq(bits_of(hlx_beta_power(0.9, 1)), bits_of(0.9f));
	ck_assert(hlx_beta_power(0.5, 50) == 0x1p-50f);
	ck_assert_uint_eq(bits_of(hlx_beta_power(0.5, 51)), 0);
	ck_assert_uint_eq(bits_of(hlx_beta_power(0.9, UINT64_MAX)), 0);
	ck_assert(hlx_beta_power(1.0, UINT64_MAX) == 1.0f);
	for (uint64_t t = 1; t < 10000000; t = t * 3 / 2 + 1) {
		uint32_t kept = bits_of(hlx_beta_power(0.95, t));
		hlx_fpenv_flush(true);
		uint32_t flushed = bits_of(hlx_beta_power(0.95, t));
		hlx_fpenv_flush(false);
		ck_assert_uint_eq(kept, flushed);
	}
}
END_TEST

START_TEST(schedule)
{
	static const enum hlx_decay decays[] = { HLX_DECAY_CONSTANT, HLX_DECAY_LINEAR, HLX_DECAY_COSINE };
	static const uint64_t warmups[] = { 0, 1, 100 };
	for (size_t d = 0; d < 3; d++) {
		for (size_t w = 0; w < 3; w++) {
			const struct hlx_schedule s = { decays[d], 3e-4, 0.1, warmups[w], 1000 };
			float last = 0;
			for (uint64_t t = 1; t <= 1000; t++) {
				float lr = hlx_schedule_lr(&s, t);
				ck_assert(lr <= 3e-4f && lr > 0);
				ck_assert(t == 1 || (t <= s.warmup ? lr > last : lr <= last));
				last = lr;
			}
			ck_assert(!s.warmup || hlx_schedule_lr(&s, s.warmup) == (float)3e-4);
			ck_assert(last == (float)(d ? 3e-4 * 0.1 : 3e-4));
			ck_assert(hlx_schedule_lr(&s, 5000) == last);
		}
	}
	const struct hlx_schedule half = { HLX_DECAY_COSINE, 1.0, 0.0, 0, 1000 };
	ck_assert(hlx_schedule_lr(&half, 500) == 0.5f);
	const struct hlx_schedule all = { HLX_DECAY_LINEAR, 1.0, 0.0, 10, 10 };
	ck_assert(hlx_schedule_lr(&all, 5) == 0.5f && hlx_schedule_lr(&all, 10) == 1.0f);
	ck_assert(hlx_schedule_lr(&all, 11) == 0.0f);
}
END_TEST

START_TEST(permutation)
{
	static unsigned char seen[1000];
	for (uint64_t n = 1; n <= 1000; n++) {
		bool bijective = true;
		memset(seen, 0, sizeof seen);
		for (uint64_t i = 0; i < n; i++) {
			uint64_t p = hlx_permute(5, 6, i, n);
			bijective = bijective && p < n && !seen[p];
			seen[p % 1000] = 1;
		}
		ck_assert_msg(bijective, "no permutation of %d", (int)n);
	}
	static const uint64_t large[] = { 1000003, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1, (UINT64_C(1) << 61) + 12345,
		UINT64_C(1) << 62 };
	for (size_t k = 0; k < sizeof large / sizeof *large; k++) {
		uint64_t p[64], outside = 0;
		for (uint64_t i = 0; i < 64; i++) {
			p[i] = hlx_permute(5, 6, large[k] - 1 - i, large[k]);
			ck_assert(p[i] < large[k]);
			outside += p[i] < large[k] / 2;
			for (uint64_t j = 0; j < i; j++)
				ck_assert(p[i] != p[j]);
		}
		ck_assert(outside > 12 && outside < 52);
	}
	unsigned fixed = 0, same = 0;
	for (uint64_t i = 0; i < 1000; i++) {
		fixed += hlx_permute(5, 6, i, 1000) == i;
		same += hlx_permute(5, 6, i, 1000) == hlx_permute(5, 7, i, 1000);
	}
	ck_assert(fixed < 12 && same < 12);
}
END_TEST

START_TEST(numbers_in_any_locale)
{
	static const char *const commas[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "fr_FR" };
	static const char *const bad[] = { "", " 1", "1 ", "1,5", "0x10", "inf", "nan", "1e400", "1e", ".", "-", "1.5.2", "1d3",
		"1e5x", "--1" };
	static const char *const written[] = { "0.1", "0.9", "100", "-3", "-0", "1e-8", "0.0003", "1e+20", "999999999999999", "5e-324",
		"0.30000000000000004", "1.7976931348623157e+308" };
	for (size_t i = 0; i < 5 && !setlocale(LC_ALL, commas[i]); i++)
		;
	double x = 7;
	float f;
	char text[64];
	ck_assert(hlx_parse_double("3e-4", &x) && x == 3e-4);
	ck_assert(hlx_parse_double("-1.5", &x) && x == -1.5);
	ck_assert(hlx_parse_double("+.25", &x) && x == 0.25);
	ck_assert(hlx_parse_double("9007199254740993.00000000000000000000001", &x) && x == 9007199254740994.0);
	ck_assert(hlx_parse_float("0.1", &f) && f == 0.1f);
	ck_assert(!hlx_parse_float("1e39", &f));
	x = 7;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!hlx_parse_double(bad[i], &x) && x == 7, "'%s' was read as a number", bad[i]);
	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		ck_assert(hlx_parse_double(written[i], &x));
		ck_assert_int_eq(hlx_format_double(text, sizeof text, x), (int)strlen(written[i]));
		ck_assert_str_eq(text, written[i]);
	}
	for (uint32_t i = 0; i < 10000; i++) {
		double y, want = ldexp((double)draw(30, i) * 4294967296.0 + draw(31, i), (int)(draw(32, i) % 1800) - 900);
		hlx_format_double(text, sizeof text, want);
		ck_assert(hlx_parse_double(text, &y) && y == want);
	}
	setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(hashes)
{
	enum { N = 1000 };
	static uint32_t w[N];
	const uint64_t key = hlx_hash_key("layer.0.fc.weight");
	for (uint32_t i = 0; i < N; i++)
		w[i] = draw(40, i);
	const uint64_t whole = hlx_hash_words(key, 0, w, N);
	for (size_t cut = 0; cut <= N; cut++) {
		uint64_t a = hlx_hash_words(key, 0, w, cut), b = hlx_hash_words(key, cut, w + cut, N - cut);
		ck_assert_uint_eq(hlx_hash_add(a, b), whole);
		ck_assert_uint_eq(hlx_hash_add(b, a), whole);
	}
	uint64_t one_by_one = 0;
	for (size_t i = N; i-- > 0;)
		one_by_one = hlx_hash_add(hlx_hash_words(key, i, w + i, 1), one_by_one);
	ck_assert_uint_eq(one_by_one, whole);
	bool seen = true;
	for (size_t i = 0; i < N; i++) {
		const uint64_t was = hlx_hash_words(key, i, w + i, 1);
		for (int bit = 0; bit < 32; bit++) {
			const uint32_t flipped = w[i] ^ 1u << bit;
			const uint64_t now = hlx_hash_words(key, i, &flipped, 1);
			seen = seen && (uint32_t)now != (uint32_t)was && now >> 32 != was >> 32;
		}
	}
	ck_assert(seen);
	/* Two elements swapped, another tensor, another place. */
	uint32_t a = w[0];
	w[0] = w[1];
	w[1] = a;
	ck_assert_uint_ne(hlx_hash_words(key, 0, w, N), whole);
	w[1] = w[0];
	w[0] = a;
	ck_assert_uint_eq(hlx_hash_words(key, 0, w, N), whole);
	ck_assert_uint_ne(hlx_hash_words(key + 1, 0, w, N), whole);
	ck_assert_uint_ne(hlx_hash_words(key ^ UINT64_C(1) << 40, 0, w, N), whole);
	ck_assert_uint_ne(hlx_hash_words(key, 1, w, N), whole);
	ck_assert_uint_ne(hlx_hash_words(key, UINT64_C(1) << 32, w, N), whole);
	/* A range across 2^32 is the sum of its elements. */
	const uint64_t first = (UINT64_C(1) << 32) - 500;
	uint64_t across = 0;
	for (size_t i = 0; i < N; i++)
		across = hlx_hash_add(across, hlx_hash_words(key, first + i, w + i, 1));
	ck_assert_uint_eq(hlx_hash_words(key, first, w, N), across);
	/* The definition does not change unseen. */
	static const uint32_t fixed[4] = { 0, 0x3f800000, 0xbf800000, 0x80000000 };
	ck_assert_uint_eq(hlx_hash_words(UINT64_C(0x0123456789abcdef), 5, fixed, 4), UINT64_C(0x6974887fef95161e));
	ck_assert_uint_eq(hlx_chain(1, 2, 3, 4), UINT64_C(0x2ecd9fc219678999));
	ck_assert_uint_ne(hlx_chain(1, 2, 3, 4), hlx_chain(1, 2, 4, 3));
}
END_TEST

START_TEST(environment)
{
	struct hlx_fpenv e, user;
	volatile float tiny = 0x1p-100f, k = 0x1p-40f;
	ck_assert(hlx_fpenv_flush(true));
	hlx_fpenv_enter(&user);
	ck_assert(tiny * k != 0.0f);
	hlx_fpenv_restore(&user);
	ck_assert(tiny * k == 0.0f);
	hlx_fpenv_default();
	ck_assert(tiny * k != 0.0f);
	hlx_fpenv_save(&e);
	hlx_fpenv_flush(true);
	hlx_fpenv_restore(&e);
	ck_assert(tiny * k != 0.0f);
}
END_TEST

/* The host's results at fixed arguments: these bits are part of the contract. */
START_TEST(host_bits)
{
	ck_assert_uint_eq(bits_of(hlx_init_normal(1, 2, 3, 0.02)), 0x3bfd598a);
	const struct hlx_schedule s = { HLX_DECAY_COSINE, 3e-4, 0.1, 10, 400 };
	ck_assert_uint_eq(bits_of(hlx_schedule_lr(&s, 123)), 0x3981eef5);
	ck_assert_uint_eq(hlx_permute(1, 2, 3, 1000000), 693188);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("numerics");

	tcase_set_timeout(t, 300);
	tcase_add_test(t, philox);
	tcase_add_test(t, initial_weights);
	tcase_add_test(t, cosine_and_powers);
	tcase_add_test(t, schedule);
	tcase_add_test(t, permutation);
	tcase_add_test(t, numbers_in_any_locale);
	tcase_add_test(t, hashes);
	tcase_add_test(t, environment);
	tcase_add_test(t, host_bits);
	return suite_run("numerics", t);
}
