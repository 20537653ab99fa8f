/* trial_far.c - how far from ref64's a device implementation's results are, and how far the reference's. */
#include <math.h>
#include <stdlib.h>

#include "core/check/trial.h"
#include "core/registry/registry.h"
#include "hlx/math.h"

/* The values as they were before the pass, in double. */
static void widen(const struct hlx_trial *t, double *value[HLX_MAX_SLOTS])
{
	for (uint32_t i = 0; i < HLX_MAX_SLOTS; i++) {
		const struct hlx_trial_part *p = &t->part[i];
		value[i] = p->present ? calloc(p->words + 1, sizeof(double)) : NULL;
		for (uint64_t w = 0; value[i] && w < p->words; w++)
			value[i][w] = p->f32 && p->own[w] ? (double)hlx_float(p->before[w]) : p->before[w];
	}
}

/* The largest difference of an element, of the largest exact one; INFINITY where a number is expected and none came. */
static double distance(const struct hlx_trial_part *p, const double *exact, const uint32_t *bits)
{
	double most = 0, far = 0;

	for (uint64_t w = 0; w < p->words; w++)
		if (p->own[w] && isfinite(exact[w])) {
			far = fmax(far, fabs((double)hlx_float(bits[w]) - exact[w]));
			most = fmax(most, fabs(exact[w]));
			if (!isfinite(hlx_float(bits[w])))
				return INFINITY;
		}
	return most > 0 ? far / most : far > 0 ? INFINITY : 0;
}

static void complain(struct hlx_trial *t, uint32_t slot, double far, double accuracy)
{
	hlx_check_complain(t->bench, HLX_CHECK_BITS, t->c, t->what, "value of %s: %.2g of the largest one from exact results, where "
			"its accuracy is to be %.2g", hlx_trial_slot(t, slot)->name, far, accuracy);
}

void hlx_trial_measure(struct hlx_trial *t)
{
	double *value[HLX_MAX_SLOTS], *first[HLX_MAX_SLOTS], far, accuracy = HLX_LATER(t->bench->impl, accuracy);
	bool all = t->bench->impl->tier == HLX_DEVICE && t->c->op->ref64 && t->c->op->ref_forward && !t->how.accum && !t->overflows;

	for (uint32_t i = 0; i < HLX_MAX_SLOTS; i++)
		all &= !t->desc[i].view_of;
	if (!all)
		return;
	widen(t, value);
	for (uint32_t i = 0; i < HLX_MAX_SLOTS; i++) {
		all &= !t->part[i].present || value[i];
		first[i] = value[i] ? value[i] + t->part[i].first : NULL;
	}
	if (all && t->c->op->ref64(&t->node, first) >= 0)
		for (uint32_t i = 0; i < HLX_MAX_SLOTS; i++) {
			const struct hlx_trial_part *p = &t->part[i];
			if (!p->present || !p->output || !p->f32 || p->sums || p->unknown)
				continue;
			far = distance(p, value[i], p->got);
			t->bench->far = fmax(t->bench->far, far);
			if (accuracy > 0 && far > accuracy)
				complain(t, i, far, accuracy);
			t->bench->far_reference = fmax(t->bench->far_reference, distance(p, value[i], p->want));
		}
	for (uint32_t i = 0; i < HLX_MAX_SLOTS; i++)
		free(value[i]);
}
