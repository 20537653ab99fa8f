/*
 * schedule.c - which steps run at once.
 *
 *   as built   dX dW | reduce dW | gelu | dX' dW' | reduce dW' |      five barriers
 *   here       dX | gelu, dW | reduce dW, dX' | ...                   three
 *
 * A step behind a barrier costs 2.3 us on an H100, one beside another 0.24, and small ones leave most of a big card
 * idle.  So the steps are gathered into epochs: what depends on nothing that still waits joins the running epoch, unless
 * what waits for it is at least two epochs further on: then it joins the next one, behind what that has.  For large products
 * side by side gain nothing on a big card (tiny's dX and dW on an H200: 56 us, one after the other 57), but the one that is
 * not waited for hides the small steps between those that are.
 * Only a window of steps is looked at, so that memory is not held long before it is needed.  Dependencies are those of
 * cells, and of tensors in one; where cells share memory is laid out afterwards, by epochs: cells of one epoch share nothing.
 */
#include <stdlib.h>

#include "core/program/program.h"

#define WINDOW 24u /* the steps of two or three nodes' backward passes */
#define HORIZON 96u /* steps: what waits for a step further on than that can wait */
#define LONG (64ull << 20) /* bytes: a step that touches more hides nothing by waiting, and what it holds is much */

struct touch { /* bytes of a cell that is no slice */
	uint32_t cell;
	bool write;
	uint64_t begin, end;
};

struct schedule {
	const struct hlx_program *program;
	struct touch (*touch)[HLX_MAX_BINDINGS]; /* by step */
	uint32_t *behind;                        /* by step: how many wait for one another and it, within the horizon */
	bool *put_off;                           /* by step: was ready for an epoch before */
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
			if (x->cell == y->cell && (x->write || y->write) && x->begin < y->end && y->begin < x->end &&
					!hlx_access_apart(s->program, &step[a], &step[a].access[i], &step[b], &step[b].access[j]))
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

/* At least one more than of any that waits for it: a long way behind a step means that it is to run soon. */
static void count_behind(struct schedule *s, uint32_t first, uint32_t n)
{
	for (uint32_t i = n; i-- > first;)
		for (uint32_t j = i + 1; j < n && j <= i + HORIZON; j++)
			if (s->behind[j] >= s->behind[i] && conflicts(s, i, j))
				s->behind[i] = s->behind[j] + 1;
}

/* Bound twice, counted once. */
static bool is_long(const struct hlx_prog_step *s)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0, j; i < s->n_access; i++) {
		for (j = 0; j < i && (s->access[j].cell != s->access[i].cell || s->access[j].offset != s->access[i].offset); j++)
			;
		bytes += j == i ? s->access[i].range : 0;
	}
	return bytes > LONG;
}

/* Fills ready with those of the window that could join the epoch; how many there are. */
static uint32_t find_ready(const struct schedule *s, uint32_t first, uint32_t n, uint32_t epoch, uint32_t ready[WINDOW])
{
	uint32_t count = 0;

	for (uint32_t i = first; i < n && i < first + WINDOW; i++)
		if (s->epoch[i] == HLX_NONE && is_ready(s, first, i, epoch))
			ready[count++] = i;
	return count;
}

/* A ready step, once.  most: behind any that is ready. */
static bool is_put_off(struct schedule *s, uint32_t step, uint32_t most)
{
	bool again = s->put_off[step], saves = s->program->options.recompute != HLX_RECOMPUTE_NONE; /* memory, for time */

	s->put_off[step] = true;
	return !again && !saves && s->behind[step] + 2 <= most && !is_long(&s->program->step[step]);
}

/* Those of the ready steps that are not put off, in front those that never were; the end of order. */
static uint32_t place(struct schedule *s, const uint32_t *ready, uint32_t n, uint32_t epoch, uint32_t placed)
{
	uint32_t last[WINDOW], n_last = 0, most = 0;

	for (uint32_t i = 0; i < n; i++)
		most = s->behind[ready[i]] > most ? s->behind[ready[i]] : most;
	for (uint32_t i = 0; i < n; i++) {
		bool was = s->put_off[ready[i]];
		if (is_put_off(s, ready[i], most))
			continue;
		s->epoch[ready[i]] = epoch;
		if (was)
			last[n_last++] = ready[i];
		else
			s->order[placed++] = ready[i];
	}
	for (uint32_t i = 0; i < n_last; i++)
		s->order[placed++] = last[i];
	return placed;
}

/* Fills epoch and order of steps first to n - 1, with epochs from `epoch` on; the one after the last. */
static uint32_t assign(struct schedule *s, uint32_t first, uint32_t n, uint32_t epoch)
{
	uint32_t placed = first, ready[WINDOW];

	for (uint32_t i = first; i < n; i++)
		s->epoch[i] = HLX_NONE;
	count_behind(s, first, n);
	for (; first < n; epoch++) {
		placed = place(s, ready, find_ready(s, first, n, epoch, ready), epoch, placed);
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

/* Epoch by epoch. */
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
		calloc(p->n_steps + 1, sizeof(*s.put_off)), calloc(p->n_steps + 1, 4), calloc(p->n_steps + 1, 4) };
	int status = s.touch && s.behind && s.put_off && s.epoch && s.order ? 0 : hlx_no_memory();

	for (uint32_t i = 0; status >= 0 && i < p->n_steps; i++)
		for (uint32_t j = 0; j < p->step[i].n_access; j++)
			s.touch[i][j] = touch_of(p, &p->step[i].access[j]);
	if (status >= 0) {
		assign_all(&s);
		status = reorder(p, &s);
	}
	free(s.touch);
	free(s.behind);
	free(s.put_off);
	free(s.epoch);
	free(s.order);
	return status;
}
