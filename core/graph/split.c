/*
 * split.c - a batch in slots, which are part of what is computed, and in passes, which are not.
 *
 *   sequence      0 1 2 3 4 5 6 7       slots 4
 *   slot          0   1   2   3
 *   micro_batch 1 . . . . . . . .       two passes a slot, the second goes on from the first's sums: 4 roots
 *   micro_batch 4 .       .             two slots a pass, added at its end: 2 roots, joined by passes.c
 */
#include "core/graph/graph.h"

/* Default: the largest power of two up to 8 that divides the batch (numerics.md: a part of the definition). */
static int check_slots(struct hlx_graph_options *o)
{
	if (!o->batch || !o->seq_len)
		return hlx_fail(HLX_ESHAPE, "batch_size and seq_len want at least 1");
	if (!o->slots)
		for (o->slots = 8; o->batch % o->slots; o->slots /= 2)
			;
	if ((o->slots & (o->slots - 1)) || o->slots > 65536 || o->batch % o->slots)
		return hlx_fail(HLX_EINVAL, "slots is %llu, want a power of two that divides batch_size %llu",
				(unsigned long long)o->slots, (unsigned long long)o->batch);
	return 0;
}

/* A part of a slot, or whole slots; and the batch in equal parts. */
static bool fits_micro(const struct hlx_graph_options *o, uint64_t micro)
{
	uint64_t of_slot = o->batch / o->slots;

	return o->batch % micro == 0 && (of_slot % micro == 0 || micro % of_slot == 0);
}

static int refuse_micro(const struct hlx_graph_options *o)
{
	char list[256];
	int n = 0;

	for (uint64_t m = 1; m <= o->batch && n < (int)sizeof(list) - 24; m++)
		if (fits_micro(o, m))
			n += snprintf(list + n, sizeof(list) - (size_t)n, "%s%llu", !n ? "" : m == o->batch ? " or " : ", ",
					(unsigned long long)m);
	return hlx_fail(HLX_EINVAL, "micro_batch is %llu, want %s (batch_size %llu, slots %llu)",
			(unsigned long long)o->micro_batch, list, (unsigned long long)o->batch, (unsigned long long)o->slots);
}

int hlx_graph_split(struct hlx_graph *g)
{
	struct hlx_graph_options *o = &g->options;
	uint64_t passes, slots;

	HLX_TRY(check_slots(o));
	if (o->positions && (o->batch != 1 || o->train || o->first >= o->positions || o->seq_len > o->positions - o->first))
		return hlx_fail(HLX_EINVAL, "decoding wants one sequence, no training, and no position beyond the last");
	if (!o->micro_batch)
		o->micro_batch = o->batch;
	if (!fits_micro(o, o->micro_batch))
		return refuse_micro(o);
	passes = o->batch / o->micro_batch;
	slots = o->slots > passes ? o->slots / passes : 1;
	if (passes > UINT32_MAX)
		return hlx_fail(HLX_EINVAL, "%llu micro-batches a step, want at most 2^32 - 1", (unsigned long long)passes);
	g->passes = (uint32_t)passes;
	g->roots = (uint32_t)(o->slots / slots);
	o->batch = o->micro_batch;
	o->slots = slots;
	return 0;
}
