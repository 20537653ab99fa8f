/*
 * passes.c - a step in micro-batches, to the bit as if it were made in one.
 *
 *   roots    | sums of a pass: of one slot, which several passes may go on with, or of several, added at the pass' end |
 *   level 0  | roots 0 | 2 | 4 ...        |   an arena is the parameters' partial sums, one run for each use, and the loss
 *   level 1  | roots 0 + 1 | 4 + 5 ...    |
 *   level 2  | roots (0 + 1) + (2 + 3) ...|   the last level: at the end of the step the final gradients
 *
 * The tree over the slots is P[i] += P[i + w], w = 1, 2, 4 ...: its nodes become complete in the order in which a binary
 * counter carries.  Root r adds level 0, 1 ... as long as r has the bits 1, 2 ... and is stored where the first 0 is.  So
 * log2(roots) + 1 arenas do, at most log2(S) + 1; with one root the final gradients lie where the sums were.
 */
#include "core/program/build.h"

#include <stdlib.h>
#include <string.h>

static uint64_t run_bytes(const struct hlx_desc *d)
{
	return hlx_slot_stride(d) * 4;
}

/* -- cells ------------------------------------------------------------------------------------------------- */

/* A parameter's first use lies where its final gradient does, further uses behind all of them, the loss last. */
static void place_uses(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;
	uint64_t at = g->arena * 4;

	for (uint32_t i = 0; i < g->n_params; i++) {
		p->further_use[i] = at;
		at += (g->param[i].n_uses - 1) * run_bytes(&g->param[i].desc);
	}
	p->further_use[g->n_params] = at;
}

static uint64_t root_offset(const struct hlx_program *p, uint32_t node, uint32_t slot)
{
	const struct hlx_graph *g = p->graph;
	uint32_t i = g->node[node]->param[slot], u = 0;

	if (!p->options.backward || i == HLX_NONE)
		return p->options.backward ? p->further_use[g->n_params] : 0;
	while (g->param[i].use[u].node != node || g->param[i].use[u].slot != slot)
		u++;
	return u ? p->further_use[i] + (u - 1) * run_bytes(&g->param[i].desc) : g->param[i].offset * 4;
}

static int check(const struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;

	if (g->loss == HLX_NONE || p->options.seed)
		return hlx_fail(HLX_EINVAL, "micro_batch: %s", g->loss == HLX_NONE ? "the graph has no loss to add up" :
				"a backward pass that starts from a tensor wants the whole batch");
	if (g->options.input_grads)
		return hlx_fail(HLX_EINVAL, "micro_batch: gradients of inputs want the whole batch");
	return 0;
}

int hlx_passes_cells(struct hlx_program *p)
{
	struct hlx_cell arena = { .arena = HLX_ARENA_GRADIENTS, .parent = HLX_NONE, .persistent = true }, final = arena;
	const struct hlx_graph *g = p->graph;
	uint32_t slot, storage;

	if (g->passes == 1)
		return 0;
	HLX_TRY(check(p));
	if (!(p->further_use = calloc(g->n_params + 1, sizeof(*p->further_use))))
		return hlx_no_memory();
	place_uses(p);
	HLX_TRY(hlx_build_loss_slot(p, &slot));
	arena.bytes = root_offset(p, g->loss, slot) + run_bytes(&g->node[g->loss]->desc[slot]);
	HLX_TRY(hlx_program_add_cell(p, arena, &p->roots_cell));
	while (g->roots >> (p->n_levels + 1))
		HLX_TRY(hlx_program_add_cell(p, arena, &p->level_cell[p->n_levels++]));
	if (g->options.slots == 1) { /* what the loss writes are the sums themselves */
		storage = g->tensor[g->node[g->loss]->tensor[slot]].storage;
		HLX_TRY(hlx_passes_root(p, g->loss, slot, &p->value_cell[storage]));
	}
	final.parent = p->n_levels ? p->level_cell[p->n_levels - 1] : p->roots_cell;
	final.bytes = g->arena * 4;
	return p->options.backward ? hlx_program_add_cell(p, final, &p->gradients_cell) : 0;
}

int hlx_passes_root(struct hlx_program *p, uint32_t node, uint32_t slot, uint32_t *out)
{
	return hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_GRADIENTS, .parent = p->roots_cell,
			.offset = root_offset(p, node, slot), .bytes = run_bytes(&p->graph->node[node]->desc[slot]),
			.persistent = true }, out);
}

int hlx_passes_input(struct hlx_program *p, uint32_t storage)
{
	const struct hlx_graph *g = p->graph;
	const struct hlx_tensor *t = g->tensor;

	p->batch_cell[storage] = HLX_NONE;
	if (g->passes == 1 || !g->storage[storage].input)
		return 0;
	while (t->storage != storage || t->producer != HLX_NONE)
		t++;
	for (uint32_t i = 1; i < t->desc.rank; i++)
		if (t->desc.axis[i] == HLX_BATCH)
			return hlx_fail(HLX_ENOTSUP, "micro_batch: input %s has the batch in dim %u, want it in dim 0", t->path, i);
	if (t->desc.axis[0] != HLX_BATCH)
		return 0;
	return hlx_program_add_cell(p, (struct hlx_cell){ .arena = HLX_ARENA_RESULTS, .parent = HLX_NONE, .persistent = true,
			.bytes = g->storage[storage].elements * 4 * g->passes }, &p->batch_cell[storage]);
}

/* -- steps ------------------------------------------------------------------------------------------------- */

bool hlx_passes_continue(const struct hlx_program *p)
{
	return p->graph->passes > p->graph->roots;
}

static int reduce_slot(struct hlx_program *p, uint32_t node, uint32_t slot, uint32_t *partial, uint32_t squares)
{
	struct hlx_reduction r = { .path = p->node[node].path, .desc = &p->graph->node[node]->desc[slot], .partial = *partial,
		.squares = squares, .slots = (uint32_t)p->graph->options.slots, .first = true };

	HLX_TRY(hlx_passes_root(p, node, slot, &r.out));
	*partial = r.out;
	return hlx_build_reduce(p, &r);
}

int hlx_passes_reduce(struct hlx_program *p, uint32_t node)
{
	const struct hlx_graph *g = p->graph;
	const struct hlx_graph_node *gn = g->node[node];
	uint32_t squares, partial;

	for (uint32_t s = 0; g->passes > 1 && g->options.slots > 1 && s < p->node[node].pub.n_slots; s++)
		if (gn->param[s] != HLX_NONE && p->node[node].grad[s] != HLX_NONE) {
			partial = p->node[node].grad[s];
			HLX_TRY(hlx_build_squares(p, gn->param[s], &squares));
			HLX_TRY(reduce_slot(p, node, s, &partial, squares));
			p->node[node].grad[s] = partial;
		}
	return 0;
}

int hlx_passes_begin(struct hlx_program *p)
{
	if (hlx_passes_continue(p)) { /* +0 + r is r, so a slot's first pass may go on from what is there, too */
		p->phase = HLX_PHASE_ZERO;
		HLX_TRY(hlx_record_zero(p, p->graph->loss, p->roots_cell));
	}
	p->phase = HLX_PHASE_PASS;
	return 0;
}

int hlx_passes_reduce_loss(struct hlx_program *p)
{
	struct hlx_cell scratch = { .arena = HLX_ARENA_ACTIVATIONS, .bytes = HLX_ALIGN, .parent = HLX_NONE };
	uint32_t slot, squares, partial;

	if (p->graph->passes == 1 || p->graph->options.slots == 1)
		return 0;
	HLX_TRY(hlx_build_loss_slot(p, &slot));
	HLX_TRY(hlx_program_add_cell(p, scratch, &squares));
	partial = p->node[p->graph->loss].value[slot];
	return reduce_slot(p, p->graph->loss, slot, &partial, squares);
}

static int build_add(struct hlx_program *p, uint32_t level)
{
	const uint64_t n = p->cell[p->roots_cell].bytes / 4;
	const struct hlx_desc all = { .dtype = HLX_F32, .rank = 1, .dim = { n }, .stride = { 1 } };
	struct hlx_cell scratch = { .arena = HLX_ARENA_ACTIVATIONS, .bytes = (n / 1024 + 1) * 4, .parent = HLX_NONE };
	struct hlx_reduction r = { .path = "micro_batch", .desc = &all, .partial = p->level_cell[level], .out = p->roots_cell,
		.slots = 1 };

	HLX_TRY(hlx_program_add_cell(p, scratch, &r.squares));
	return hlx_build_reduce(p, &r);
}

int hlx_passes_join(struct hlx_program *p)
{
	if (p->graph->passes == 1)
		return 0;
	for (uint32_t l = 0; l < p->n_levels; l++) {
		p->phase = (uint8_t)(HLX_PHASE_STORE + l);
		HLX_TRY(hlx_record_copy(p, p->graph->loss, p->level_cell[l], p->roots_cell));
	}
	for (uint32_t l = 0; l < p->n_levels; l++) {
		p->phase = (uint8_t)(HLX_PHASE_ADD + l);
		HLX_TRY(build_add(p, l));
	}
	p->phase = HLX_PHASE_END;
	return hlx_build_reduce_loss(p);
}

int hlx_passes_clear(struct hlx_program *p, uint32_t node, uint32_t param, uint32_t *partial)
{
	const struct hlx_param *q = &p->graph->param[param];
	struct hlx_cell c = { .arena = HLX_ARENA_ACTIVATIONS, .bytes = run_bytes(&q->desc), .parent = HLX_NONE };
	uint32_t cell, from = *partial;

	if (p->graph->passes == 1)
		return 0;
	if (!p->n_levels && p->cell[from].offset == q->offset * 4) {
		HLX_TRY(hlx_program_add_cell(p, c, partial));
		HLX_TRY(hlx_record_copy(p, node, *partial, from));
	}
	if (c.bytes == hlx_numel(&q->desc) * 4)
		return 0;
	c = (struct hlx_cell){ .arena = HLX_ARENA_GRADIENTS, .bytes = c.bytes, .parent = p->gradients_cell,
		.offset = q->offset * 4, .persistent = true };
	HLX_TRY(hlx_program_add_cell(p, c, &cell)); /* the optimizer sees what lies between tensors, too */
	return hlx_record_zero(p, node, cell);
}

uint32_t hlx_passes_times(const struct hlx_program *p, uint8_t phase)
{
	if (phase == HLX_PHASE_PASS)
		return p->graph->passes;
	if (phase == HLX_PHASE_ZERO)
		return p->graph->roots;
	if (phase == HLX_PHASE_END)
		return 1;
	return p->graph->roots >> ((phase - (phase < HLX_PHASE_STORE ? HLX_PHASE_ADD : HLX_PHASE_STORE)) + 1);
}

/* -- running ----------------------------------------------------------------------------------------------- */

static void load_inputs(struct hlx_program *p, uint32_t pass)
{
	for (uint32_t i = 0; i < p->graph->n_storages; i++) {
		uint64_t bytes = p->graph->storage[i].elements * 4, from, to;
		const struct hlx_memory *all, *here;
		if (p->batch_cell[i] == HLX_NONE)
			continue;
		all = hlx_cell_memory(p, p->batch_cell[i], &from);
		here = hlx_cell_memory(p, p->value_cell[i], &to);
		memcpy(here->map + to, all->map + from + pass * bytes, bytes);
	}
}

static int carry(struct hlx_program *p, uint32_t root, const struct hlx_step *step)
{
	uint8_t l = 0;

	for (; root >> l & 1; l++)
		HLX_TRY(hlx_replay_phase(p, HLX_PHASE_ADD + l, step));
	return root + 1 < p->graph->roots ? hlx_replay_phase(p, HLX_PHASE_STORE + l, step) : 0;
}

static int queue_pass(struct hlx_program *p, uint32_t pass, const struct hlx_step *step)
{
	uint32_t each = p->graph->passes / p->graph->roots; /* passes a root */

	HLX_TRY(hlx_replay_write(p, step));
	if (pass % each == 0)
		HLX_TRY(hlx_replay_phase(p, HLX_PHASE_ZERO, step));
	HLX_TRY(hlx_replay_phase(p, HLX_PHASE_PASS, step));
	return pass % each == each - 1 ? carry(p, pass / each, step) : 0;
}

int hlx_passes_start(struct hlx_program *p, const struct hlx_step *step)
{
	const struct hlx_graph *g = p->graph;
	struct hlx_step one = *step;

	for (uint32_t i = 0; g->passes > 1 && i < g->passes; i++) {
		one.n_seq = (uint32_t)g->options.batch;
		one.seq0 = step->seq0 + i * one.n_seq;
		load_inputs(p, i);
		HLX_TRY(queue_pass(p, i, &one));
		HLX_TRY(hlx_replay_submit(p));
	}
	if (g->passes == 1) {
		HLX_TRY(queue_pass(p, 0, step));
	} else {
		HLX_TRY(hlx_replay_write(p, step));
		HLX_TRY(hlx_replay_phase(p, HLX_PHASE_END, step));
	}
	return hlx_replay_send(p);
}
