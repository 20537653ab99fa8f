#include "core/check/trial.h"

#include <stdlib.h>
#include <string.h>

#include "core/numerics.h"

#define GRADS HLX_MAX_SLOTS /* where the gradients' parts begin */

static int run_reference(struct hlx_trial *t, const struct hlx_step *step, bool flush)
{
	void *value[HLX_MAX_SLOTS] = { NULL }, *grad[HLX_MAX_SLOTS] = { NULL };
	int status;

	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++) {
		struct hlx_trial_part *p = &t->part[i];
		if (!p->present)
			continue;
		memcpy(p->want, p->before, (p->words + HLX_TRIAL_GUARD) * 4);
		*(i < GRADS ? &value[i] : &grad[i - GRADS]) = p->want + p->first;
	}
	if (!t->c->op->ref_forward) {
		if (t->plain)
			hlx_trial_expect_plain(t);
		return 0;
	}
	hlx_fpenv_flush(flush);
	status = t->c->op->ref_forward(&t->node, value, step);
	if (status >= 0 && t->node.grads)
		status = t->c->op->ref_backward ? t->c->op->ref_backward(&t->node, value, grad, step) :
			hlx_fail(HLX_EPLUGIN, "op %s has no ref_backward", t->c->op->name);
	hlx_fpenv_flush(false);
	return status;
}

static int transfer(struct hlx_trial *t, bool write)
{
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++) {
		struct hlx_trial_part *p = &t->part[i];
		uint64_t at, bytes = (p->words + HLX_TRIAL_GUARD) * 4;
		const struct hlx_memory *m;
		if (!p->present)
			continue;
		m = hlx_cell_memory(t->hand.program, p->cell, &at);
		HLX_TRY(write ? hlx_memory_write(t->bench->dev, m, at, bytes, p->before) :
				hlx_memory_read(t->bench->dev, m, at, bytes, p->got));
	}
	return 0;
}

static int run_device(struct hlx_trial *t, const struct hlx_step *step)
{
	HLX_TRY(transfer(t, true));
	HLX_TRY(hlx_program_run(t->hand.program, step));
	return transfer(t, false);
}

/* Further runs on the same values, compared with the first one. */
static int run_again(struct hlx_trial *t, const struct hlx_step *step, unsigned times)
{
	uint32_t *first[2 * HLX_MAX_SLOTS] = { NULL };
	unsigned failed = t->bench->failed;
	int status = 0;

	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++) {
		uint64_t bytes = (t->part[i].words + HLX_TRIAL_GUARD) * 4;
		if (t->part[i].present && (first[i] = malloc(bytes)))
			memcpy(first[i], t->part[i].got, bytes);
	}
	for (unsigned k = 1; k < times && status >= 0 && t->bench->failed == failed; k++) {
		status = run_device(t, step);
		if (status >= 0)
			hlx_trial_compare_runs(t, first, k);
	}
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++)
		free(first[i]);
	return status;
}

static int run_once(struct hlx_trial *t, const struct hlx_step *step, unsigned times)
{
	unsigned failed = t->bench->failed;
	bool agrees;

	HLX_TRY(run_reference(t, step, false));
	HLX_TRY(run_device(t, step));
	t->bench->ran++;
	agrees = hlx_trial_agrees(t);
	hlx_trial_measure(t);
	if (times < 3 && !agrees)
		times = 3; /* is it wrong, or another one each time? */
	if (times > 1)
		HLX_TRY(run_again(t, step, times));
	if (t->bench->failed != failed)
		return 0;
	if (!agrees || times > 1)
		hlx_trial_compare(t);
	hlx_trial_compare_own(t);
	return 0;
}

static struct hlx_step step_of(const struct hlx_trial *t)
{
	return (struct hlx_step){ .size = sizeof(struct hlx_step), .train = t->node.train, .step = t->turn + 1,
		.seed = { 0x9e3779b9, 7 }, .seq0 = 5, .n_seq = 1, .lr = 3e-4f };
}

static void compare_flushed(struct hlx_trial *t, uint32_t i, const uint32_t *kept)
{
	const struct hlx_trial_part *p = &t->part[i];
	uint64_t at = hlx_data_compare((const float *)kept, (const float *)p->want, p->words);

	if (at < p->words)
		hlx_check_complain(t->bench, HLX_CHECK_DENORMALS, t->c, t->what, "%s of %s: element %llu is %08x, and %08x with denormals "
				"flushed", i < GRADS ? "value" : "gradient", hlx_trial_slot(t, i)->name, (unsigned long long)at, kept[at],
				p->want[at]);
}

/* The reference alone, with and without denormals flushed. */
static int flush_once(struct hlx_trial *t, const struct hlx_step *step)
{
	HLX_TRY(run_reference(t, step, false));
	hlx_trial_judge_reference(t);
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++)
		if (t->part[i].present)
			memcpy(t->part[i].got, t->part[i].want, t->part[i].words * 4);
	HLX_TRY(run_reference(t, step, true));
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++)
		if (t->part[i].present)
			compare_flushed(t, i, t->part[i].got);
	return 0;
}

/* times 0: flush_once. */
static int each_turn(struct hlx_trial *t, enum hlx_family family, unsigned times)
{
	uint64_t turns = t->unwired ? HLX_TRIAL_TURNS : 1;
	size_t n = strlen(t->what);

	snprintf(t->what + n, sizeof(t->what) - n, ", %s", hlx_family_name[family]);
	for (t->turn = 0; t->turn < turns; t->turn++) {
		const struct hlx_step step = step_of(t);
		hlx_trial_fill(t, family);
		HLX_TRY(times ? run_once(t, &step, times) : flush_once(t, &step));
	}
	t->what[n] = '\0';
	return 0;
}

int hlx_trial_run(struct hlx_trial *t, enum hlx_family family, unsigned times)
{
	return each_turn(t, family, times);
}

int hlx_trial_flush(struct hlx_trial *t, enum hlx_family family)
{
	HLX_TRY(each_turn(t, family, 0));
	t->bench->ran++;
	return 0;
}
