#include "core/check/suite.h"

#include <stdlib.h>
#include <string.h>

#include "core/check/grad.h"
#include "core/check/trial.h"
#include "core/check/vary.h"
#include "core/lint.h"
#include "core/numerics.h"

#define MANY 3u /* runs of the same values */
#define FAMILY(f) (1u << (f))
#define ALL_FAMILIES (FAMILY(HLX_FAMILY_COUNT) - 1)

struct suite {
	const struct hlx_suite_options *o;
	struct hlx_check check;
	struct hlx_suite_row *row;
	bool strange; /* the case is generated: infer() may refuse it */
	int status;   /* negative: nothing goes on */
};

/* -- verdicts ---------------------------------------------------------------------------------------------- */

static void complain(void *ctx, enum hlx_check_id id, const char *line)
{
	struct suite *s = ctx;
	struct hlx_verdict *v = &s->row->check[id];

	v->ran += !v->failed;
	if (!v->failed++)
		snprintf(v->first, sizeof(v->first), "%s", line);
}

/* What goes wrong at all goes wrong in every way: the later checks are judged only where those up to BITS passed. */
static bool is_settled(const struct suite *s, enum hlx_check_id id)
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

static bool is_refusal(int status)
{
	return status == HLX_ENOTSUP || status == HLX_ESHAPE || status == HLX_EINVAL || status == HLX_EDTYPE;
}

/* A case that could not be run: refused, or broken. */
static void take_status(struct suite *s, const struct hlx_check_case *c, const char *what, int status)
{
	if (status == HLX_ENOMEM || status == HLX_EDEVICE)
		s->status = status;
	else if (status == HLX_ENOTSUP || (s->strange && is_refusal(status)))
		s->row->refused++;
	else if (status < 0)
		hlx_check_complain(&s->check, HLX_CHECK_BUILD, c, what, "%s", hlx_message());
}

/* -- one trial --------------------------------------------------------------------------------------------- */

static void lint(struct suite *s, const struct hlx_trial *t)
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

static void count(struct suite *s, enum hlx_check_id id, bool again)
{
	static const enum hlx_check_id always[] = { HLX_CHECK_BUILD, HLX_CHECK_WRITTEN, HLX_CHECK_STRAY, HLX_CHECK_STORE };

	for (size_t k = 0; k < sizeof(always) / sizeof(*always); k++)
		s->row->check[always[k]].ran++;
	s->row->check[HLX_CHECK_AGAIN].ran += again;
	if (s->row->reference || id == HLX_CHECK_ACCUM || id == HLX_CHECK_STRIDES)
		s->row->check[id].ran++;
}

/* Without a reference: what a plain pass gives is what adding and other layouts are held to. */
static int open_plain(struct suite *s, struct hlx_trial *plain, const struct hlx_check_case *c, const struct hlx_trial_how *how)
{
	const struct hlx_trial_how store = { .grads = how->grads, .slots = how->slots };
	int status = hlx_trial_open(plain, &s->check, c, &store, HLX_CHECK_BITS);

	return status ? status : hlx_trial_run(plain, HLX_FAMILY_NORMAL, 1);
}

static void attempt(struct suite *s, const struct hlx_check_case *c, struct hlx_trial_how how, enum hlx_check_id id,
		unsigned families, unsigned times)
{
	struct hlx_trial t, plain = { 0 };
	bool alone = !s->row->reference && (id == HLX_CHECK_ACCUM || id == HLX_CHECK_STRIDES);
	int status;

	if (is_settled(s, id) || (!s->row->reference && id > HLX_CHECK_BITS && !alone))
		return;
	if (!s->check.impl->backward)
		how.grads = 0;
	if (s->check.impl->tier == HLX_DEVICE || alone)
		families &= FAMILY(HLX_FAMILY_NORMAL) | FAMILY(HLX_FAMILY_ZERO);
	status = hlx_trial_open(&t, &s->check, c, &how, id);
	if (status == 0)
		lint(s, &t);
	if (status == 0 && alone) {
		status = open_plain(s, &plain, c, &how);
		t.plain = &plain;
	}
	for (int f = 0; f < HLX_FAMILY_COUNT && status == 0; f++)
		if (families & FAMILY(f)) {
			count(s, id, times > 1);
			status = hlx_trial_run(&t, (enum hlx_family)f, f == HLX_FAMILY_NORMAL ? times : 1);
		}
	take_status(s, c, t.what, status);
	hlx_trial_finish(&t);
	if (alone)
		hlx_trial_finish(&plain);
}

/* -- what a layer or a loss is held to --------------------------------------------------------------------- */

static const struct hlx_trial_how whole = { .grads = ~0ull, .slots = 1 };

/* Ordinary values and those of every magnitude, and the other families by turns. */
static unsigned families_of(const struct suite *s, uint32_t k)
{
	return s->o->quick ? FAMILY(HLX_FAMILY_NORMAL) | FAMILY(k % 2 ? HLX_FAMILY_MIXED : HLX_FAMILY_EDGE) |
		FAMILY(1 + k % 3) : ALL_FAMILIES;
}

static void check_values(struct suite *s, const struct hlx_check_case *c, uint32_t k)
{
	struct hlx_trial_how how = whole;
	unsigned ran = s->check.ran;
	uint32_t n = 0;

	attempt(s, c, how, HLX_CHECK_BITS, families_of(s, k), s->o->quick && k ? 1 : MANY);
	how.grads = 0;
	attempt(s, c, how, HLX_CHECK_BITS, FAMILY(HLX_FAMILY_NORMAL), 1);
	s->row->cases += s->check.ran != ran;
	while (c->op->slots[n].name)
		n++;
	for (uint32_t slot = 0; slot < n && (!s->o->quick || k < 2); slot++) {
		how.grads = 1ull << slot;
		attempt(s, c, how, HLX_CHECK_BITS, FAMILY(HLX_FAMILY_NORMAL), 1);
	}
}

static void check_accum(struct suite *s, const struct hlx_check_case *c)
{
	struct hlx_trial_how how = whole;

	how.accum = ~0ull;
	attempt(s, c, how, HLX_CHECK_ACCUM, FAMILY(HLX_FAMILY_NORMAL) | FAMILY(HLX_FAMILY_MIXED), 1);
	for (uint32_t slot = 0; c->op->slots[slot].name && !s->o->quick; slot++) {
		how.accum = 1ull << slot;
		attempt(s, c, how, HLX_CHECK_ACCUM, FAMILY(HLX_FAMILY_NORMAL), 1);
	}
}

static bool has_sums(const struct hlx_op *op)
{
	for (const struct hlx_slot *s = op->slots; s->name; s++)
		if (s->role == HLX_PARAM || s->flags & HLX_SLOTTED)
			return true;
	return false;
}

/* As many batch slots as the case has room for, where that is more than one. */
static void check_slots(struct suite *s, const struct hlx_check_case *c)
{
	struct hlx_trial_how how = whole;

	how.slots = 0;
	if (!has_sums(c->op) || c->in[0].desc.rank < 2 || c->in[0].desc.dim[0] % 2)
		return;
	attempt(s, c, how, HLX_CHECK_SLOTS, FAMILY(HLX_FAMILY_NORMAL), 1);
	how.accum = ~0ull;
	attempt(s, c, how, HLX_CHECK_SLOTS, FAMILY(HLX_FAMILY_NORMAL), 1);
	how.slots = 2; /* of several sequences each, where there are more than two */
	attempt(s, c, how, HLX_CHECK_SLOTS, FAMILY(s->o->quick ? HLX_FAMILY_NORMAL : HLX_FAMILY_MIXED), 1);
}

static void check_strides(struct suite *s, const struct hlx_check_case *c, uint32_t k)
{
	bool strange = s->strange;

	s->strange = true; /* an op may want dense tensors */
	for (int layout = 1; layout < HLX_LAYOUT_COUNT; layout++) {
		struct hlx_trial_how how = whole;
		how.layout = (enum hlx_layout)layout;
		attempt(s, c, how, HLX_CHECK_STRIDES, FAMILY(HLX_FAMILY_NORMAL), 1);
		how.accum = ~0ull;
		if (!s->o->quick || k == 1)
			attempt(s, c, how, HLX_CHECK_STRIDES, FAMILY(HLX_FAMILY_NORMAL), 1);
	}
	s->strange = strange;
}

static void run_wired(struct suite *s, const struct hlx_check_case *c, enum hlx_check_mode mode, enum hlx_family family,
		uint64_t slots, enum hlx_check_id id)
{
	unsigned ran = s->check.ran;

	if (is_settled(s, HLX_CHECK_WIRED) || s->row->check[HLX_CHECK_LINT].failed || !s->row->reference || !c->op->ref_backward ||
			!s->check.impl->backward)
		return;
	hlx_check_run_case(&s->check, c, mode, family, slots);
	s->row->check[id].ran += s->check.ran - ran;
}

static void check_wired(struct suite *s, const struct hlx_check_case *c)
{
	for (int mode = 0; mode < HLX_CHECK_MODE_COUNT; mode++)
		run_wired(s, c, (enum hlx_check_mode)mode, HLX_FAMILY_NORMAL, 0, HLX_CHECK_WIRED);
	for (int f = HLX_FAMILY_TINY; f < HLX_FAMILY_COUNT && !s->o->quick && s->check.impl->tier == HLX_PORTABLE; f++)
		run_wired(s, c, HLX_CHECK_TWICE, (enum hlx_family)f, 0, HLX_CHECK_WIRED);
}

static void check_case(struct suite *s, const struct hlx_check_case *c, uint32_t k)
{
	check_values(s, c, k);
	check_accum(s, c);
	check_slots(s, c);
	check_strides(s, c, k);
	if (!s->o->quick || !s->strange)
		check_wired(s, c);
}

/* -- generated cases --------------------------------------------------------------------------------------- */

static void with_text(struct suite *s, const struct hlx_op *op, const char *text, uint32_t k,
		void (*check)(struct suite *, const struct hlx_check_case *, uint32_t))
{
	struct hlx_check_case c;

	if (hlx_check_case_parse(op, text, &c) < 0 || hlx_vary_work(&c) > (s->o->quick ? 3e6 : 3e7))
		return;
	s->strange = true;
	check(s, &c, k);
	s->strange = false;
}

static void vary_sizes(struct suite *s, const struct hlx_check_case *c, uint32_t k)
{
	char text[HLX_VARY_TEXT];

	for (uint64_t i = 0; i < (s->o->quick ? 1 : 4); i++)
		if (hlx_vary_sizes(c, s->o->seed * 16 + i, s->o->quick ? 8192 : 65536, text))
			with_text(s, c->op, text, k, s->o->quick ? check_values : check_case);
}

static void vary_attrs(struct suite *s, const struct hlx_check_case *c, uint32_t k)
{
	char text[HLX_VARY_TEXT];

	for (uint32_t which = 0; c->op->attrs && c->op->attrs[which].name; which++)
		for (uint32_t turn = 0; turn < 3; turn++)
			if ((!s->o->quick || (k + which + turn) % 3 == 0) && hlx_vary_attr(c, which, turn, text))
				with_text(s, c->op, text, k, check_values);
}

/* Partial sums are seen in batches that divide. */
static void vary_batch(struct suite *s, const struct hlx_check_case *c)
{
	char text[HLX_VARY_TEXT];
	struct hlx_check_case v;

	if (!has_sums(c->op) || c->in[0].desc.rank < 2 || c->in[0].desc.dim[0] % 2 == 0 || c->in[0].desc.dim[0] == 1)
		return;
	if (!hlx_vary_dim(c, 0, 4, HLX_VARY_SAME, text) || hlx_check_case_parse(c->op, text, &v) < 0)
		return;
	s->strange = true;
	check_slots(s, &v);
	s->strange = false;
}

/* -- large ones -------------------------------------------------------------------------------------------- */

static void run_large(struct suite *s, const struct hlx_check_case *c, enum hlx_check_id id)
{
	struct hlx_trial_how how = whole;

	how.slots = 0;
	attempt(s, c, how, id, FAMILY(HLX_FAMILY_NORMAL), 1);
	if (!s->o->quick) {
		how.accum = ~0ull;
		attempt(s, c, how, id, FAMILY(HLX_FAMILY_NORMAL), 1);
	}
}

static void run_windows(struct suite *s, const struct hlx_check_case *c, uint32_t k)
{
	(void)k;
	run_large(s, c, HLX_CHECK_WINDOWS);
}

static void run_loops(struct suite *s, const struct hlx_check_case *c, uint32_t k)
{
	(void)k;
	run_large(s, c, HLX_CHECK_LOOPS);
}

#define SIGHT (256u << 10) /* bytes that a binding sees */

/* Of the largest of all tensors; 0 where there is none. */
static uint64_t largest(struct suite *s, const struct hlx_check_case *c)
{
	const struct hlx_trial_how how = { .grads = ~0ull, .slots = 1 };
	struct hlx_trial t;
	uint64_t most = 0;

	if (hlx_trial_open_reference(&t, &s->check, c, &how) == 0)
		for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++)
			most = t.part[i].words > most ? t.part[i].words : most;
	hlx_trial_finish(&t);
	return most;
}

/* Each dim in turn so long that the largest tensor is more than two bindings, on a device that shows 256 KiB; the others
 * odd or round, as windows begin at multiples of 256 bytes. */
static void check_windows(struct suite *s, const struct hlx_check_case *c)
{
	struct hlx_caps *caps = &s->o->dev->info.caps, real = *caps;
	uint64_t dim[HLX_MAX_SLOTS * HLX_MAX_RANK], most = largest(s, c), want = SIGHT / 4 * 9 / 4;
	uint32_t n = most ? hlx_vary_dims(c, dim) : 0;
	char text[HLX_VARY_TEXT];

	caps->max_range = SIGHT;
	caps->max_texels = SIGHT / 16;
	for (uint32_t i = 0; i < 2 * n; i++) {
		enum hlx_vary_others others = i % 2 ? HLX_VARY_ROUND : HLX_VARY_SAME;
		unsigned enough = s->o->quick ? 3 : 100;
		if (s->row->check[HLX_CHECK_WINDOWS].ran < enough && hlx_vary_dim(c, i / 2, dim[i / 2] * want / most + 3, others, text))
			with_text(s, c->op, text, 0, run_windows);
	}
	*caps = real;
}

/* lavapipe 22.3.6 stops an invocation's loops after 65,535 iterations, silently: beyond, they are split or refused. */
static void check_loops(struct suite *s, const struct hlx_check_case *c)
{
	char text[HLX_VARY_TEXT];
	uint64_t dim[HLX_MAX_SLOTS * HLX_MAX_RANK];

	for (uint32_t i = 0; i < hlx_vary_dims(c, dim); i++)
		if (hlx_vary_dim(c, i, 70001, HLX_VARY_FEW, text))
			with_text(s, c->op, text, 0, run_loops);
}

static void check_wired_op(struct suite *s, const struct hlx_op *op)
{
	struct hlx_check_case c;
	uint32_t k = 0;

	for (const char *const *text = op->cases; text && *text && s->status >= 0; text++, k++) {
		int status = hlx_check_case_parse(op, *text, &c);
		if (status < 0) {
			take_status(s, &(struct hlx_check_case){ .op = op, .text = *text }, "its text", HLX_EPLUGIN);
			continue;
		}
		check_case(s, &c, k);
		vary_batch(s, &c);
		vary_sizes(s, &c, k);
		vary_attrs(s, &c, k);
		check_windows(s, &c);
		if (!s->o->quick || k == 1 || !text[1])
			check_loops(s, &c);
	}
}

/* -- reductions, norm, optimizers, hash -------------------------------------------------------------------- */

static void check_unwired(struct suite *s, const struct hlx_check_case *c)
{
	static const uint64_t slots[] = { 2, 8, 16, 64 };
	struct hlx_trial_how how = { .slots = 1 };

	s->row->cases++;
	attempt(s, c, how, HLX_CHECK_BITS, ALL_FAMILIES, MANY);
	for (unsigned i = 0; i < 4 && hlx_check_slotted(c->op); i++) {
		how.slots = slots[i];
		attempt(s, c, how, HLX_CHECK_SLOTS, FAMILY(HLX_FAMILY_MIXED), 1);
	}
}

/* Sizes that only an op of their kind can have. */
static void check_kind(struct suite *s, const struct hlx_op *op, enum hlx_check_id id)
{
	bool sums = hlx_check_slotted(op);
	static const struct { enum hlx_kind kind; const char *text; } more[] = {
		{ HLX_REDUCE, "partial=1023" }, { HLX_REDUCE, "partial=1025" }, { HLX_REDUCE, "partial=3x70001" },
		{ HLX_REDUCE, "partial=70001 first=no last=no" }, { HLX_NORM, "squares=5000 table=41<5001 loss=2" },
		{ HLX_HASH, "array0=70016 array1=70016 blocks=90x4<40 keys=2x40x2<1000000000" },
		{ HLX_OPTIMIZER, "param=133120 grad=133120 flags=2080<2 loss=2 norm=2" },
	};
	struct hlx_check_case c;

	for (unsigned i = 0; i < sizeof(more) / sizeof(*more); i++)
		if (more[i].kind == op->kind && hlx_check_case_parse(op, more[i].text, &c) >= 0) {
			attempt(s, &c, (struct hlx_trial_how){ .slots = sums ? 8 : 1 }, id, FAMILY(HLX_FAMILY_NORMAL), 1);
			attempt(s, &c, (struct hlx_trial_how){ .slots = sums ? 16 : 1 }, id, FAMILY(HLX_FAMILY_MIXED), 1);
		}
}

static void check_unwired_op(struct suite *s, const struct hlx_op *op)
{
	struct hlx_caps *caps = &s->o->dev->info.caps, real = *caps;
	struct hlx_check_case c;

	for (const char *const *text = op->cases; text && *text && s->status >= 0; text++)
		if (hlx_check_case_parse(op, *text, &c) >= 0)
			check_unwired(s, &c);
	check_kind(s, op, HLX_CHECK_BITS);
	caps->max_range = SIGHT;
	caps->max_texels = SIGHT / 16;
	check_kind(s, op, HLX_CHECK_WINDOWS);
	*caps = real;
}

/* -- rows -------------------------------------------------------------------------------------------------- */

static void begin(struct suite *s, const struct hlx_suite_options *o, const struct hlx_op *op, const struct hlx_impl *impl,
		struct hlx_suite_row *row)
{
	*row = (struct hlx_suite_row){ .op = op, .impl = impl, .reference = op->ref_forward != NULL };
	*s = (struct suite){ .o = o, .row = row };
	s->check = (struct hlx_check){ .registry = o->registry, .dev = o->dev, .impl = impl, .seed = o->seed, .complain = complain,
		.ctx = s };
}

int hlx_suite_impl(const struct hlx_suite_options *o, const struct hlx_op *op, const struct hlx_impl *impl,
		struct hlx_suite_row *row)
{
	struct hlx_fpenv env;
	struct suite s;

	begin(&s, o, op, impl, row);
	hlx_fpenv_enter(&env);
	(is_wired(op) ? check_wired_op : check_unwired_op)(&s, op);
	hlx_fpenv_restore(&env);
	row->refused += s.check.refused;
	return s.status;
}

static void check_denormals(struct suite *s, const struct hlx_check_case *c)
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
		take_status(s, c, t.what, status);
		hlx_trial_finish(&t);
	}
}

static void check_double(struct suite *s, const struct hlx_check_case *c)
{
	unsigned ran = s->check.ran;

	if (!is_wired(c->op) || !c->op->ref64 || !c->op->ref_backward)
		return;
	hlx_check_grad_case(&s->check, c);
	s->row->check[HLX_CHECK_DOUBLE].ran += s->check.ran - ran;
	s->row->check[HLX_CHECK_GRADIENT].ran += s->check.ran - ran;
}

static void reference_case(struct suite *s, const struct hlx_check_case *c, uint32_t k)
{
	(void)k;
	s->row->cases++;
	check_denormals(s, c);
	check_double(s, c);
}

int hlx_suite_reference(const struct hlx_suite_options *o, const struct hlx_op *op, struct hlx_suite_row *row)
{
	struct hlx_fpenv env;
	struct hlx_check_case c;
	struct suite s;
	char text[HLX_VARY_TEXT];

	begin(&s, o, op, NULL, row);
	hlx_fpenv_enter(&env);
	for (const char *const *t = op->cases; t && *t && op->ref_forward && s.status >= 0; t++) {
		if (hlx_check_case_parse(op, *t, &c) < 0)
			continue;
		reference_case(&s, &c, 0);
		if (is_wired(op) && !o->quick && hlx_vary_sizes(&c, o->seed * 16, 4096, text))
			with_text(&s, op, text, 0, reference_case);
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
