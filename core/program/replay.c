/*
 * replay.c - running: what was recorded is submitted, again and again, its lanes in turns.
 *
 *   lane 0   | write, start 1 |  1 runs   | wait, read |  write, start 3  |    3 runs   |
 *   lane 1   |                | write, start 2 |    2 runs       | wait, read |  write, start 4  |
 *
 * Runs follow each other on one queue, each behind a barrier: only what the host writes and reads has to be there twice.
 */
#include <stdlib.h>
#include <string.h>

#include "core/numerics.h"
#include "core/program/program.h"

/* Fields of the step that every kernel may read, and each op's own scalars behind a copy of them. */
int hlx_replay_write(struct hlx_program *p, const struct hlx_step *step)
{
	uint64_t at;
	const struct hlx_memory *m = hlx_cell_memory(p, p->steps_cell, &at);

	memcpy(m->map + at, step, sizeof(*step));
	for (uint32_t i = 0; i < p->n_nodes; i++) {
		const struct hlx_prog_node *n = &p->node[i];
		unsigned char scalars[HLX_STEP_ROOM] = { 0 };
		if (!n->impl || !n->impl->step)
			continue;
		if (n->impl->step(&n->pub, step, scalars, sizeof(scalars)) > sizeof(scalars))
			return hlx_fail(HLX_EPLUGIN, "%s (%s/%s): step() wrote past its %u bytes", n->path, n->op->name,
					n->impl->name, HLX_STEP_ROOM);
		memcpy(m->map + at + n->step_offset, step, sizeof(*step));
		memcpy(m->map + at + n->step_offset + sizeof(*step), scalars, sizeof(scalars));
	}
	return 0;
}

struct borrowed { /* a window of device memory, as the host sees it */
	const struct hlx_memory *memory;
	uint64_t at;
	void *data;
};

static int borrow(struct hlx_program *p, const struct hlx_access *a, struct borrowed *b)
{
	b->memory = hlx_cell_memory(p, a->cell, &b->at);
	b->at += a->offset;
	if (b->memory->map) {
		b->data = b->memory->map + b->at;
		return 0;
	}
	if (!(b->data = malloc(a->range)))
		return hlx_no_memory();
	return hlx_memory_read(p->dev, b->memory, b->at, a->range, b->data);
}

static int give_back(struct hlx_program *p, const struct hlx_access *a, struct borrowed *b, bool write)
{
	int status = 0;

	if (!b->memory || b->memory->map || !b->data)
		return 0;
	if (write && a->write)
		status = hlx_memory_write(p->dev, b->memory, b->at, a->range, b->data);
	free(b->data);
	return status;
}

static int call_host(struct hlx_program *p, const struct hlx_prog_step *s, const struct hlx_step *step)
{
	struct borrowed b[HLX_MAX_BINDINGS] = { { 0 } };
	void *data[HLX_MAX_BINDINGS];
	struct hlx_fpenv env;
	int status = 0, back;

	for (uint32_t i = 0; i < s->n_access && status >= 0; i++) {
		status = borrow(p, &s->access[i], &b[i]);
		data[i] = b[i].data;
	}
	if (status >= 0) {
		hlx_fpenv_enter(&env);
		if (s->fn(s->ctx, data, step) < 0)
			status = hlx_prefix(HLX_EPLUGIN, "%s: host call: ", p->node[s->node].path);
		hlx_fpenv_restore(&env);
	}
	for (uint32_t i = 0; i < s->n_access; i++)
		if ((back = give_back(p, &s->access[i], &b[i], status >= 0)) < 0)
			status = back;
	return status;
}

int hlx_replay_send(struct hlx_program *p)
{
	uint32_t n = p->n_queued;

	p->n_queued = 0;
	return hlx_device_send(p->dev, p->queue, n);
}

int hlx_replay_submit(struct hlx_program *p)
{
	HLX_TRY(hlx_replay_send(p));
	return hlx_device_wait(p->dev);
}

int hlx_replay_phase(struct hlx_program *p, uint8_t phase, const struct hlx_step *step)
{
	uint32_t cmd = 0;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		bool begins = cmd < p->n_cmds && p->cmd_first[cmd] == i;
		if (p->step[i].phase == phase && begins)
			p->queue[p->n_queued++] = p->lane[p->next].cmd[cmd];
		cmd += begins;
		if (p->step[i].phase != phase || p->step[i].kind != HLX_HOST_CALL)
			continue;
		HLX_TRY(hlx_replay_submit(p));
		HLX_TRY(call_host(p, &p->step[i], step));
	}
	return 0;
}

int hlx_program_start(struct hlx_program *p, const struct hlx_step *step)
{
	const uint32_t lanes = hlx_program_lanes(p);
	struct hlx_lane *lane;
	int status;

	if (!p->weights)
		return hlx_fail(HLX_EINVAL, "the program is a plan only: it has no memory");
	lane = &p->lane[p->next];
	HLX_TRY(hlx_device_wait_for(p->dev, lane->sent)); /* what its kernels read is about to change */
	p->under_way -= p->under_way == lanes;            /* and its results with it */
	p->n_queued = 0;                                  /* of a run that failed */
	status = hlx_passes_start(p, step);
	lane->sent = p->dev->timeline_value;              /* of one that fails, too */
	HLX_TRY(status);
	p->under_way++;
	p->next = (p->next + 1) % lanes;
	return 0;
}

int hlx_program_wait(struct hlx_program *p)
{
	const uint32_t lanes = hlx_program_lanes(p), oldest = (p->next + lanes - p->under_way) % lanes;

	if (!p->under_way)
		return 0;
	HLX_TRY(hlx_device_wait_for(p->dev, p->lane[oldest].sent));
	p->landed = oldest;
	p->under_way--;
	return 0;
}

int hlx_program_run(struct hlx_program *p, const struct hlx_step *step)
{
	HLX_TRY(hlx_program_start(p, step));
	return hlx_program_wait(p);
}

/* -- what goes in and comes out ---------------------------------------------------------------------------- */

int hlx_replay_put(struct hlx_program *p, uint32_t cell, uint64_t offset, uint64_t bytes, const void *in)
{
	uint64_t at;
	const struct hlx_memory *m = hlx_cell_memory(p, cell, &at);

	if (!hlx_cell_is_of_lane(p, cell))
		return hlx_memory_write(p->dev, m, at + offset, bytes, in);
	HLX_TRY(hlx_device_wait_for(p->dev, p->lane[p->next].sent));
	memcpy(m->map + at + offset, in, bytes);
	return 0;
}

int hlx_replay_get(struct hlx_program *p, uint32_t cell, uint64_t offset, uint64_t bytes, void *out)
{
	uint64_t at;
	const struct hlx_memory *m = hlx_lane_memory(p, p->landed, cell, &at);

	if (!hlx_cell_is_of_lane(p, cell))
		return hlx_memory_read(p->dev, m, at + offset, bytes, out);
	HLX_TRY(hlx_device_wait_for(p->dev, p->lane[p->landed].sent));
	memcpy(out, m->map + at + offset, bytes);
	return 0;
}
