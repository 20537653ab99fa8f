/* plain.c - an op without a reference: what adding and layouts must give, from what the same kernels give without them. */
#include <stdlib.h>

#include "core/check/trial.h"
#include "hlx/math.h"

static uint64_t place(const struct hlx_trial *t, uint32_t i, uint64_t e)
{
	const struct hlx_desc *d = &t->desc[i % HLX_MAX_SLOTS];
	uint64_t n = hlx_numel(d), at = t->part[i].first + e / n * hlx_slot_stride(d), rest = e % n;

	for (uint32_t k = d->rank; k-- > 0; rest /= d->dim[k])
		at += rest % d->dim[k] * d->stride[k];
	return at;
}

void hlx_trial_expect_plain(struct hlx_trial *t)
{
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++) {
		struct hlx_trial_part *p = &t->part[i];
		const struct hlx_trial_part *from = &t->plain->part[i];
		bool accum = t->node.accum >> (i % HLX_MAX_SLOTS) & 1;
		p->unknown = p->present && p->output && p->sums && accum; /* a chain that goes on is no sum of two */
		for (uint64_t e = 0; p->present && p->output && !p->unknown && e < p->elements; e++) {
			uint32_t r = from->got[place(t->plain, i, e)];
			uint64_t at = place(t, i, e);
			p->want[at] = accum && p->f32 ? hlx_bits(hlx_accum(hlx_float(p->before[at]), hlx_float(r))) : r;
		}
	}
}
