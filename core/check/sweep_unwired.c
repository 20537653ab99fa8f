/* sweep_unwired.c - what an implementation of an op that no INI wires is held to: reductions, norm, optimizers, hash. */
#include "core/check/sweep.h"

static void check_unwired(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k)
{
	static const uint64_t slots[] = { 2, 8, 16, 64 };
	struct hlx_trial_how how = { .slots = 1 };

	(void)k;
	hlx_sweep_try(s, c, how, HLX_CHECK_BITS, HLX_FAMILIES_ALL, HLX_SWEEP_MANY);
	for (unsigned i = 0; i < 4 && hlx_check_slotted(c->op); i++) {
		how.slots = slots[i];
		hlx_sweep_try(s, c, how, HLX_CHECK_SLOTS, HLX_FAMILY(HLX_FAMILY_MIXED), 1);
	}
}

/* Sizes that only an op of their kind can have. */
static void check_kind(struct hlx_sweep *s, const struct hlx_op *op, enum hlx_check_id id)
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
			hlx_sweep_try(s, &c, (struct hlx_trial_how){ .slots = sums ? 8 : 1 }, id, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
			hlx_sweep_try(s, &c, (struct hlx_trial_how){ .slots = sums ? 16 : 1 }, id, HLX_FAMILY(HLX_FAMILY_MIXED), 1);
		}
}

void hlx_sweep_unwired(struct hlx_sweep *s, const struct hlx_op *op)
{
	struct hlx_caps *caps = &s->o->dev->info.caps, real = *caps;
	struct hlx_check_case c;

	for (const char *const *text = op->cases; text && *text && s->status >= 0; text++)
		if (hlx_check_case_parse(op, *text, &c) >= 0)
			hlx_sweep_case(s, &c, 0, check_unwired);
	check_kind(s, op, HLX_CHECK_BITS);
	caps->max_range = 4 * HLX_SWEEP_SIGHT;
	caps->max_texels = 4 * HLX_SWEEP_SIGHT / 16;
	check_kind(s, op, HLX_CHECK_WINDOWS);
	*caps = real;
}

