/* sweep.c - what an implementation of a layer or a loss is held to, on the op's cases and on others made from them. */
#include "core/check/sweep.h"

#include "core/registry/registry.h"

static const struct hlx_trial_how whole = { .grads = ~0ull, .slots = 1 };

/* Ordinary values and those of every magnitude or the edges, and the other families by turns; all on an author's own case. */
static unsigned families_of(const struct hlx_sweep *s, uint32_t k)
{
	return s->o->quick || s->check.strange ? HLX_FAMILY(HLX_FAMILY_NORMAL) | HLX_FAMILY(k % 2 ? HLX_FAMILY_MIXED : HLX_FAMILY_EDGE) |
		HLX_FAMILY(k % 4 == 3 ? HLX_FAMILY_FAR : 1 + k % 4) : HLX_FAMILIES_ALL;
}

static void check_values(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k)
{
	struct hlx_trial_how how = whole;
	uint32_t n = 0;

	hlx_sweep_try(s, c, how, HLX_CHECK_BITS, families_of(s, k), s->o->quick && k ? 1 : HLX_SWEEP_MANY);
	how.grads = 0;
	hlx_sweep_try(s, c, how, HLX_CHECK_BITS, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
	while (c->op->slots[n].name)
		n++;
	for (uint32_t slot = 0; slot < n && (!s->o->quick || k < 2); slot++) {
		how.grads = 1ull << slot;
		hlx_sweep_try(s, c, how, HLX_CHECK_BITS, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
	}
}

static void check_accum(struct hlx_sweep *s, const struct hlx_check_case *c)
{
	struct hlx_trial_how how = whole;

	how.accum = ~0ull;
	hlx_sweep_try(s, c, how, HLX_CHECK_ACCUM, HLX_FAMILY(HLX_FAMILY_NORMAL) | HLX_FAMILY(HLX_FAMILY_MIXED), 1);
	for (uint32_t slot = 0; c->op->slots[slot].name && !s->o->quick; slot++) {
		how.accum = 1ull << slot;
		hlx_sweep_try(s, c, how, HLX_CHECK_ACCUM, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
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
static void check_slots(struct hlx_sweep *s, const struct hlx_check_case *c)
{
	struct hlx_trial_how how = whole;

	how.slots = 0;
	if (!has_sums(c->op) || c->in[0].desc.rank < 2 || c->in[0].desc.dim[0] % 2)
		return;
	hlx_sweep_try(s, c, how, HLX_CHECK_SLOTS, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
	how.accum = ~0ull;
	hlx_sweep_try(s, c, how, HLX_CHECK_SLOTS, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
	how.slots = 2; /* of several sequences each, where there are more than two */
	hlx_sweep_try(s, c, how, HLX_CHECK_SLOTS, HLX_FAMILY(s->o->quick ? HLX_FAMILY_NORMAL : HLX_FAMILY_MIXED), 1);
}

static void check_strides(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k)
{
	bool strange = s->check.strange;

	s->check.strange = true; /* an op may want dense tensors */
	for (int layout = 1; layout < HLX_LAYOUT_COUNT; layout++) {
		struct hlx_trial_how how = whole;
		how.layout = (enum hlx_layout)layout;
		hlx_sweep_try(s, c, how, HLX_CHECK_STRIDES, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
		how.accum = ~0ull;
		if (!s->o->quick || k == 1)
			hlx_sweep_try(s, c, how, HLX_CHECK_STRIDES, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
	}
	s->check.strange = strange;
}

static void run_wired(struct hlx_sweep *s, const struct hlx_check_case *c, enum hlx_check_mode mode, enum hlx_family family,
		uint64_t slots, enum hlx_check_id id)
{
	unsigned ran = s->check.ran;

	if (hlx_sweep_settled(s, HLX_CHECK_WIRED) || s->row->check[HLX_CHECK_LINT].failed || !s->row->reference || !c->op->ref_backward ||
			!s->check.impl->backward)
		return;
	hlx_check_run_case(&s->check, c, mode, family, slots);
	s->row->check[id].ran += s->check.ran - ran;
}

static void check_wired(struct hlx_sweep *s, const struct hlx_check_case *c)
{
	for (int mode = 0; mode < HLX_CHECK_MODE_COUNT; mode++)
		run_wired(s, c, (enum hlx_check_mode)mode, HLX_FAMILY_NORMAL, 0, HLX_CHECK_WIRED);
	for (int f = HLX_FAMILY_TINY; f < HLX_FAMILY_FAR && !s->o->quick && !s->check.strange && s->check.impl->tier == HLX_PORTABLE; f++)
		run_wired(s, c, HLX_CHECK_TWICE, (enum hlx_family)f, 0, HLX_CHECK_WIRED);
}

/* A neighbour whose work it might do, with slot between the two. */
static void try_next(struct hlx_sweep *s, const struct hlx_check_case *c, struct hlx_check_next next, enum hlx_check_mode mode)
{
	struct hlx_check_case both = *c;
	bool strange = s->check.strange;

	s->check.strange = true; /* most do not go together */
	both.next = &next;
	for (int infer = 0; infer <= (mode == HLX_CHECK_BEFORE); infer++) {
		next.infer = infer;
		run_wired(s, &both, mode, HLX_FAMILY_NORMAL, 0, HLX_CHECK_FUSED);
		if (!s->o->quick && !strange && s->check.impl->tier == HLX_PORTABLE)
			run_wired(s, &both, mode, HLX_FAMILY_MIXED, 0, HLX_CHECK_FUSED);
	}
	s->check.strange = strange;
}

void hlx_sweep_fused(struct hlx_sweep *s, const struct hlx_check_case *c)
{
	const struct hlx_op *op;

	for (size_t i = 0; HLX_LATER(s->check.impl, finishes) && (op = hlx_registry_op_at(s->check.registry, i, NULL)); i++) {
		for (uint32_t k = 0; op->kind == HLX_LAYER && op->slots[k].name; k++)
			if (op->slots[k].role == HLX_IN)
				try_next(s, c, (struct hlx_check_next){ .op = op, .slot = k }, HLX_CHECK_BEFORE);
		for (uint32_t k = 0; op->kind == HLX_LAYER && c->op->slots[k].name; k++)
			if (c->op->slots[k].role == HLX_IN)
				try_next(s, c, (struct hlx_check_next){ .op = op, .slot = k }, HLX_CHECK_BEHIND);
	}
}

/* Rows and columns of one element lie both ways at once. */
static bool is_thin(const struct hlx_check_case *c)
{
	for (uint32_t i = 0; i < c->n_in; i++)
		if (c->in[i].desc.rank && c->in[i].desc.dim[c->in[i].desc.rank - 1] == 1)
			return true;
	return false;
}

static void check_case(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k)
{
	check_values(s, c, k);
	check_accum(s, c);
	check_slots(s, c);
	check_strides(s, c, k);
	if (!s->o->quick || !s->check.strange)
		check_wired(s, c);
	if (!s->o->quick || k < 2 || is_thin(c))
		hlx_sweep_fused(s, c);
}

/* -- generated cases --------------------------------------------------------------------------------------- */

static void vary_sizes(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k)
{
	char text[HLX_VARY_TEXT];

	for (uint64_t i = 0; i < (s->o->quick ? 1 : 3); i++)
		if (hlx_vary_sizes(c, s->o->seed * 16 + i, s->o->quick ? 8192 : 32768, text))
			hlx_sweep_text(s, c->op, text, k, s->o->quick ? check_values : check_case);
}

static void vary_attrs(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k)
{
	char text[HLX_VARY_TEXT];

	for (uint32_t which = 0; c->op->attrs && c->op->attrs[which].name; which++)
		for (uint32_t turn = 0; turn < 3; turn++)
			if ((!s->o->quick || (k + which + turn) % 3 == 0) && hlx_vary_attr(c, which, turn, text))
				hlx_sweep_text(s, c->op, text, k, check_values);
}

/* Partial sums are seen in batches that divide. */
static void vary_batch(struct hlx_sweep *s, const struct hlx_check_case *c)
{
	char text[HLX_VARY_TEXT];
	struct hlx_check_case v;

	if (!has_sums(c->op) || c->in[0].desc.rank < 2 || c->in[0].desc.dim[0] % 2 == 0 || c->in[0].desc.dim[0] == 1)
		return;
	if (!hlx_vary_dim(c, 0, 4, HLX_VARY_SAME, text) || hlx_check_case_parse(c->op, text, &v) < 0)
		return;
	s->check.strange = true;
	check_slots(s, &v);
	s->check.strange = false;
}

void hlx_sweep_wired(struct hlx_sweep *s, const struct hlx_op *op)
{
	struct hlx_check_case c;
	uint32_t k = 0;

	for (const char *const *text = op->cases; text && *text && s->status >= 0; text++, k++) {
		int status = hlx_check_case_parse(op, *text, &c);
		if (status < 0) {
			hlx_sweep_take(s, &(struct hlx_check_case){ .op = op, .text = *text }, "its text", HLX_EPLUGIN);
			continue;
		}
		hlx_sweep_case(s, &c, k, check_case);
		vary_batch(s, &c);
		vary_sizes(s, &c, k);
		vary_attrs(s, &c, k);
		hlx_sweep_windows(s, &c, k, s->o->quick || k == 1 || !text[1]);
		if (!s->o->quick || k == 1 || !text[1])
			hlx_sweep_loops(s, &c, k, k == 1 || !text[1]);
	}
}

