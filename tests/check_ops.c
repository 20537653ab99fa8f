/*
 * check_ops.c - every op of every plugin against its C reference: bit for bit, implementation by implementation; with
 * flush-to-zero and without; its gradient against central differences.
 *
 *     check_ops [OP[/IMPL]]
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/device.h"
#include "core/check/bits.h"
#include "core/check/grad.h"
#include "core/check/run.h"
#include "core/check/unwired.h"

#define MAX_PAIRS 256

static struct pair {
	char op[32], impl[32];
	bool wired; /* LAYER or LOSS */
} pairs[MAX_PAIRS], ops[MAX_PAIRS];
static int n_pairs, n_ops;

static bool quick(void)
{
	return getenv("HLX_QUICK") != NULL;
}

static void complain(void *ctx, const char *line)
{
	unsigned *said = ctx;

	if ((*said)++ < 20)
		fprintf(stderr, "%s\n", line);
}

/* Ends the process with a message where plugins or device cannot be had. */
static void bench_open(struct hlx_check *b, bool device)
{
	static unsigned said;
	const char *path = getenv("HLX_PLUGIN_PATH");
	int status;

	*b = (struct hlx_check){ .complain = complain, .ctx = &said };
	status = hlx_registry_create(&b->registry);
	if (status >= 0)
		status = hlx_registry_load_all(b->registry, path && *path ? "/nonexistent" : "plugins/.libs");
	if (status >= 0 && device)
		status = hlx_device_open(NULL, &b->dev);
	if (status < 0) { /* main() calls this too, where no check may fail */
		fprintf(stderr, "%s\n", hlx_message());
		exit(1);
	}
}

static void bench_close(struct hlx_check *b)
{
	hlx_device_close(b->dev);
	hlx_registry_destroy(b->registry);
}

static void must_parse(const struct hlx_op *op, const char *text, struct hlx_check_case *out)
{
	ck_assert_msg(hlx_check_case_parse(op, text, out) == 0, "%s", hlx_message());
}

static const struct hlx_impl *find_impl(const struct hlx_registry *r, const struct pair *p)
{
	const struct hlx_impl *i;

	for (size_t k = 0; (i = hlx_registry_impl_at(r, k, NULL)); k++)
		if (!strcmp(i->op, p->op) && !strcmp(i->name, p->impl))
			return i;
	ck_abort_msg("%s/%s is gone", p->op, p->impl);
}

static void report(struct hlx_check *b, const struct pair *p)
{
	unsigned failed = b->failed, ran = b->ran;

	if (b->refused)
		fprintf(stderr, "%s/%s: %u runs that it does not support here, %u others\n", p->op, p->impl, b->refused, ran);
	bench_close(b);
	ck_assert_msg(!failed, "%s/%s: %u differences in %u runs", p->op, p->impl, failed, ran);
}

/* All modes with ordinary values; other families where they matter, in the plain mode. */
static void run_all(struct hlx_check *b, const struct hlx_check_case *c)
{
	for (int mode = 0; mode < HLX_CHECK_MODE_COUNT; mode++)
		hlx_check_run_case(b, c, mode, HLX_FAMILY_NORMAL, 0);
	hlx_check_run_case(b, c, HLX_CHECK_DIRECT, HLX_FAMILY_NORMAL, 1);
	for (int family = HLX_FAMILY_TINY; family < HLX_FAMILY_COUNT; family++) {
		hlx_check_run_case(b, c, HLX_CHECK_DIRECT, family, 0);
		if (!quick())
			hlx_check_run_case(b, c, HLX_CHECK_TWICE, family, 0);
	}
}

START_TEST(equals_its_reference)
{
	const struct pair *p = &pairs[_i];
	const struct hlx_op *op;
	struct hlx_check b;
	struct hlx_check_case c;

	bench_open(&b, true);
	op = hlx_registry_op(b.registry, p->op);
	b.impl = find_impl(b.registry, p);
	for (const char *const *text = op->cases; text && *text && b.impl->tier == HLX_PORTABLE; text++) {
		must_parse(op, *text, &c);
		if (p->wired)
			run_all(&b, &c);
		else
			hlx_check_update_case(&b, &c);
	}
	if (!p->wired && b.impl->tier == HLX_PORTABLE)
		hlx_check_update_more(&b, op);
	ck_assert_msg(op->cases && *op->cases, "%s has no cases", p->op);
	report(&b, p);
}
END_TEST

START_TEST(honours_grads_and_accum)
{
	const struct pair *p = &pairs[_i];
	const struct hlx_op *op;
	struct hlx_check b;
	struct hlx_check_case c;

	bench_open(&b, true);
	op = hlx_registry_op(b.registry, p->op);
	b.impl = find_impl(b.registry, p);
	for (const char *const *text = op->cases; text && *text && p->wired && b.impl->tier == HLX_PORTABLE; text++) {
		must_parse(op, *text, &c);
		hlx_check_bits_case(&b, &c);
	}
	report(&b, p);
}
END_TEST

/* Tensors that no binding sees whole, on a device that shows 256 KiB at once: the least that slots takes.  As many
 * sequences of layernorm's must fit as make a multiple of 256 bytes, and embedding's tokens and positions. */
START_TEST(windows_change_no_bit)
{
	static const struct { const char *op, *text; } big[] = {
		{ "attention", "q=30x2x70x33 k=30x2x81x33 v=30x2x81x33 causal=yes" },
		{ "gelu", "x=3x70001" }, { "add", "a=3x70001 b=3x70001" }, { "softmax", "x=2x515x257 causal=yes" },
		{ "softmax", "x=1031x129" }, { "layernorm", "x=12x50x256" },
		{ "layernorm", "x=70x3x257" }, { "xent", "logits=2x517x257 targets=2x517<257" },
		{ "embedding", "tokens=2x250<600 vocab_size=600 d_model=257 max_seq_len=250" },
		{ "gemm", "a=2x300x257 out=260 bias=yes" }, { "gemm", "a=2x2x300x130 b=2x2x130x70" },
		{ "gemm", "a=3x200x257 b=3x190x257 transpose_b=yes" }, { "gemm", "a=3x257x200 b=3x257x190 transpose_a=yes" },
	};
	const struct pair *p = &pairs[_i];
	struct hlx_check b;
	struct hlx_check_case c;

	bench_open(&b, true);
	b.impl = find_impl(b.registry, p);
	b.dev->info.caps.max_range = 256 << 10;
	b.dev->info.caps.max_texels = (256 << 10) / 16;
	for (unsigned i = 0; i < sizeof(big) / sizeof(*big); i++)
		if (!strcmp(big[i].op, p->op)) {
			must_parse(hlx_registry_op(b.registry, p->op), big[i].text, &c);
			hlx_check_run_case(&b, &c, HLX_CHECK_DIRECT, HLX_FAMILY_NORMAL, 0);
			if (!quick())
				hlx_check_run_case(&b, &c, HLX_CHECK_TWICE, HLX_FAMILY_NORMAL, 0);
		}
	if (!p->wired)
		hlx_check_update_more(&b, hlx_registry_op(b.registry, p->op));
	report(&b, p);
}
END_TEST

static void reference_test(int i, void (*run)(struct hlx_check *, const struct hlx_check_case *))
{
	const struct hlx_op *op;
	struct hlx_check b;
	struct hlx_check_case c;

	bench_open(&b, false);
	op = hlx_registry_op(b.registry, ops[i].op);
	for (const char *const *text = op->cases; text && *text; text++) {
		must_parse(op, *text, &c);
		run(&b, &c);
	}
	report(&b, &ops[i]);
}

START_TEST(reference_needs_no_denormals)
{
	reference_test(_i, ops[_i].wired ? hlx_check_flush_case : hlx_check_flush_update);
}
END_TEST

/* A row that random ones never hit: of the reference with flush-to-zero, and of every implementation. */
START_TEST(no_tie_hangs_on_a_denormal)
{
	const struct pair *p = &pairs[_i];
	struct hlx_check b;
	struct hlx_check_case c;

	if (strcmp(p->op, "layernorm"))
		return;
	bench_open(&b, true);
	b.impl = find_impl(b.registry, p);
	must_parse(hlx_registry_op(b.registry, p->op), "x=1x1x512 eps=0.0078125", &c);
	hlx_check_run_case(&b, &c, HLX_CHECK_DIRECT, HLX_FAMILY_HAND, 0);
	hlx_check_flush_family(&b, &c, HLX_CHECK_DIRECT, HLX_FAMILY_HAND);
	report(&b, p);
}
END_TEST

START_TEST(gradient_is_a_gradient)
{
	if (ops[_i].wired)
		reference_test(_i, hlx_check_grad_case);
}
END_TEST

static bool selected(const char *filter, const char *op, const char *impl)
{
	size_t n = strlen(op);

	return !filter || (!strncmp(filter, op, n) && (!filter[n] || (filter[n] == '/' && !strcmp(filter + n + 1, impl))));
}

static void list(const char *filter)
{
	struct hlx_check b;
	const struct hlx_impl *impl;
	const struct hlx_op *op;

	bench_open(&b, false);
	for (size_t i = 0; (op = hlx_registry_op_at(b.registry, i, NULL)) && n_ops < MAX_PAIRS; i++) {
		bool wired = op->kind == HLX_LAYER || op->kind == HLX_LOSS, any = false;
		for (size_t k = 0; (impl = hlx_registry_impl_at(b.registry, k, NULL)) && n_pairs < MAX_PAIRS; k++) {
			if (strcmp(impl->op, op->name) || !selected(filter, op->name, impl->name))
				continue;
			snprintf(pairs[n_pairs].op, sizeof(pairs->op), "%s", op->name);
			snprintf(pairs[n_pairs].impl, sizeof(pairs->impl), "%s", impl->name);
			pairs[n_pairs++].wired = wired;
			any = true;
		}
		if (any) {
			snprintf(ops[n_ops].op, sizeof(ops->op), "%s", op->name);
			snprintf(ops[n_ops].impl, sizeof(ops->impl), "reference");
			ops[n_ops++].wired = wired;
		}
	}
	bench_close(&b);
}

int main(int argc, char **argv)
{
	Suite *s = suite_create("ops");
	TCase *t = tcase_create("ops");
	SRunner *r;
	int failed;

	list(argc > 1 ? argv[1] : NULL);
	if (!n_pairs) {
		fprintf(stderr, "check_ops: no op %s\n", argc > 1 ? argv[1] : "at all");
		return 1;
	}
	tcase_set_timeout(t, 900);
	tcase_add_loop_test(t, equals_its_reference, 0, n_pairs);
	tcase_add_loop_test(t, honours_grads_and_accum, 0, n_pairs);
	tcase_add_loop_test(t, windows_change_no_bit, 0, n_pairs);
	tcase_add_loop_test(t, reference_needs_no_denormals, 0, n_ops);
	tcase_add_loop_test(t, no_tie_hangs_on_a_denormal, 0, n_pairs);
	tcase_add_loop_test(t, gradient_is_a_gradient, 0, n_ops);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
