/* The shared arithmetic (hlx/math.h, hlx/tree.h). */
#define _POSIX_C_SOURCE 200809L

#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/numerics.h"
#include "hlx/math.h"
#include "hlx/tree.h"
#include "tests/suite.h"

#define INPUTS (1u << 20)

static uint32_t draw(uint64_t stream, uint64_t i)
{
	uint32_t u[4];
	hlx_philox(1, stream, i, u);
	return u[0];
}

/* A call through a pointer that the compiler cannot see through: nothing may be folded at compile time. */
#define UNARY(f) \
	static float call_##f(float a, float b) \
	{ \
		(void)b; \
		return hlx_##f(a); \
	}
UNARY(store)
UNARY(rcp)
UNARY(sqrt)
UNARY(rsqrt)
UNARY(exp)
UNARY(log)
UNARY(tanh)

static double true_rcp(double a, double b)
{
	(void)b;
	return 1.0 / a;
}
static double true_sqrt(double a, double b)
{
	(void)b;
	return sqrt(a);
}
static double true_rsqrt(double a, double b)
{
	(void)b;
	return 1.0 / sqrt(a);
}
static double true_exp(double a, double b)
{
	(void)b;
	return exp(a);
}
static double true_log(double a, double b)
{
	(void)b;
	return log(a);
}
static double true_tanh(double a, double b)
{
	(void)b;
	return tanh(a);
}
static double true_div(double a, double b)
{
	return a / b;
}

/* Inputs: bit patterns spread over [lo, hi], of both signs where negative is set; b is drawn from lo to hi too. */
static const struct function {
	const char *name;
	float (*call)(float, float);
	double (*want)(double, double);
	float lo, hi;
	bool negative;
	double ulp; /* bound: just above the worst of all floats in the domain (div: of 10^8 pairs) */
} functions[] = {
	{ "rcp", call_rcp, true_rcp, 0x1p-125f, 0x1p100f, true, 0.502 },
	{ "div", hlx_div, true_div, 0x1p-40f, 0x1p40f, true, 0.502 },
	{ "sqrt", call_sqrt, true_sqrt, 0x1p-100f, 0x1p100f, false, 0.76 },
	{ "rsqrt", call_rsqrt, true_rsqrt, 0x1p-100f, 0x1p100f, false, 1.0 },
	{ "exp", call_exp, true_exp, 0x1p-30f, 34.0f, true, 1.0 },
	{ "exp above", call_exp, true_exp, 34.0f, 88.0f, false, 1.0 },
	{ "log", call_log, true_log, 0x1p-126f, 0x1.fffffep127f, false, 0.9 },
	{ "log near 1", call_log, true_log, 0.5f, 2.0f, false, 0.9 },
	{ "tanh", call_tanh, true_tanh, 0x1p-30f, 20.0f, true, 1.34 },
	{ "tanh middle", call_tanh, true_tanh, 0.5f, 4.0f, true, 1.34 },
	{ "store", call_store, NULL, 0.0f, 0x1p127f, true, 0 },
	{ "mul", hlx_mul, NULL, 0x1p-100f, 0x1p60f, true, 0 },
	{ "accum", hlx_accum, NULL, 0x1p-60f, 0x1p60f, true, 0 },
};

static float input(const struct function *f, uint64_t stream, uint64_t i)
{
	uint32_t lo = hlx_bits(f->lo), span = hlx_bits(f->hi) - lo;
	uint32_t bits = lo + (uint32_t)(((uint64_t)draw(stream, i) * ((uint64_t)span + 1)) >> 32);
	return hlx_float(bits | (f->negative && (draw(stream + 2, i) & 1) ? 0x80000000u : 0));
}

/* |got - want| in units in the last place of a float near want. */
static double ulps(float got, double want)
{
	int e;
	frexp(want, &e);
	return fabs((double)got - want) / ldexp(1.0, e - 24);
}

START_TEST(accuracy)
{
	const struct function *f = &functions[_i];
	double worst = 0;
	float at = 0;
	for (uint32_t i = 0; f->want && i < INPUTS; i++) {
		float a = input(f, 10, i), b = input(f, 11, i);
		double u = ulps(f->call(a, b), f->want(a, b));
		if (!(u <= worst)) {
			worst = u;
			at = a;
		}
	}
	ck_assert_msg(worst <= f->ulp, "%s: %.4f ulp at %a, want %.4f", f->name, worst, at, f->ulp);
}
END_TEST

static const uint32_t edges[] = {
	0x00000000, 0x80000000, 0x02000000, 0x82000000, 0x00800000, 0x01000000, 0x00800001, 0x26800000, 0x267fffff, 0xa6800000, 0x0d800000,
	0x0d7fffff, 0x8d800000, 0x3f800000, 0xbf800000, 0x3f7fffff, 0x3f800001, 0x71800000, 0x71800001, 0x7f7fffff, 0xff7fffff,
	0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc12345, 0xc2080000, 0xc2080001, 0xc207ffff, 0x42b00000, 0x42b00001,
	0x3f200000, 0x3f1fffff, 0x41700000, 0x3f3504f3, 0x3f3504f2, 0x1f800000, 0x20000000, 0x2a000000, 0x00ffffff, 0x7e800000,
};
enum { EDGES = sizeof edges / sizeof *edges };

START_TEST(flush_to_zero_changes_nothing)
{
	const struct function *f = &functions[_i];
	for (uint32_t i = 0; i < INPUTS + EDGES * EDGES; i++) {
		uint32_t a = draw(20, i), b = draw(21, i);
		if (i >= INPUTS) {
			a = edges[(i - INPUTS) / EDGES];
			b = edges[(i - INPUTS) % EDGES];
		} else if (i % 2) {
			a = hlx_bits(input(f, 10, i));
			b = hlx_bits(input(f, 11, i));
		}
		/* Any float is an input, but for denormals: they do not arise. */
		if ((a & HLX_BITS_MAG) - 1 < 0x007fffff || (b & HLX_BITS_MAG) - 1 < 0x007fffff)
			continue;
		uint32_t kept = hlx_bits(f->call(hlx_float(a), hlx_float(b)));
		hlx_fpenv_flush(true);
		uint32_t flushed = hlx_bits(f->call(hlx_float(a), hlx_float(b)));
		hlx_fpenv_flush(false);
		if (kept != flushed && !(hlx_bits_nan(kept) && hlx_bits_nan(flushed)))
			ck_abort_msg("%s(%08x, %08x): %08x, flushed %08x", f->name, a, b, kept, flushed);
	}
}
END_TEST

START_TEST(flush_to_zero_is_real)
{
	volatile float tiny = 0x1p-100f;
	ck_assert(hlx_fpenv_flush(true));
	float flushed = tiny * 0x1p-40f;
	hlx_fpenv_flush(false);
	ck_assert(flushed == 0.0f);
	ck_assert(tiny * 0x1p-40f != 0.0f);
}
END_TEST

/*
 * Why hlx_mul is: five terms that are products of what memory may hold, and carry a tie upward from 2^-130 to 2^-38.
 * Plain products give another sum where denormals are flushed.
 */
static uint32_t tie_sum(bool plain)
{
	static const float factors[5][3] = { { 0x1p-50f, 0x1p-40f, 0x1p-40f }, { 0x1p-50f, 0x1p-40f, 0x1p-20f },
		{ 0x1p-50f, 0x1p-36f, 1.0f }, { 0x1p-50f, 0x1p-12f, 1.0f }, { 0x1p-38f, 1.0f, 1.0f } };
	volatile float sum = 0.0f;
	for (int i = 0; i < 5; i++) {
		volatile float a = factors[i][0], b = factors[i][1], c = factors[i][2];
		sum = sum + (plain ? a * b * c : hlx_mul(hlx_mul(a, b), c));
	}
	return hlx_bits(sum);
}

START_TEST(a_tie_carried_up_from_a_denormal)
{
	const uint32_t kept = tie_sum(false), plain_kept = tie_sum(true);
	hlx_fpenv_flush(true);
	const uint32_t flushed = tie_sum(false), plain_flushed = tie_sum(true);
	hlx_fpenv_flush(false);
	ck_assert_uint_ne(plain_kept, plain_flushed); /* the case is what it says */
	ck_assert_uint_eq(kept, flushed);
}
END_TEST

static uint32_t bits_of(float x)
{
	return hlx_bits(x);
}

START_TEST(store_edges)
{
	static const uint32_t table[][2] = {
		{ 0x00000000, 0x00000000 }, { 0x80000000, 0x00000000 }, { 0x00000001, 0x00000000 }, { 0x807fffff, 0x00000000 },
		{ 0x267fffff, 0x00000000 }, { 0xa67fffff, 0x00000000 }, { 0x26800000, 0x26800000 }, { 0xa6800000, 0xa6800000 },
		{ 0x3f800000, 0x3f800000 }, { 0x7f800000, 0x7f800000 }, { 0xff800000, 0xff800000 }, { 0x7fc00001, 0x7fc00001 },
		{ 0xffffffff, 0xffffffff },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		ck_assert_uint_eq(bits_of(hlx_store(hlx_float(table[i][0]))), table[i][1]);
}
END_TEST

START_TEST(mul_edges)
{
	ck_assert_uint_eq(bits_of(hlx_mul(0x1p-50f, 0x1p-50f)), 0x0d800000);
	ck_assert_uint_eq(bits_of(hlx_mul(-0x1p-50f, 0x1p-50f)), 0x8d800000);
	ck_assert_uint_eq(bits_of(hlx_mul(0x1p-50f, 0x1.fffffep-51f)), 0);
	ck_assert_uint_eq(bits_of(hlx_mul(-0x1p-50f, 0x1.fffffep-51f)), 0);
	ck_assert_uint_eq(bits_of(hlx_mul(-1.0f, 0.0f)), 0);
	ck_assert_uint_eq(bits_of(hlx_mul(0x1p-100f, 0x1p-100f)), 0);
	ck_assert_uint_eq(bits_of(hlx_mul(3.0f, 5.0f)), bits_of(15.0f));
	ck_assert(!hlx_is_finite(hlx_mul(0x1p127f, 2.0f)));
	ck_assert_uint_eq(bits_of(hlx_accum(1.0f, 0x1.fffffep-51f)), bits_of(1.0f));
	ck_assert_uint_eq(bits_of(hlx_accum(0x1p-50f, -0x1.000002p-50f)), 0);
	ck_assert_uint_eq(bits_of(hlx_accum(-1.0f, 1.0f)), 0);
	ck_assert(hlx_bits_finite(0x7f7fffff) && !hlx_bits_finite(0x7f800000) && !hlx_bits_finite(0xffc00000));
}
END_TEST

START_TEST(function_edges)
{
	const float inf = INFINITY, nan = NAN;
	ck_assert_uint_eq(bits_of(hlx_rcp(0.0f)), bits_of(0x1p125f));
	ck_assert_uint_eq(bits_of(hlx_rcp(-0.0f)), bits_of(0x1p125f));
	ck_assert_uint_eq(bits_of(hlx_rcp(-0x1p-126f)), bits_of(-0x1p125f));
	ck_assert_uint_eq(bits_of(hlx_rcp(0x1p101f)), bits_of(0x1p-100f));
	ck_assert_uint_eq(bits_of(hlx_rcp(-inf)), bits_of(-0x1p-100f));
	ck_assert_uint_eq(bits_of(hlx_rcp(1.0f)), bits_of(1.0f));
	ck_assert_uint_eq(bits_of(hlx_rcp(-4.0f)), bits_of(-0.25f));
	ck_assert_uint_eq(bits_of(hlx_div(0.0f, -3.0f)), 0);
	ck_assert_uint_eq(bits_of(hlx_div(-0.0f, 3.0f)), 0);
	ck_assert_uint_eq(bits_of(hlx_div(6.0f, -3.0f)), bits_of(-2.0f));
	ck_assert_uint_eq(bits_of(hlx_div(0x1p-60f, 0x1p40f)), bits_of(0x1p-100f));
	ck_assert_uint_eq(bits_of(hlx_div(-0x1p-60f, 0x1.000002p40f)), 0);
	ck_assert_uint_eq(bits_of(hlx_div(0x1p-123f, 0x1p-123f)), bits_of(1.0f));
	ck_assert_uint_eq(bits_of(hlx_div(0x1.8p127f, 0.5f)), bits_of(inf));
	ck_assert_uint_eq(bits_of(hlx_div(0x1.fffffep127f, 1.0f)), bits_of(0x1.fffffep127f));
	ck_assert_uint_eq(bits_of(hlx_div(0x1p127f, 0x1.8p0f)), bits_of(0x1.555556p126f));
	ck_assert_uint_eq(bits_of(hlx_div(-0x1p127f, 0x1p-126f)), bits_of(-inf));
	ck_assert_uint_eq(bits_of(hlx_div(1.0f, 0.0f)), bits_of(0x1p126f));
	ck_assert_uint_eq(bits_of(hlx_div(1.0f, inf)), HLX_BITS_NAN);
	ck_assert_uint_eq(bits_of(hlx_sqrt(0.0f)), 0);
	ck_assert_uint_eq(bits_of(hlx_sqrt(-0.0f)), 0);
	ck_assert_uint_eq(bits_of(hlx_sqrt(-4.0f)), 0);
	ck_assert_uint_eq(bits_of(hlx_sqrt(0x1.fffffep-101f)), 0);
	ck_assert_uint_eq(bits_of(hlx_sqrt(0x1p-100f)), bits_of(0x1p-50f));
	ck_assert_uint_eq(bits_of(hlx_sqrt(inf)), bits_of(0x1p50f));
	ck_assert_uint_eq(bits_of(hlx_sqrt(9.0f)), bits_of(3.0f));
	ck_assert_uint_eq(bits_of(hlx_rsqrt(0.0f)), bits_of(0x1p50f));
	ck_assert_uint_eq(bits_of(hlx_rsqrt(-1.0f)), bits_of(0x1p50f));
	ck_assert_uint_eq(bits_of(hlx_rsqrt(4.0f)), bits_of(0.5f));
	ck_assert_uint_eq(bits_of(hlx_exp(0.0f)), bits_of(1.0f));
	ck_assert_uint_eq(bits_of(hlx_exp(-0.0f)), bits_of(1.0f));
	ck_assert_uint_eq(bits_of(hlx_exp(-34.000004f)), 0);
	ck_assert(hlx_exp(-34.0f) > 0x1p-50f);
	ck_assert_uint_eq(bits_of(hlx_exp(-inf)), 0);
	ck_assert_uint_eq(bits_of(hlx_exp(inf)), bits_of(hlx_exp(88.0f)));
	ck_assert_uint_eq(bits_of(hlx_log(1.0f)), 0);
	ck_assert_uint_eq(bits_of(hlx_log(0.0f)), bits_of(hlx_log(0x1p-126f)));
	ck_assert_uint_eq(bits_of(hlx_log(-1.0f)), bits_of(hlx_log(0x1p-126f)));
	ck_assert_uint_eq(bits_of(hlx_log(inf)), bits_of(inf));
	ck_assert_uint_eq(bits_of(hlx_tanh(0.0f)), 0);
	ck_assert_uint_eq(bits_of(hlx_tanh(inf)), bits_of(1.0f));
	ck_assert_uint_eq(bits_of(hlx_tanh(-20.0f)), bits_of(-1.0f));
	for (int i = 0; i < 7; i++)
		ck_assert_uint_eq(bits_of(functions[i].call(nan, 1.0f)), HLX_BITS_NAN);
	ck_assert_uint_eq(bits_of(hlx_tanh(nan)), HLX_BITS_NAN);
	ck_assert_uint_eq(bits_of(hlx_log(nan)), HLX_BITS_NAN);
	ck_assert_uint_eq(bits_of(hlx_div(1.0f, nan)), HLX_BITS_NAN);
}
END_TEST

START_TEST(odd_and_monotonic)
{
	float last = -1.0f, last_exp = 0.0f;
	bool odd = true, up = true;
	for (uint32_t i = 0; i < INPUTS; i++) {
		float x = hlx_float(hlx_bits(0x1p-20f) + i * 250);
		odd = odd && hlx_bits(hlx_tanh(-x)) == hlx_bits(-hlx_tanh(x));
		up = up && hlx_tanh(x) <= 1.0f && (hlx_tanh(x) >= last || ulps(last, hlx_tanh(x)) <= 1.0);
		up = up && (hlx_exp(x) >= last_exp || ulps(last_exp, hlx_exp(x)) <= 1.0);
		last = hlx_tanh(x);
		last_exp = hlx_exp(x);
	}
	ck_assert(odd);
	ck_assert(up); /* but for a step back of one unit, where two pieces meet */
}
END_TEST

/* The row sum once more, as the words of the contract have it. */
static float naive_row_sum(const float *x, size_t n)
{
	float v[64];
	for (size_t i = 0; i < 64; i++) {
		v[i] = 0.0f;
		for (size_t e = i; e < n; e += 64)
			v[i] = v[i] + x[e];
	}
	for (size_t i = 0; i < 32; i++)
		v[i] += v[i + 32];
	for (size_t i = 0; i < 16; i++)
		v[i] += v[i + 16];
	for (size_t i = 0; i < 8; i++)
		v[i] += v[i + 8];
	for (size_t i = 0; i < 4; i++)
		v[i] += v[i + 4];
	v[0] += v[2];
	v[1] += v[3];
	return v[0] + v[1];
}

START_TEST(tree)
{
	static const size_t sizes[] = { 0, 1, 3, 63, 64, 65, 257, 1000 };
	float x[2048] = { 0 }, y[2048] = { 0 }, xy[2048];
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		const size_t n = sizes[s];
		for (size_t i = 0; i < n; i++) {
			x[i] = hlx_store(hlx_init_normal(3, s, i, 1.0) * (i % 7 ? 1.0f : 1000.0f));
			y[i] = hlx_init_normal(4, s, i, 1.0);
		}
		for (size_t i = 0; i < 2048; i++)
			xy[i] = hlx_mul(x[i], y[i]);
		const uint32_t want = bits_of(naive_row_sum(x, n));
		ck_assert_uint_eq(bits_of(hlx_row_sum(x, n)), want);
		for (size_t more = n; more < 2048; more += 61)
			ck_assert_uint_eq(bits_of(hlx_row_sum(x, more)), want);
		ck_assert_uint_eq(bits_of(hlx_row_dot(x, y, n)), bits_of(naive_row_sum(xy, n)));
		float top = -INFINITY;
		for (size_t i = 0; i < n; i++)
			top = fmaxf(top, x[i]);
		ck_assert(!n || hlx_row_max(x, n) == top);
	}
	/* Not just any order: the plain chain differs. */
	float chain = 0;
	for (size_t i = 0; i < 1000; i++)
		chain += x[i];
	ck_assert_uint_ne(bits_of(chain), bits_of(hlx_row_sum(x, 1000)));
	float p[8] = { 1e8f, 1.0f, -1e8f, 1.0f, 3.0f, 1e-3f, 1e7f, 1.0f };
	const float slots = ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]));
	ck_assert_uint_eq(bits_of(hlx_slot_sum(p, 8, 1)), bits_of(slots));
}
END_TEST

int main(void)
{
	enum { FUNCTIONS = sizeof functions / sizeof *functions };
	TCase *t = tcase_create("math");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, accuracy, 0, FUNCTIONS);
	tcase_add_loop_test(t, flush_to_zero_changes_nothing, 0, FUNCTIONS);
	tcase_add_test(t, flush_to_zero_is_real);
	tcase_add_test(t, a_tie_carried_up_from_a_denormal);
	tcase_add_test(t, store_edges);
	tcase_add_test(t, mul_edges);
	tcase_add_test(t, function_edges);
	tcase_add_test(t, odd_and_monotonic);
	tcase_add_test(t, tree);
	return suite_run("math", t);
}
