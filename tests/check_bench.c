/* What hlxt bench rests on: every op's shapes and work, the timer, the ceilings. */
#include "tests/toys.h"

#include "core/bench/ceiling.h"
#include "core/bench/one.h"
#include "core/registry/registry.h"
#include "runner/paths.h"

static struct hlx_registry *builtin(void)
{
	struct hlx_registry *r;

	ck_assert_int_eq(hlx_registry_create(&r), 0);
	ck_ok(hlx_registry_load_all(r, path_plugins()));
	return r;
}

static struct hlx_work work(struct hlx_registry *r, const char *op, const char *text)
{
	struct hlx_check_case c;
	struct hlx_work w;

	ck_ok(hlx_check_case_parse(hlx_registry_op(r, op), text, &c));
	ck_ok(hlx_bench_work(r, &c, &w));
	return w;
}

/* Forward and backward, with 8 slots of partial sums. */
START_TEST(counts_work)
{
	struct hlx_registry *r = builtin();
	struct hlx_work w = work(r, "gemm", "a=2x3x4 out=5 bias=yes");

	ck_assert_double_eq(w.ops, 3 * 2 * 6 * 4 * 5 + 2 * 30);
	ck_assert_double_eq(w.bytes, 4 * (24 + 20 + 30) + 4 * (30 + (20 + 24) + (24 + 8 * 20) + 8 * 5));
	w = work(r, "gemm", "a=2x3x4x5 b=2x3x7x5 transpose_b=yes");
	ck_assert_double_eq(w.ops, 3 * 2 * 6 * 4 * 5 * 7);
	ck_assert_double_eq(w.bytes, 4 * 6 * (20 + 35 + 28) + 4 * 6 * (28 + 35 + 20 + 20 + 35));
	w = work(r, "add", "a=3x5 b=3x5");
	ck_assert_double_eq(w.bytes, 4 * 15 * (3 + 3));
	w = work(r, "softmax", "x=2x3x3 causal=yes"); /* 6 of 9 are seen: read, all written; read twice, all written */
	ck_assert_double_eq(w.bytes, 4 * 2 * (6 + 9) + 4 * 2 * (6 + 6 + 9));
	w = work(r, "xent", "logits=2x3x5 targets=2x3<5");
	ck_assert_double_eq(w.bytes, 4 * (30 + 6) + 4 * (30 + 6 + 30));
	w = work(r, "adam", "param=64 grad=64 flags=1<2 loss=2 norm=2");
	ck_assert_double_eq(w.bytes, 4 * (7 * 64 + 1));
	w = work(r, "hash", "array0=256 array1=256 blocks=1x4<2 keys=2x1x2<9");
	ck_assert_double_eq(w.bytes, 4 * 512);
	hlx_registry_destroy(r);
}
END_TEST

START_TEST(every_shape_is_one)
{
	struct hlx_registry *r = builtin();
	const struct hlx_op *op;
	unsigned shapes = 0;

	for (size_t i = 0; (op = hlx_registry_op_at(r, i, NULL)); i++)
		for (const char *const *text = HLX_LATER(op, bench); text && *text; text++, shapes++) {
			struct hlx_work w = work(r, op->name, *text);
			ck_assert_msg(w.ops > 0 && w.bytes > 0, "%s '%s' asks for nothing", op->name, *text);
			for (const char *const *before = op->bench; before < text; before++)
				ck_assert_msg(strcmp(*before, *text), "%s '%s' is there twice", op->name, *text);
		}
	ck_assert_uint_ge(shapes, 80);
	hlx_registry_destroy(r);
}
END_TEST

/* Odd sizes, both passes, all implementations, wired ops and those of the trainer. */
START_TEST(times_passes)
{
	static const struct { const char *op, *text; uint32_t passes; } cases[] = {
		{ "gelu", "x=3x257", 2 }, { "gemm", "a=2x3x17 out=33 bias=yes", 4 }, { "gemm", "a=3x33 b=33x5", 4 },
		{ "xent", "logits=2x3x257 targets=2x3<257", 2 }, { "slots", "partial=1025", 1 },
		{ "hash", "array0=8256 blocks=3x4<2 keys=1x1x2<99", 1 }, { "norm", "squares=300 table=9<300 loss=2", 1 },
		{ "adam", "param=4416 grad=4416 flags=69<2 loss=2 norm=2", 1 },
	};
	struct hlx_registry *r = builtin();
	struct hlx_device *dev;
	struct hlx_timer timer;

	ck_ok(hlx_device_open(getenv("HLX_DEVICE"), &dev));
	ck_ok(hlx_timer_create(dev, true, &timer));
	timer.budget = timer.sample = 1e-6;
	for (unsigned k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const struct hlx_impl *impl;
		struct hlx_check_case c;
		unsigned ran = 0;
		ck_ok(hlx_check_case_parse(hlx_registry_op(r, cases[k].op), cases[k].text, &c));
		for (size_t i = 0; (impl = hlx_registry_impl_at(r, i, NULL)); i++) {
			struct hlx_bench_pass pass[HLX_BENCH_PASSES];
			uint32_t n = 0;
			int status = strcmp(impl->op, cases[k].op) ? HLX_ENOTSUP : hlx_bench_one(&timer, r, &c, impl, pass, &n);
			if (status == HLX_ENOTSUP)
				continue;
			ck_ok(status);
			ck_assert_uint_eq(n, cases[k].passes);
			for (uint32_t p = 0; p < n; p++) {
				ck_assert_msg(pass[p].seconds > 0 && pass[p].seconds < 10, "%s %s", impl->name, pass[p].name);
				ck_assert_uint_gt(pass[p].dispatches, 0);
				ck_assert_double_gt(pass[p].work.bytes, 0);
				ck_assert_int_eq(pass[p].backward, strncmp(pass[p].name, "backward", 8) == 0);
			}
			ran++;
		}
		ck_assert_msg(ran, "%s '%s' ran nowhere", cases[k].op, cases[k].text);
	}
	hlx_timer_finish(&timer);
	hlx_device_close(dev);
	hlx_registry_destroy(r);
}
END_TEST

START_TEST(shares_the_nearer_ceiling)
{
	const struct hlx_ceiling c = { .copy = 100, .muladd = 1000, .fma = 2000 };
	bool copies;

	ck_assert_double_eq_tol(hlx_ceiling_share(&c, (struct hlx_work){ 500, 10 }, 1, true, &copies), 0.5, 1e-12);
	ck_assert(!copies);
	ck_assert_double_eq_tol(hlx_ceiling_share(&c, (struct hlx_work){ 500, 10 }, 1, false, &copies), 0.25, 1e-12);
	ck_assert_double_eq_tol(hlx_ceiling_share(&c, (struct hlx_work){ 500, 60 }, 0.5, true, &copies), 1.2, 1e-12);
	ck_assert(copies);
}
END_TEST

START_TEST(takes_the_median)
{
	double odd[] = { 3, 1, 2 }, even[] = { 4, 1, 3, 2 };

	ck_assert_double_eq(hlx_timer_median(odd, 3), 2);
	ck_assert_double_eq(hlx_timer_median(even, 4), 2.5);
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = {
		{ counts_work, 0 }, { every_shape_is_one, 0 }, { times_passes, 0 }, { shares_the_nearer_ceiling, 0 },
		{ takes_the_median, 0 },
	};

	hlx_device_close(toys_device());
	return TOYS_RUN("bench", tests, 60, true);
}
