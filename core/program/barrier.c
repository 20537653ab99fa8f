/*
 * barrier.c - which steps must wait.  A step waits when it touches bytes that a step since the last barrier wrote, or
 * writes bytes that one touched; whose bytes they are is told by place in memory, since cells share it.  Tensors that lie
 * side by side in one cell, dq and dk in dqkv, do not wait for each other.  A phase begins with a command buffer, and that
 * with a barrier.
 */
#include <stdlib.h>

#include "core/program/program.h"

struct range {
	const struct hlx_prog_step *step;
	const struct hlx_access *access;
	uint64_t arena; /* arena and chunk */
	uint64_t begin, end;
};

struct pending {
	struct range *range;
	uint32_t n;
};

static struct range range_of(const struct hlx_program *p, const struct hlx_prog_step *s, const struct hlx_access *a)
{
	uint64_t at = a->offset;
	const struct hlx_cell *c = &p->cell[hlx_cell_root(p, a->cell, &at)];

	at += c->external || c->arena == HLX_ARENA_WEIGHTS || c->arena == HLX_ARENA_STATES ? 0 : c->offset;
	return (struct range){ s, a, (uint64_t)c->arena << 32 | c->chunk, at, at + a->range };
}

static bool conflicts(const struct hlx_program *p, const struct pending *since, const struct range *r)
{
	for (uint32_t i = 0; i < since->n; i++) {
		const struct range *o = &since->range[i];
		if (o->arena == r->arena && (o->access->write || r->access->write) && o->begin < r->end && r->begin < o->end &&
				!hlx_access_apart(p, o->step, o->access, r->step, r->access))
			return true;
	}
	return false;
}

static int mark(struct hlx_program *p, struct hlx_prog_step *s, struct pending *since)
{
	struct range *grown;

	s->barrier = s->kind == HLX_HOST_CALL; /* it runs between submissions */
	for (uint32_t i = 0; i < s->n_access && !s->barrier; i++) {
		struct range r = range_of(p, s, &s->access[i]);
		s->barrier = conflicts(p, since, &r);
	}
	if (s->barrier)
		since->n = 0;
	p->plan.barriers += s->barrier;
	for (uint32_t i = 0; i < s->n_access && s->kind != HLX_HOST_CALL; i++) {
		if (!(grown = hlx_grow(since->range, since->n, sizeof(*grown))))
			return HLX_ENOMEM;
		since->range = grown;
		since->range[since->n++] = range_of(p, s, &s->access[i]);
	}
	return 0;
}

int hlx_program_barriers(struct hlx_program *p)
{
	struct pending since = { 0 };
	int status = 0;

	for (uint32_t i = 0; i < p->n_steps && status >= 0; i++) {
		if (i && p->step[i].phase != p->step[i - 1].phase)
			since.n = 0;
		status = mark(p, &p->step[i], &since);
	}
	free(since.range);
	return status;
}
