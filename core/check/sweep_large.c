/* sweep_large.c - sizes at which an op has to split what it does: tensors beyond a binding, loops beyond a driver's limit. */
#include "core/check/sweep.h"

#include <string.h>

static void run_large(struct hlx_sweep *s, const struct hlx_check_case *c, enum hlx_check_id id)
{
	struct hlx_trial_how how = { .grads = ~0ull };

	hlx_sweep_try(s, c, how, id, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
	if (!s->o->quick) {
		how.accum = ~0ull;
		hlx_sweep_try(s, c, how, id, HLX_FAMILY(HLX_FAMILY_NORMAL), 1);
	}
}

static void run_windows(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k)
{
	(void)k;
	run_large(s, c, HLX_CHECK_WINDOWS);
	hlx_sweep_fused(s, c);
}

static void run_loops(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k)
{
	(void)k;
	run_large(s, c, HLX_CHECK_LOOPS);
}

/* Of the largest of all tensors; 0 where there is none. */
static uint64_t largest(struct hlx_sweep *s, const struct hlx_check_case *c)
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

/* Dims so long that the largest tensor is more than two bindings, on a device that shows 64 KiB; the others odd or round, as
 * windows begin at multiples of 256 bytes. */
void hlx_sweep_windows(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k, bool thorough)
{
	struct hlx_caps *caps = &s->o->dev->info.caps, real = *caps;
	uint64_t dim[HLX_MAX_SLOTS * HLX_MAX_RANK], most = largest(s, c), want = HLX_SWEEP_SIGHT / 4 * 9 / 4;
	uint32_t n = most ? hlx_vary_dims(c, dim) : 0;
	unsigned enough = s->o->quick ? 3 : 1000;
	char odd[HLX_VARY_TEXT], round[HLX_VARY_TEXT];

	caps->max_range = HLX_SWEEP_SIGHT;
	caps->max_texels = HLX_SWEEP_SIGHT / 16;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t to = dim[i] * want / most + 3;
		if (!thorough && i != k % n)
			continue;
		if (s->row->check[HLX_CHECK_WINDOWS].ran < enough && hlx_vary_dim(c, i, to, HLX_VARY_SAME, odd))
			hlx_sweep_text(s, c->op, odd, 0, run_windows);
		if (s->row->check[HLX_CHECK_WINDOWS].ran < enough && hlx_vary_dim(c, i, to, HLX_VARY_ROUND, round) && strcmp(odd, round))
			hlx_sweep_text(s, c->op, round, 0, run_windows);
	}
	*caps = real;
}

/* lavapipe 22.3.6 stops an invocation's loops after 65,535 iterations, silently: beyond, they are split or refused. */
void hlx_sweep_loops(struct hlx_sweep *s, const struct hlx_check_case *c, uint32_t k, bool thorough)
{
	enum hlx_vary_others others = s->o->quick ? HLX_VARY_LEAST : HLX_VARY_FEW;
	uint64_t dim[HLX_MAX_SLOTS * HLX_MAX_RANK];
	uint32_t n = hlx_vary_dims(c, dim);
	char text[HLX_VARY_TEXT];

	for (uint32_t i = 0; i < n; i++)
		if ((thorough || i == k % n) && hlx_vary_dim(c, i, 70001, others, text))
			hlx_sweep_text(s, c->op, text, 0, run_loops);
}
