/* trial_fill.c - what is in memory before a trial's pass: values, POISON where the node is to write, something where it adds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/trial.h"
#include "hlx/math.h"

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_called(const struct hlx_trial *t, uint32_t i, const char *name)
{
	return !strcmp(hlx_trial_slot(t, i)->name, name);
}

static uint32_t below_of(const struct hlx_trial *t, uint32_t i)
{
	for (uint32_t k = 0; k < t->c->n_in; k++)
		if (is_called(t, i, t->c->in[k].name))
			return t->c->in[k].below ? t->c->in[k].below : 1;
	return 1;
}

static void generate(struct hlx_trial *t, uint32_t i, enum hlx_family family, float *flat)
{
	const struct hlx_trial_part *p = &t->part[i];
	uint64_t turn = t->turn + t->bench->seed * 64;
	bool grad = i >= HLX_MAX_SLOTS;
	const char *path = grad && hlx_trial_slot(t, i)->role == HLX_OUT ? "seed" : hlx_trial_slot(t, i)->name;
	uint64_t stream = hlx_data_stream(path, turn) + grad;
	uint32_t below = below_of(t, i);

	if (p->f32 && family == HLX_FAMILY_HAND)
		hlx_data_tensor(flat, p->elements, family, path, turn);
	else if (p->f32)
		hlx_data_floats(flat, p->elements, family, stream);
	for (uint64_t e = 0; e < p->elements && !p->f32; e++) {
		uint32_t v = hlx_data_index(t->unwired ? HLX_FAMILY_NORMAL : family, stream, e, below);
		memcpy(&flat[e], &v, 4);
	}
}

/* The n-th value goes to the n-th element, wherever that lies: all layouts hold the same tensor. */
static void fill_values(struct hlx_trial *t, uint32_t i, enum hlx_family family)
{
	struct hlx_trial_part *p = &t->part[i];
	const struct hlx_desc *d = &t->desc[i % HLX_MAX_SLOTS];
	uint64_t n = hlx_numel(d), stride = hlx_slot_stride(d);
	float *flat = malloc((p->elements + 1) * 4);

	if (!flat)
		return;
	generate(t, i, family, flat);
	for (uint64_t r = 0; r * n < p->elements; r++) {
		uint32_t *to = p->before + p->first + r * stride;
		const float *from = flat + r * n;
		if (hlx_is_contiguous(d))
			memcpy(to, from, n * 4);
		for (uint64_t e = 0; e < n && !hlx_is_contiguous(d); e++)
			memcpy(to + hlx_trial_place(d, e), &from[e], 4);
	}
	free(flat);
}

/* Sums of squares and norms are no negative numbers, a table ascends, and a count is a whole number. */
static void mend_unwired(struct hlx_trial *t, uint32_t i)
{
	struct hlx_trial_part *p = &t->part[i];

	if (is_called(t, i, "table") && !p->f32)
		qsort(p->before, p->words, 4, ascending);
	for (uint64_t k = 0; k < p->words && (is_called(t, i, "squares") || is_called(t, i, "norm")); k++)
		p->before[k] &= 0x7fffffffu;
	if (is_called(t, i, "loss") && p->words > 1)
		p->before[1] = hlx_bits((float)(t->turn * 1000 + 24));
}

/* A reduction that is not the first of its kind goes on from what its output holds. */
static bool continues(const struct hlx_trial *t)
{
	const struct hlx_attr *a = t->c->op->kind == HLX_REDUCE ? hlx_attrs_find(t->c->op, "first") : NULL;
	int32_t first = 1;

	if (a && a->type == HLX_BOOL)
		memcpy(&first, (const char *)t->attrs + a->offset, sizeof(first));
	return !first;
}

/* Another NaN round inputs than round outputs: who copies too much is seen too. */
static void poison(struct hlx_trial_part *p)
{
	for (uint64_t w = 0; w < p->words + HLX_TRIAL_GUARD; w++)
		p->before[w] = p->output ? HLX_TRIAL_POISON : 0x7fe5e5e5u;
}

/* Inputs are new each turn; states begin as a training run's, a value and zeros, and then are what they became. */
static void fill_unwired(struct hlx_trial *t, uint32_t i, enum hlx_family family)
{
	struct hlx_trial_part *p = &t->part[i];
	enum hlx_role role = hlx_trial_slot(t, i)->role;

	if (role == HLX_STATE && t->turn) {
		memcpy(p->before, p->want, (p->words + HLX_TRIAL_GUARD) * 4);
		return;
	}
	poison(p);
	if (role == HLX_STATE && !is_called(t, i, "param"))
		memset(p->before, 0, p->words * 4);
	else if (role != HLX_OUT || (continues(t) && is_called(t, i, "out")))
		fill_values(t, i, family);
	mend_unwired(t, i);
}

void hlx_trial_fill(struct hlx_trial *t, enum hlx_family family)
{
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++) {
		struct hlx_trial_part *p = &t->part[i];
		uint32_t s = i % HLX_MAX_SLOTS;
		if (!p->present)
			continue;
		if (t->unwired) {
			fill_unwired(t, i, family);
			continue;
		}
		poison(p);
		if (p->output ? t->node.accum >> s & 1 && (i >= HLX_MAX_SLOTS || p->sums) :
				i < HLX_MAX_SLOTS || hlx_trial_slot(t, s)->role == HLX_OUT)
			fill_values(t, i, family);
	}
}
