/*
 * check_ops.c - rows that no random ones hit, of every implementation and of the reference: layernorm's backward pass, where a
 * tie hangs on a denormal.  All else of every op: check_quick.test, which is hlxt check.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/trial.h"
#include "core/vulkan/device.h"
#include "tests/suite.h"

static void complain(void *ctx, enum hlx_check_id id, const char *line)
{
	(void)ctx;
	fprintf(stderr, "%s: %s\n", hlx_check_name[id], line);
}

static void bench_open(struct hlx_check *b)
{
	const char *path = getenv("HLX_PLUGIN_PATH");

	*b = (struct hlx_check){ .complain = complain };
	ck_assert_msg(hlx_registry_create(&b->registry) >= 0 &&
			hlx_registry_load_all(b->registry, path && *path ? "/nonexistent" : "plugins/.libs") >= 0 &&
			hlx_device_open(NULL, &b->dev) >= 0, "%s", hlx_message());
}

static void bench_close(struct hlx_check *b)
{
	hlx_device_close(b->dev);
	hlx_registry_destroy(b->registry);
}

static void try_impl(struct hlx_check *b, const struct hlx_check_case *c)
{
	const struct hlx_trial_how how = { .grads = ~0ull, .slots = 1 };
	struct hlx_trial t;
	int status = hlx_trial_open(&t, b, c, &how, HLX_CHECK_BITS);

	if (status == 0)
		status = hlx_trial_run(&t, HLX_FAMILY_HAND, 2);
	if (status == 0)
		status = hlx_trial_flush(&t, HLX_FAMILY_HAND);
	ck_assert_msg(status >= 0, "%s", hlx_message());
	hlx_trial_finish(&t);
}

START_TEST(no_tie_hangs_on_a_denormal)
{
	const struct hlx_impl *impl;
	struct hlx_check_case c;
	struct hlx_check b;

	bench_open(&b);
	ck_assert_msg(hlx_check_case_parse(hlx_registry_op(b.registry, "layernorm"), "x=1x1x512 eps=0.0078125", &c) == 0, "%s",
			hlx_message());
	for (size_t i = 0; (impl = hlx_registry_impl_at(b.registry, i, NULL)); i++)
		if (!strcmp(impl->op, "layernorm") && impl->tier == HLX_PORTABLE) {
			b.impl = impl;
			try_impl(&b, &c);
		}
	ck_assert_uint_ge(b.ran, 2);
	ck_assert_uint_eq(b.failed, 0);
	bench_close(&b);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("ops");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, no_tie_hangs_on_a_denormal);
	return suite_run("ops", t);
}
