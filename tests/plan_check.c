/* plan_check.c - a plan, checked the long way. */
#include "tests/plan_check.h"
#include "tests/toys.h"

struct place { /* a root cell, as the steps use it */
	uint64_t begin, end;
	uint32_t first, last;
	bool used;
};

uint32_t plan_root(const struct hlx_program *p, uint32_t cell, uint64_t *at)
{
	*at = 0;
	for (; p->cell[cell].parent != HLX_NONE; cell = p->cell[cell].parent)
		*at += p->cell[cell].offset;
	return cell;
}

bool plan_places(const struct hlx_cell *c)
{
	return c->parent == HLX_NONE && c->arena != HLX_ARENA_WEIGHTS && c->arena != HLX_ARENA_STATES;
}

/* Lifetimes anew, from the steps; what a cell says of itself is not believed. */
static struct place *find_places(const struct hlx_program *p)
{
	struct place *place = calloc(p->n_cells, sizeof(*place));
	uint64_t at;

	for (uint32_t i = 0; i < p->n_steps; i++)
		for (uint32_t j = 0; j < p->step[i].n_access; j++) {
			struct place *q = &place[plan_root(p, p->step[i].access[j].cell, &at)];
			q->first = q->used ? q->first : i;
			q->last = i;
			q->used = true;
		}
	for (uint32_t c = 0; c < p->n_cells; c++) {
		place[c].begin = p->cell[c].offset;
		place[c].end = p->cell[c].offset + p->cell[c].bytes;
		if (p->cell[c].persistent) {
			place[c].first = 0;
			place[c].last = UINT32_MAX;
			place[c].used = true;
		}
	}
	return place;
}

static void check_cells(const struct hlx_program *p)
{
	struct place *place = find_places(p);
	uint64_t most = (p->dev->max_allocation < (2ull << 30) ? p->dev->max_allocation : 2ull << 30);

	for (uint32_t a = 0; a < p->n_cells; a++) {
		if (!plan_places(&p->cell[a]) || !place[a].used)
			continue;
		ck_assert_uint_eq(p->cell[a].offset % HLX_ALIGN, 0);
		ck_assert_uint_le(place[a].end, most);
		for (uint32_t b = a + 1; b < p->n_cells; b++)
			if (plan_places(&p->cell[b]) && place[b].used && p->cell[a].arena == p->cell[b].arena &&
					p->cell[a].chunk == p->cell[b].chunk && place[a].first <= place[b].last &&
					place[b].first <= place[a].last)
				ck_assert_msg(place[a].end <= place[b].begin || place[b].end <= place[a].begin,
						"cells %u and %u share bytes and live at one time", a, b);
	}
	for (uint32_t c = 0; c < p->n_cells; c++) /* slices lie inside what they are cut from */
		if (p->cell[c].parent != HLX_NONE)
			ck_assert_uint_le(p->cell[c].offset + p->cell[c].bytes, p->cell[p->cell[c].parent].bytes);
	free(place);
}

static void check_accesses(const struct hlx_program *p)
{
	unsigned char *written = calloc(p->n_cells, 1);
	uint64_t at;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct hlx_prog_step *s = &p->step[i];
		for (uint32_t j = 0; j < s->n_access; j++) {
			const struct hlx_access *a = &s->access[j];
			const struct hlx_cell *c = &p->cell[a->cell];
			ck_assert_uint_ge(a->range, 1);
			ck_assert_uint_eq(a->offset % HLX_ALIGN, 0);
			ck_assert_uint_le(a->offset + a->range, a->texel ? (c->bytes + 15) / 16 * 16 : c->bytes);
		}
		/* what a step also writes, its accum decides: gemm binds its output once more to read what is there */
		for (uint32_t j = 0; j < s->n_access; j++)
			written[plan_root(p, s->access[j].cell, &at)] |= s->access[j].write;
		for (uint32_t j = 0; j < s->n_access; j++)
			ck_assert_msg(p->cell[s->access[j].cell].persistent || written[plan_root(p, s->access[j].cell, &at)],
					"step %u (%s) reads what nobody wrote", i, p->node[s->node].path);
	}
	free(written);
}

/* Element i of a tensor, in its storage. */
static uint64_t place_of(const struct hlx_desc *d, uint64_t i)
{
	uint64_t at = d->offset;

	for (uint32_t k = d->rank; k-- > 0; i /= d->dim[k])
		at += i % d->dim[k] * d->stride[k];
	return at;
}

/* Element by element. */
static bool have_common(const struct hlx_desc *a, const struct hlx_desc *b)
{
	unsigned char *in_a;
	bool common = false;

	if (a->offset == b->offset)
		return true;
	in_a = calloc(a->offset + hlx_extent(a) + 1, 1);
	for (uint64_t i = 0; i < hlx_numel(a); i++)
		in_a[place_of(a, i)] = 1;
	for (uint64_t i = 0; i < hlx_numel(b) && !common; i++)
		common = place_of(b, i) < a->offset + hlx_extent(a) && in_a[place_of(b, i)];
	free(in_a);
	return common;
}

/* Kernels that see tensors of one storage touch no element of it but their tensor's; the validation layer does not know. */
static bool conflict(const struct hlx_program *p, uint32_t i, uint32_t j, const struct hlx_access *a,
		const struct hlx_access *b)
{
	uint64_t at_a, at_b;
	const struct hlx_cell *ca = &p->cell[plan_root(p, a->cell, &at_a)], *cb = &p->cell[plan_root(p, b->cell, &at_b)];

	if ((!a->write && !b->write) || ca->arena != cb->arena || ca->chunk != cb->chunk)
		return false;
	at_a += ca->offset + a->offset;
	at_b += cb->offset + b->offset;
	if (at_a >= at_b + b->range || at_b >= at_a + a->range)
		return false;
	return a->cell != b->cell || !a->tensor || !b->tensor || p->dev->messenger || have_common(&p->node[p->step[i].node].desc[a->tensor - 1],
			&p->node[p->step[j].node].desc[b->tensor - 1]);
}

static bool steps_conflict(const struct hlx_program *p, uint32_t i, uint32_t j)
{
	for (uint32_t a = 0; a < p->step[i].n_access; a++)
		for (uint32_t b = 0; b < p->step[j].n_access; b++)
			if (conflict(p, i, j, &p->step[i].access[a], &p->step[j].access[b]))
				return true;
	return false;
}

/* A conflict without a barrier between is a race; a barrier without a conflict is lost time. */
static void check_barriers(const struct hlx_program *p)
{
	uint32_t last = 0, barriers = 0;

	for (uint32_t j = 0; j < p->n_steps; j++) {
		bool needed = false;
		if (j && p->step[j].phase != p->step[j - 1].phase)
			last = j; /* a phase begins with a command buffer, and that with a barrier */
		for (uint32_t i = last; i < j; i++)
			needed |= p->step[i].kind != HLX_HOST_CALL && steps_conflict(p, i, j);
		if (p->step[j].kind == HLX_HOST_CALL)
			ck_assert(p->step[j].barrier);
		else
			ck_assert_msg(p->step[j].barrier == needed, "step %u (%s): barrier %d, needed %d", j,
					p->node[p->step[j].node].path, p->step[j].barrier, needed);
		barriers += p->step[j].barrier;
		last = p->step[j].barrier ? j : last;
	}
	ck_assert_uint_eq(barriers, p->plan.barriers);
}

void plan_check(const struct hlx_program *p)
{
	check_cells(p);
	check_accesses(p);
	check_barriers(p);
}

void plan_same(const struct hlx_program *a, const struct hlx_program *b)
{
	ck_assert_uint_eq(a->n_cells, b->n_cells);
	ck_assert_uint_eq(a->n_steps, b->n_steps);
	for (uint32_t i = 0; i < a->n_cells; i++)
		ck_assert(a->cell[i].offset == b->cell[i].offset && a->cell[i].chunk == b->cell[i].chunk &&
				a->cell[i].bytes == b->cell[i].bytes && a->cell[i].arena == b->cell[i].arena);
	for (uint32_t i = 0; i < a->n_steps; i++) {
		const struct hlx_prog_step *s = &a->step[i], *t = &b->step[i];
		ck_assert(s->kind == t->kind && s->node == t->node && s->barrier == t->barrier && s->pipeline == t->pipeline &&
				s->n_access == t->n_access && !memcmp(s->push, t->push, sizeof(s->push)) &&
				!memcmp(s->groups, t->groups, sizeof(s->groups)));
		for (uint32_t j = 0; j < s->n_access; j++)
			ck_assert(s->access[j].cell == t->access[j].cell && s->access[j].offset == t->access[j].offset &&
					s->access[j].range == t->access[j].range);
	}
}
