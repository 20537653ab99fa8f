/*
 * check_train.c - whole training steps through libhlx, without the runner: the bits of the references' chain, the same
 * bits whatever runs them, a gradient that is one, wirings that only the INI knows.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hlx/math.h"
#include "core/check/data.h"
#include "core/program/program.h"
#include "tests/suite.h"
#include "tests/train_double.h"
#include "tests/train_model.h"

static const struct { const char *name, *text; } wirings[] = { { "Pre-LN", pre_ln }, { "post-LN", post_ln },
	{ "no FFN", attention_only }, { "tied head", tied_head }, { "parallel attention and FFN", parallel } };
#define N_WIRINGS ((int)(sizeof(wirings) / sizeof(*wirings)))

static void compare(const struct model *m, const char *what, const float *got, const float *want, size_t n)
{
	size_t at = hlx_data_compare(got, want, n), e = at, i = 0, state = 0;

	if (at == n)
		return;
	while (e >= hlx_graph_param(m->graph, (uint32_t)i).numel) {
		e -= hlx_graph_param(m->graph, (uint32_t)i).numel;
		if (++i == hlx_graph_param_count(m->graph)) {
			i = 0;
			state++;
		}
	}
	ck_abort_msg("%s: %s, state %zu, element %zu is %08x (%g), want %08x (%g)", what,
			hlx_graph_param(m->graph, (uint32_t)i).path, state, e, hlx_bits(got[at]), (double)got[at],
			hlx_bits(want[at]), (double)want[at]);
}

/* The bits after a few steps; m may be looked at until model_close(). */
static float *train(struct model *m, const char *text, const char *const *set, uint64_t slots, uint64_t steps,
		size_t *count)
{
	struct hlx_result r;
	float *bits;

	OK(model_open(m, text, set, slots));
	for (uint64_t s = 1; s <= steps; s++)
		OK(model_train(m, s, &r));
	bits = model_bits(m, count);
	ck_assert_msg(bits != NULL, "%s", hlx_message());
	return bits;
}

static void follow(const char *name, const char *text, uint64_t slots)
{
	struct model m;
	struct host_model h;
	struct hlx_result r;

	OK(model_open(&m, text, NULL, slots));
	OK(host_model_open(&h, &m));
	for (uint64_t s = 1; s <= 3; s++) {
		float *got, *want;
		size_t n, k;
		char what[96];
		OK(model_train(&m, s, &r));
		OK(host_model_train(&h, &m, s));
		snprintf(what, sizeof(what), "%s, step %u, %u slots", name, (unsigned)s, (unsigned)m.graph->options.slots);
		ck_assert_msg(hlx_bits(r.loss_sum) == hlx_bits(h.walk->loss[0]) && r.count == h.walk->loss[1],
				"%s: loss %.9g of %g, want %.9g of %g", what, (double)r.loss_sum, (double)r.count,
				(double)h.walk->loss[0], (double)h.walk->loss[1]);
		ck_assert_msg(hlx_bits(r.grad_norm) == hlx_bits(h.walk->norm), "%s: norm %.9g, want %.9g", what,
				(double)r.grad_norm, (double)h.walk->norm);
		got = model_bits(&m, &n);
		want = host_model_bits(&h, &m, &k);
		ck_assert(got && want && n == k);
		compare(&m, what, got, want, n);
		free(got);
		free(want);
	}
	OK(hlx_program_find_bad(m.program));
	host_model_close(&h);
	model_close(&m);
}

START_TEST(follows_the_references)
{
	follow(wirings[_i].name, wirings[_i].text, 0);
}
END_TEST

START_TEST(any_number_of_slots)
{
	static const uint64_t slots[] = { 1, 2, 4 };

	follow("Pre-LN", pre_ln, slots[_i]);
}
END_TEST

START_TEST(refuses_other_slots)
{
	struct model m;

	ck_assert_int_eq(model_open(&m, pre_ln, NULL, 3), HLX_EINVAL);
	model_close(&m);
	ck_assert_int_eq(model_open(&m, pre_ln, NULL, 8), HLX_EINVAL);
	model_close(&m);
}
END_TEST

START_TEST(runs_are_alike)
{
	struct model m;
	size_t n, k;
	float *first = train(&m, pre_ln, NULL, 0, 6, &n);

	model_close(&m);
	for (int i = 0; i < 3; i++) {
		float *again;
		if (i == 2)
			setenv("HLX_STAGING", "1", 1); /* as on a device whose memory the host does not see */
		again = train(&m, pre_ln, NULL, 0, 6, &k);
		ck_assert_uint_eq(n, k);
		compare(&m, i == 2 ? "HLX_STAGING=1" : "another run", again, first, n);
		model_close(&m);
		free(again);
	}
	free(first);
}
END_TEST

static bool refuses(const struct model *m, const struct hlx_impl *impl)
{
	const struct hlx_program *p = m->program;

	for (uint32_t i = 0; i < p->n_nodes && impl->supports; i++)
		if (!strcmp(p->node[i].op->name, impl->op) && impl->supports(&m->dev->host.pub, &p->node[i].pub) < 0)
			return true;
	return false;
}

/* Each implementation of each op that this device can run, one at a time, against the defaults. */
START_TEST(implementations_are_alike)
{
	struct model m, other;
	const struct hlx_impl *impl;
	size_t n, k, tried = 0;
	float *want = train(&m, pre_ln, NULL, 0, 2, &n);

	for (size_t i = 0; (impl = hlx_registry_impl_at(m.registry, i, NULL)); i++) {
		char set[96];
		const char *const sets[] = { set, NULL };
		float *got;
		if (impl->tier != HLX_PORTABLE || refuses(&m, impl))
			continue;
		snprintf(set, sizeof(set), "ops.%s=%s", impl->op, impl->name);
		got = train(&other, pre_ln, sets, 0, 2, &k);
		ck_assert_uint_eq(n, k);
		compare(&other, set, got, want, n);
		model_close(&other);
		free(got);
		tried++;
	}
	ck_assert_uint_gt(tried, 10);
	free(want);
	model_close(&m);
}
END_TEST

START_TEST(loss_falls)
{
	struct model m;
	struct hlx_result first, r = { 0 };

	OK(model_open(&m, wirings[_i].text, NULL, 0));
	OK(model_train(&m, 1, &first));
	for (uint64_t s = 2; s <= 40; s++)
		OK(model_train(&m, s, &r));
	ck_assert_msg(fabs((double)first.loss_sum / (double)first.count - log(MODEL_VOCAB)) < 0.5,
			"%s: the first loss is %g, want about ln %u", wirings[_i].name,
			(double)first.loss_sum / (double)first.count, MODEL_VOCAB);
	ck_assert_msg(r.loss_sum < 0.7f * first.loss_sum, "%s: loss %g, then %g", wirings[_i].name,
			(double)first.loss_sum, (double)r.loss_sum);
	ck_assert(r.count == MODEL_TOKENS && r.grad_norm > 0);
	model_close(&m);
}
END_TEST

/* Forward alone, in another program on the same weights, gives the loss of the training step. */
START_TEST(evaluation_is_the_same_forward)
{
	struct model m;
	struct hlx_program *eval;
	struct hlx_program_options o = { .backward = false };
	struct hlx_step step = model_step(1);
	struct hlx_result a, b;

	OK(model_open(&m, pre_ln, NULL, 0));
	OK(hlx_program_create(m.dev, m.graph, m.weights, &o, &eval));
	OK(model_train(&m, 1, &a));
	OK(hlx_weights_init(m.weights, 7));
	OK(hlx_program_write(eval, "tokens", HLX_VALUE, 0, MODEL_TOKENS, m.tokens));
	OK(hlx_program_write(eval, "targets", HLX_VALUE, 0, MODEL_TOKENS, m.targets));
	step.train = 0;
	OK(hlx_program_run(eval, &step));
	OK(hlx_program_result(eval, &b));
	ck_assert_uint_eq(hlx_bits(a.loss_sum), hlx_bits(b.loss_sum));
	ck_assert(a.count == b.count && b.grad_norm == 0);
	hlx_program_destroy(eval);
	model_close(&m);
}
END_TEST

START_TEST(optimizer_is_adam)
{
	train_check_adam();
}
END_TEST

START_TEST(gradient_of_the_whole_model)
{
	train_check_gradient(wirings[_i].name, wirings[_i].text);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("train");
	int wired = getenv("HLX_QUICK") ? 1 : N_WIRINGS;

	tcase_set_timeout(t, 600);
	tcase_add_loop_test(t, follows_the_references, 0, N_WIRINGS);
	tcase_add_loop_test(t, any_number_of_slots, 0, 3);
	tcase_add_test(t, refuses_other_slots);
	tcase_add_test(t, runs_are_alike);
	tcase_add_test(t, implementations_are_alike);
	tcase_add_loop_test(t, loss_falls, 0, N_WIRINGS);
	tcase_add_test(t, evaluation_is_the_same_forward);
	tcase_add_test(t, optimizer_is_adam);
	tcase_add_loop_test(t, gradient_of_the_whole_model, 0, wired);
	return suite_run("train", t);
}
