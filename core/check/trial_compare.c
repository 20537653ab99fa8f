/* trial_compare.c - what a pass left in memory, word by word, and which check it fails. */
#include <string.h>

#include "core/check/trial.h"
#include "hlx/math.h"

/* Neither -0, nor between 0 and 2^-50. */
static bool is_storable(uint32_t bits)
{
	return !bits || (bits & 0x7fffffffu) >= 0x26800000u;
}

/* Gaps are POISON, which is not finite.  Only what may differ is measured by it. */
static float largest(const struct hlx_trial *t, const struct hlx_trial_part *p)
{
	return t->bench->impl->tier == HLX_DEVICE && p->present && p->f32 ? hlx_data_largest((const float *)p->want, p->words) : 0;
}

static bool is_known(const struct hlx_trial *t, const struct hlx_trial_part *p)
{
	return (t->c->op->ref_forward || t->plain) && !p->unknown;
}

/* Where 1e30 overflows on the way, nothing is promised of the results, finite ones among them: min and max of NaN differ. */
static void find_overflow(struct hlx_trial *t)
{
	t->overflows = false;
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++) {
		const struct hlx_trial_part *p = &t->part[i];
		for (uint64_t w = 0; p->present && p->output && p->f32 && w < p->words; w++)
			t->overflows |= p->own[w] && p->want[w] != HLX_TRIAL_POISON && !hlx_data_finite(p->want[w]);
	}
}

/* Whether a word of an output, or of what is none, is as it must be; and if not, which check says so. */
static bool judge(const struct hlx_trial *t, const struct hlx_trial_part *p, uint64_t w, float most, enum hlx_check_id *id)
{
	bool reference = is_known(t, p);
	uint32_t got = p->got[w];

	if (w < p->words && p->sums && p->output && !p->own[w])
		return true; /* the rest of a slot's run belongs to it */
	*id = HLX_CHECK_STRAY;
	if (w >= p->words || !p->own[w] || !p->output)
		return got == p->before[w];
	*id = HLX_CHECK_WRITTEN;
	if (got == HLX_TRIAL_POISON && p->f32)
		return reference && p->want[w] == HLX_TRIAL_POISON;
	if (t->overflows)
		return true;
	*id = HLX_CHECK_STORE;
	if (p->f32 && !p->sums && !is_storable(got) && (reference ? is_storable(p->want[w]) : !t->unwired))
		return false;
	*id = t->asking;
	return !reference || got == p->want[w] || (p->f32 && hlx_data_near(got, p->want[w], most, t->bench->impl->tier));
}

bool hlx_trial_agrees(struct hlx_trial *t)
{
	enum hlx_check_id id;

	find_overflow(t);
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++) {
		const struct hlx_trial_part *p = &t->part[i];
		float most = largest(t, p);
		for (uint64_t w = 0; p->present && w < p->words + HLX_TRIAL_GUARD; w++)
			if (!judge(t, p, w, most, &id))
				return false;
	}
	return true;
}

/* "element 3 of 771", "slot 1, element 3 of 6", "word 2 past the end" */
static const char *place_of(const struct hlx_trial *t, uint32_t i, uint64_t w, char *text, size_t room)
{
	const struct hlx_trial_part *p = &t->part[i];
	const struct hlx_desc *d = &t->desc[i % HLX_MAX_SLOTS];
	uint64_t run = p->sums ? w / hlx_slot_stride(d) : 0, at = 0, n = hlx_numel(d);

	if (w >= p->words)
		snprintf(text, room, "word %llu past the end", (unsigned long long)(w - p->words));
	else if (!p->own[w])
		snprintf(text, room, w < p->first ? "word %llu before the first element" : "word %llu between the elements",
				(unsigned long long)w);
	else {
		for (uint64_t k = p->first + run * hlx_slot_stride(d); !hlx_is_contiguous(d) && k < w; k++)
			at += p->own[k];
		at = hlx_is_contiguous(d) ? w - p->first - run * hlx_slot_stride(d) : at;
		snprintf(text, room, p->sums ? "element %llu of %llu of slot %llu" : "element %llu of %llu", (unsigned long long)at,
				(unsigned long long)n, (unsigned long long)run);
	}
	return text;
}

/* wrong: the check that the word itself fails.  What only goes wrong where slots, strides or windows come in is told as their check's. */
static void report(struct hlx_trial *t, uint32_t i, uint64_t w, enum hlx_check_id wrong, uint64_t bad)
{
	enum hlx_check_id id = t->asking > HLX_CHECK_BITS ? t->asking : wrong;
	const struct hlx_trial_part *p = &t->part[i];
	const char *kind = i < HLX_MAX_SLOTS ? "value" : "gradient", *name = hlx_trial_slot(t, i)->name;
	bool inside = w < p->words && p->own[w] && p->output;
	uint32_t want = inside && is_known(t, p) ? p->want[w] : p->before[w];
	char place[96];

	place_of(t, i, w, place, sizeof(place));
	if (wrong == HLX_CHECK_WRITTEN)
		hlx_check_complain(t->bench, id, t->c, t->what, "%s of %s: %s was not written (%08x is still there); %llu were not",
				kind, name, place, p->got[w], (unsigned long long)bad);
	else if (wrong == HLX_CHECK_STRAY)
		hlx_check_complain(t->bench, id, t->c, t->what, "%s of %s: %s was written: it was %08x, now it is %08x", kind, name,
				place, p->before[w], p->got[w]);
	else
		hlx_check_complain(t->bench, id, t->c, t->what, "%s of %s: %s is %08x (%.9g), want %08x (%.9g); %llu differ", kind, name,
				place, p->got[w], p->f32 ? (double)hlx_float(p->got[w]) : p->got[w], want,
				p->f32 ? (double)hlx_float(want) : want, (unsigned long long)bad);
}

/* The first word of each check that fails, and how many there are. */
static void compare_part(struct hlx_trial *t, uint32_t i)
{
	const struct hlx_trial_part *p = &t->part[i];
	uint64_t bad[HLX_CHECK_COUNT] = { 0 }, first[HLX_CHECK_COUNT] = { 0 };
	float most = largest(t, p);
	enum hlx_check_id id;

	for (uint64_t w = 0; w < p->words + HLX_TRIAL_GUARD; w++)
		if (!judge(t, p, w, most, &id) && !bad[id]++)
			first[id] = w;
	for (int k = 0; k < HLX_CHECK_COUNT; k++)
		if (bad[k])
			report(t, i, first[k], (enum hlx_check_id)k, bad[k]);
}

/* What a kernel keeps for itself has a guard too. */
void hlx_trial_compare_own(struct hlx_trial *t)
{
	const struct hlx_program *p = t->hand.program;
	const struct hlx_prog_node *n = &p->node[0];
	const uint32_t cells[] = { n->saved, n->work[0], n->work[1] };
	static const char *const names[] = { "saved bytes", "work bytes", "work bytes" };
	uint32_t words[HLX_TRIAL_GUARD];

	for (int i = 0; i < 3; i++) {
		uint64_t at, end;
		const struct hlx_memory *m;
		if (cells[i] == HLX_NONE)
			continue;
		m = hlx_cell_memory(p, cells[i], &at);
		end = at + p->cell[cells[i]].bytes - sizeof(words);
		if (hlx_memory_read(p->dev, m, end, sizeof(words), words) < 0)
			return;
		for (uint32_t w = 0; w < HLX_TRIAL_GUARD; w++)
			if (words[w] != HLX_TRIAL_POISON) {
				hlx_check_complain(t->bench, HLX_CHECK_STRAY, t->c, t->what, "word %u past the end of its %s was written", w,
						names[i]);
				break;
			}
	}
}

void hlx_trial_compare(struct hlx_trial *t)
{
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++)
		if (t->part[i].present)
			compare_part(t, i);
}

void hlx_trial_judge_reference(struct hlx_trial *t)
{
	char place[96];

	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS && !t->unwired; i++) {
		const struct hlx_trial_part *p = &t->part[i];
		for (uint64_t w = 0; p->present && p->output && p->f32 && w < p->words; w++) {
			enum hlx_check_id id = p->want[w] == HLX_TRIAL_POISON ? HLX_CHECK_WRITTEN : HLX_CHECK_STORE;
			if (!p->own[w] || (id == HLX_CHECK_STORE && (p->sums || is_storable(p->want[w]))))
				continue;
			hlx_check_complain(t->bench, id, t->c, t->what, id == HLX_CHECK_STORE ? "%s of %s: %s is %08x, which hlx_store never "
					"leaves" : "%s of %s: %s was not written (%08x is still there)", i < HLX_MAX_SLOTS ? "value" : "gradient",
					hlx_trial_slot(t, i)->name, place_of(t, i, w, place, sizeof(place)), p->want[w]);
			return;
		}
	}
}

void hlx_trial_compare_runs(struct hlx_trial *t, uint32_t *const first[2 * HLX_MAX_SLOTS], unsigned times)
{
	char place[96];

	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++) {
		const struct hlx_trial_part *p = &t->part[i];
		for (uint64_t w = 0; first[i] && w < p->words; w++)
			if (p->own[w] && p->got[w] != first[i][w]) {
				hlx_check_complain(t->bench, HLX_CHECK_AGAIN, t->c, t->what, "%s of %s: %s is %08x (%.9g) in run 1, %08x (%.9g) in run %u "
						"of the same values", i < HLX_MAX_SLOTS ? "value" : "gradient", hlx_trial_slot(t, i)->name,
						place_of(t, i, w, place, sizeof(place)), first[i][w], (double)hlx_float(first[i][w]), p->got[w],
						(double)hlx_float(p->got[w]), times + 1);
				return;
			}
	}
}
