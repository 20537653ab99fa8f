/* sweep_large.c - sizes at which an op has to split what it does: tensors beyond a binding, loops beyond a driver's limit. */
#include "core/check/sweep.h"

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

/* Each dim in turn so long that the largest tensor is more than two bindings, on a device that shows 256 KiB; the others
 * odd or round, as windows begin at multiples of 256 bytes. */
void hlx_sweep_windows(struct hlx_sweep *s, const struct hlx_check_case *c)
{
	struct hlx_caps *caps = &s->o->dev->info.caps, real = *caps;
	uint64_t dim[HLX_MAX_SLOTS * HLX_MAX_RANK], most = largest(s, c), want = HLX_SWEEP_SIGHT / 4 * 9 / 4;
	uint32_t n = most ? hlx_vary_dims(c, dim) : 0;
	char text[HLX_VARY_TEXT];

	caps->max_range = HLX_SWEEP_SIGHT;
	caps->max_texels = HLX_SWEEP_SIGHT / 16;
	for (uint32_t i = 0; i < 2 * n; i++) {
		enum hlx_vary_others others = i % 2 ? HLX_VARY_ROUND : HLX_VARY_SAME;
		unsigned enough = s->o->quick ? 3 : 100;
		if (s->row->check[HLX_CHECK_WINDOWS].ran < enough && hlx_vary_dim(c, i / 2, dim[i / 2] * want / most + 3, others, text))
			hlx_sweep_text(s, c->op, text, 0, run_windows);
	}
	*caps = real;
}

/* lavapipe 22.3.6 stops an invocation's loops after 65,535 iterations, silently: beyond, they are split or refused. */
void hlx_sweep_loops(struct hlx_sweep *s, const struct hlx_check_case *c)
{
	char text[HLX_VARY_TEXT];
	uint64_t dim[HLX_MAX_SLOTS * HLX_MAX_RANK];

	for (uint32_t i = 0; i < hlx_vary_dims(c, dim); i++)
		if (hlx_vary_dim(c, i, 70001, HLX_VARY_FEW, text))
			hlx_sweep_text(s, c->op, text, 0, run_loops);
}

