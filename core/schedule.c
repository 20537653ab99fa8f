/*
 * schedule.c - which steps run at once.
 *
 *   as built   dX dW | reduce dW | dX' dW' | reduce dW' |      four barriers
 *   here       dX dW | reduce dW, dX', dW' | reduce dW' ...    one fewer a node
 *
 * A step behind a barrier costs 2.3 us on an H100, one beside another 0.24, and small ones leave most of a big card
 * idle.  So the steps are gathered into epochs: what depends on nothing that still waits joins the running epoch.
 * Only a window of steps is looked at, so that memory is not held long before it is needed.  Dependencies are those of
 * cells; where cells share memory is laid out afterwards, by epochs: cells of one epoch share nothing.
 */
#include <stdlib.h>

#include "core/program.h"

#define WINDOW 24u /* the steps of two or three nodes' backward passes */

struct touch { /* bytes of a cell that is no slice */
	uint32_t cell;
	bool write;
	uint64_t begin, end;
};

struct schedule {
	const struct hlx_program *program;
	struct touch (*touch)[HLX_MAX_BINDINGS]; /* by step */
	uint32_t *epoch;                         /* by step; HLX_NONE: waits */
	uint32_t *order;                         /* the steps, as they will run */
};

static struct touch touch_of(const struct hlx_program *p, const struct hlx_access *a)
{
	struct touch t = { .write = a->write, .begin = a->offset };

	t.cell = hlx_cell_root(p, a->cell, &t.begin);
	t.end = t.begin + a->range;
	return t;
}

/* a comes before b. */
static bool conflicts(const struct schedule *s, uint32_t a, uint32_t b)
{
	const struct hlx_prog_step *step = s->program->step;

	if (step[a].kind == HLX_HOST_CALL || step[b].kind == HLX_HOST_CALL) /* they run between submissions */
		return true;
	if (step[b].again != step[a].again) /* b, the later one, takes memory that a layer's backward pass still has */
		return true;
	for (uint32_t i = 0; i < step[a].n_access; i++)
		for (uint32_t j = 0; j < step[b].n_access; j++) {
			const struct touch *x = &s->touch[a][i], *y = &s->touch[b][j];
			if (x->cell == y->cell && (x->write || y->write) && x->begin < y->end && y->begin < x->end)
				return true;
		}
	return false;
}

/* Nothing before it, from `first` on, is of this epoch or waits, and stands in its way. */
static bool is_ready(const struct schedule *s, uint32_t first, uint32_t step, uint32_t epoch)
{
	for (uint32_t i = first; i < step; i++)
		if (s->epoch[i] >= epoch && conflicts(s, i, step))
			return false;
	return true;
}

/* Fills epoch and order of steps first to n - 1, with epochs from `epoch` on; the one after the last. */
static uint32_t assign(struct schedule *s, uint32_t first, uint32_t n, uint32_t epoch)
{
	uint32_t placed = first;

	for (uint32_t i = first; i < n; i++)
		s->epoch[i] = HLX_NONE;
	for (; first < n; epoch++) {
		for (uint32_t i = first; i < n && i < first + WINDOW; i++)
			if (s->epoch[i] == HLX_NONE && is_ready(s, first, i, epoch)) {
				s->epoch[i] = epoch;
				s->order[placed++] = i;
			}
		while (first < n && s->epoch[first] != HLX_NONE)
			first++;
	}
	return epoch;
}

/* No step leaves its phase. */
static void assign_all(struct schedule *s)
{
	const struct hlx_program *p = s->program;
	uint32_t epoch = 0;

	for (uint32_t i = 0, n; i < p->n_steps; i = n) {
		for (n = i; n < p->n_steps && p->step[n].phase == p->step[i].phase; n++)
			;
		epoch = assign(s, i, n, epoch);
	}
}

static void use(struct hlx_program *p, uint32_t cell, uint32_t epoch)
{
	for (uint32_t c = cell; c != HLX_NONE; c = p->cell[c].parent) {
		if (p->cell[c].first == HLX_NONE)
			p->cell[c].first = epoch;
		p->cell[c].last = epoch;
	}
}

/* Epoch by epoch, within each as built. */
static int reorder(struct hlx_program *p, const struct schedule *s)
{
	struct hlx_prog_step *to = calloc(p->n_steps + 1, sizeof(*to));

	if (!to)
		return hlx_no_memory();
	for (uint32_t i = 0; i < p->n_cells; i++)
		p->cell[i].first = HLX_NONE;
	for (uint32_t i = 0; i < p->n_steps; i++) {
		to[i] = p->step[s->order[i]];
		for (uint32_t j = 0; j < to[i].n_access; j++)
			use(p, to[i].access[j].cell, s->epoch[s->order[i]]);
	}
	free(p->step);
	p->step = to;
	return 0;
}

int hlx_program_schedule(struct hlx_program *p)
{
	struct schedule s = { p, calloc(p->n_steps + 1, sizeof(*s.touch)), calloc(p->n_steps + 1, 4),
		calloc(p->n_steps + 1, 4) };
	int status = s.touch && s.epoch && s.order ? 0 : hlx_no_memory();

	for (uint32_t i = 0; status >= 0 && i < p->n_steps; i++)
		for (uint32_t j = 0; j < p->step[i].n_access; j++)
			s.touch[i][j] = touch_of(p, &p->step[i].access[j]);
	if (status >= 0) {
		assign_all(&s);
		status = reorder(p, &s);
	}
	free(s.touch);
	free(s.epoch);
	free(s.order);
	return status;
}
