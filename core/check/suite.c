#include "core/check/suite.h"

#include <string.h>

#include "core/check/grad.h"
#include "core/check/sweep.h"
#include "core/spirv/lint.h"
#include "core/numerics.h"

/* -- verdicts ---------------------------------------------------------------------------------------------- */

static void complain(void *ctx, enum hlx_check_id id, const char *line)
{
	struct hlx_sweep *s = ctx;
	struct hlx_verdict *v = &s->row->check[id];

	v->ran += !v->failed;
	if (!v->failed++)
		snprintf(v->first, sizeof(v->first), "%s", line);
}

/* What goes wrong at all goes wrong in every way: the later checks are judged only where those up to BITS passed. */
bool hlx_sweep_settled(const struct hlx_sweep *s, enum hlx_check_id id)
{
	for (int k = HLX_CHECK_BUILD; k <= HLX_CHECK_BITS; k++)
		if (s->row->check[k].failed)
			return true;
	return s->status < 0 || s->row->check[id].failed;
}

static bool is_wired(const struct hlx_op *op)
{
	return op->kind == HLX_LAYER || op->kind == HLX_LOSS;
}

/* A case that could not be run: refused, or broken. */
void hlx_sweep_take(struct hlx_sweep *s, const struct hlx_check_case *c, const char *what, int status)
{
	if (status == HLX_ENOMEM || status == HLX_EDEVICE)
		s->status = status;
	else if (status == HLX_ENOTSUP || (s->check.strange && hlx_check_refusal(status)))
		s->row->refused++;
	else if (status < 0)
		hlx_check_complain(&s->check, HLX_CHECK_BUILD, c, what, "%s", hlx_message());
}

/* -- one trial --------------------------------------------------------------------------------------------- */

static void lint(struct hlx_sweep *s, const struct hlx_trial *t)
{
	char err[512];

	for (uint32_t i = 0; i < t->hand.program->n_steps; i++) {
		struct hlx_pipeline *p = t->hand.program->step[i].pipeline;
		if (s->check.impl->tier != HLX_PORTABLE || t->hand.program->step[i].kind != HLX_DISPATCH)
			continue;
		s->row->check[HLX_CHECK_LINT].ran++;
		if (!p->linted && hlx_lint(p->shader->code, p->shader->size, err, sizeof(err)) < 0)
			hlx_check_complain(&s->check, HLX_CHECK_LINT, t->c, t->what, "%s.comp: %s", p->shader->name, err);
		p->linted |= !s->row->check[HLX_CHECK_LINT].failed;
	}
}

static void count(struct hlx_sweep *s, enum hlx_check_id id, bool again)
{
	static const enum hlx_check_id always[] = { HLX_CHECK_BUILD, HLX_CHECK_WRITTEN, HLX_CHECK_STRAY, HLX_CHECK_STORE };

	for (size_t k = 0; k < sizeof(always) / sizeof(*always); k++)
		s->row->check[always[k]].ran++;
	s->row->check[HLX_CHECK_AGAIN].ran += again;
	if (s->row->reference || id == HLX_CHECK_ACCUM || id == HLX_CHECK_STRIDES)
		s->row->check[id].ran++;
}

/* Without a reference: what a plain pass gives is what adding and other layouts are held to. */
static int open_plain(struct hlx_sweep *s, struct hlx_trial *plain, const struct hlx_check_case *c, const struct hlx_trial_how *how)
{
	const struct hlx_trial_how store = { .grads = how->grads, .slots = how->slots };
	int status = hlx_trial_open(plain, &s->check, c, &store, HLX_CHECK_BITS);

	return status ? status : hlx_trial_run(plain, HLX_FAMILY_NORMAL, 1);
}

void hlx_sweep_try(struct hlx_sweep *s, const struct hlx_check_case *c, struct hlx_trial_how how, enum hlx_check_id id,
		unsigned families, unsigned times)
{
	struct hlx_trial t, plain = { 0 };
	bool alone = !s->row->reference && (id == HLX_CHECK_ACCUM || id == HLX_CHECK_STRIDES);
	int status;

	if (hlx_sweep_settled(s, id) || (!s->row->reference && id > HLX_CHECK_BITS && !alone))
		return;
	if (!s->check.impl->backward)
		how.grads = 0;
	if (s->check.impl->tier == HLX_DEVICE || alone)
		families &= HLX_FAMILY(HLX_FAMILY_NORMAL) | HLX_FAMILY(HLX_FAMILY_ZERO);
	status = hlx_trial_open(&t, &s->check, c, &how, id);
	if (status == 0)
		lint(s, &t);
	if (status == 0 && alone) {
		status = open_plain(s, &plain, c, &how);
		t.plain = &plain;
	}
	for (int f = 0; f < HLX_FAMILY_COUNT && status == 0; f++)
		if (families & HLX_FAMILY(f)) {
			count(s, id, times > 1);
			status = hlx_trial_run(&t, (enum hlx_family)f, f == HLX_FAMILY_NORMAL ? times : 1);
		}
	hlx_sweep_take(s, c, t.what, status);
	hlx_trial_finish(&t);
	if (alone)
		hlx_trial_finish(&plain);
}

void hlx_sweep_case(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k,
		void (*check)(struct hlx_sweep *, const struct hlx_check_case *, uint32_t))
{
	unsigned ran = s->check.ran;

	check(s, c, k);
	s->row->cases += s->check.ran != ran;
}

void hlx_sweep_text(struct hlx_sweep *s, const struct hlx_op *op, const char *text, uint32_t k,
		void (*check)(struct hlx_sweep *, const struct hlx_check_case *, uint32_t))
{
	struct hlx_check_case c;

	if (hlx_check_case_parse(op, text, &c) < 0 || hlx_vary_work(&c) > 3e6)
		return;
	s->check.strange = true;
	hlx_sweep_case(s, &c, k, check);
	s->check.strange = false;
}

/* -- rows -------------------------------------------------------------------------------------------------- */

static void begin(struct hlx_sweep *s, const struct hlx_suite_options *o, const struct hlx_op *op, const struct hlx_impl *impl,
		struct hlx_suite_row *row)
{
	*row = (struct hlx_suite_row){ .op = op, .impl = impl, .reference = op->ref_forward != NULL };
	*s = (struct hlx_sweep){ .o = o, .row = row };
	s->check = (struct hlx_check){ .registry = o->registry, .dev = o->dev, .impl = impl, .seed = o->seed, .complain = complain,
		.ctx = s };
}

int hlx_suite_impl(const struct hlx_suite_options *o, const struct hlx_op *op, const struct hlx_impl *impl,
		struct hlx_suite_row *row)
{
	struct hlx_fpenv env;
	struct hlx_sweep s;

	begin(&s, o, op, impl, row);
	hlx_fpenv_enter(&env);
	(is_wired(op) ? hlx_sweep_wired : hlx_sweep_unwired)(&s, op);
	hlx_fpenv_restore(&env);
	row->refused += s.check.refused;
	row->far = s.check.far;
	row->far_reference = s.check.far_reference;
	return s.status;
}

static void check_denormals(struct hlx_sweep *s, const struct hlx_check_case *c)
{
	const struct hlx_trial_how how = { .grads = s->row->op->ref_backward ? ~0ull : 0, .slots = 1 };

	for (int f = 0; f < HLX_FAMILY_COUNT && !s->row->check[HLX_CHECK_DENORMALS].failed; f++) {
		struct hlx_trial t;
		int status = hlx_trial_open_reference(&t, &s->check, c, &how);
		if (status == 0) {
			s->row->check[HLX_CHECK_DENORMALS].ran++;
			s->row->check[HLX_CHECK_WRITTEN].ran += is_wired(c->op);
			s->row->check[HLX_CHECK_STORE].ran += is_wired(c->op);
			status = hlx_trial_flush(&t, (enum hlx_family)f);
		}
		hlx_sweep_take(s, c, t.what, status);
		hlx_trial_finish(&t);
	}
}

static void check_double(struct hlx_sweep *s, const struct hlx_check_case *c)
{
	unsigned ran = s->check.ran;

	if (!is_wired(c->op) || !c->op->ref64 || !c->op->ref_backward)
		return;
	hlx_check_grad_case(&s->check, c, s->o->quick && hlx_vary_work(c) > 3e4);
	s->row->check[HLX_CHECK_DOUBLE].ran += s->check.ran - ran;
	s->row->check[HLX_CHECK_GRADIENT].ran += s->check.ran - ran;
}

static void reference_case(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k)
{
	(void)k;
	check_denormals(s, c);
	check_double(s, c);
}

int hlx_suite_reference(const struct hlx_suite_options *o, const struct hlx_op *op, struct hlx_suite_row *row)
{
	struct hlx_fpenv env;
	struct hlx_check_case c;
	struct hlx_sweep s;
	char text[HLX_VARY_TEXT];

	begin(&s, o, op, NULL, row);
	hlx_fpenv_enter(&env);
	for (const char *const *t = op->cases; t && *t && op->ref_forward && s.status >= 0; t++) {
		if (hlx_check_case_parse(op, *t, &c) < 0)
			continue;
		hlx_sweep_case(&s, &c, 0, reference_case);
		if (is_wired(op) && !o->quick && hlx_vary_sizes(&c, o->seed * 16, 4096, text))
			hlx_sweep_text(&s, op, text, 0, reference_case);
	}
	hlx_fpenv_restore(&env);
	return s.status;
}

bool hlx_suite_failed(const struct hlx_suite_row *row)
{
	for (int i = 0; i < HLX_CHECK_COUNT; i++)
		if (row->check[i].failed)
			return true;
	return false;
}
