/*
 * recompute.c - what a layer makes for itself is made a second time in the backward pass, and not kept until then.
 *
 *   forward    embed | layer 0 | layer 1 | head |
 *   backward   head | layer 1 again, layer 1 | layer 0 again, layer 0 | embed
 *
 * A cell is a layer's own when no step but the layer's touches it: its memory is free once the layer has run forward.
 * Before the layer's backward steps its forward steps come again, as they were recorded, with fresh cells (twins) for its
 * own; the backward steps then read those.  What nobody reads is not made again.  Everything else is kept as ever: what
 * enters a layer, what another layer or [head] reads, and what a step writes together with that.
 */
#include <stdlib.h>

#include "core/program/program.h"

#define SHARED (HLX_NONE - 1) /* touched by more than a layer */

struct layer { /* its steps, forward and backward: [begin, end) */
	uint32_t begin[2], end[2];
};

struct again {
	struct hlx_program *program;
	struct layer *layer;
	uint32_t n_layers;
	uint32_t *owner, *twin; /* by cell: a layer, SHARED or HLX_NONE; a cell or HLX_NONE */
	uint32_t *written;      /* by cell: 1 + the last step that wrote it, of those looked at so far */
	bool *needed, *live;    /* by cell; by step */
	struct hlx_prog_step *step;
	uint32_t n_steps;
};

/* The loss goes on from pass to pass, so it is made once, wherever it is wired. */
static uint32_t layer_of(const struct hlx_program *p, const struct hlx_prog_step *s)
{
	bool wired = s->phase == HLX_PHASE_PASS && s->node < p->graph->n_nodes && s->node != p->graph->loss;

	return wired ? p->graph->node[s->node]->layer : HLX_NONE;
}

static void find_layers(struct again *a)
{
	const struct hlx_program *p = a->program;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		uint32_t l = layer_of(p, &p->step[i]), b = p->step[i].backward;
		if (l == HLX_NONE)
			continue;
		if (!a->layer[l].end[b])
			a->layer[l].begin[b] = i;
		a->layer[l].end[b] = i + 1;
	}
}

static void find_owners(struct again *a)
{
	const struct hlx_program *p = a->program;

	for (uint32_t i = 0; i < p->n_steps; i++)
		for (uint32_t j = 0; j < p->step[i].n_access; j++) {
			uint32_t cell = p->step[i].access[j].cell, r = hlx_cell_root(p, cell, NULL), l = layer_of(p, &p->step[i]);
			bool own = l != HLX_NONE && r == cell && !p->cell[r].persistent && (a->owner[r] == HLX_NONE || a->owner[r] == l);
			a->owner[r] = own ? l : SHARED;
		}
}

/*
 * A step cannot be made again where it writes what is kept, or reads what has been written anew since; then what it
 * writes is kept, too, as what layernorm saves of the rows it writes for another layer.
 */
static bool is_fixed(const struct again *a, uint32_t step, uint32_t layer)
{
	const struct hlx_prog_step *s = &a->program->step[step];

	for (uint32_t j = 0; j < s->n_access; j++) {
		uint32_t r = hlx_cell_root(a->program, s->access[j].cell, NULL);
		if (a->owner[r] != layer && (s->access[j].write || a->written[r] > step + 1))
			return true;
	}
	return false;
}

/* True where that took a cell from the layer. */
static bool keep(struct again *a, uint32_t step, uint32_t layer)
{
	const struct hlx_prog_step *s = &a->program->step[step];
	bool changed = false;

	for (uint32_t j = 0; j < s->n_access; j++) {
		uint32_t r = hlx_cell_root(a->program, s->access[j].cell, NULL);
		if (s->access[j].write && a->owner[r] == layer) {
			a->owner[r] = SHARED;
			changed = true;
		}
	}
	return changed;
}

static void keep_all(struct again *a, uint32_t layer)
{
	const struct layer *l = &a->layer[layer];
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t i = l->begin[0]; i < l->end[0]; i++)
			if (layer_of(a->program, &a->program->step[i]) == layer && is_fixed(a, i, layer))
				changed |= keep(a, i, layer);
	}
}

static void need(struct again *a, uint32_t step, uint32_t layer)
{
	const struct hlx_prog_step *s = &a->program->step[step];

	for (uint32_t j = 0; j < s->n_access; j++)
		if (a->owner[s->access[j].cell] == layer)
			a->needed[s->access[j].cell] = true;
}

static bool is_needed(const struct again *a, uint32_t step, uint32_t layer)
{
	const struct hlx_prog_step *s = &a->program->step[step];

	for (uint32_t j = 0; j < s->n_access; j++)
		if (s->access[j].write && a->owner[s->access[j].cell] == layer && a->needed[s->access[j].cell])
			return true;
	return false;
}

/* From what the backward steps read back to what that is made of. */
static void find_live(struct again *a, uint32_t layer)
{
	const struct hlx_program *p = a->program;
	const struct layer *l = &a->layer[layer];

	for (uint32_t i = l->begin[1]; i < l->end[1]; i++)
		if (layer_of(p, &p->step[i]) == layer)
			need(a, i, layer);
	for (uint32_t i = l->end[0]; i-- > l->begin[0];)
		if (layer_of(p, &p->step[i]) == layer && is_needed(a, i, layer)) {
			a->live[i] = true;
			need(a, i, layer);
		}
}

static int append(struct again *a, const struct hlx_prog_step *s, bool again)
{
	struct hlx_prog_step *grown = hlx_grow(a->step, a->n_steps, sizeof(*grown));

	if (!grown)
		return HLX_ENOMEM;
	a->step = grown;
	grown[a->n_steps] = *s;
	grown[a->n_steps].again = again;
	for (uint32_t j = 0; j < s->n_access && (again || s->backward); j++)
		if (a->twin[s->access[j].cell] != HLX_NONE)
			grown[a->n_steps].access[j].cell = a->twin[s->access[j].cell];
	a->n_steps++;
	return 0;
}

static int add_twins(struct again *a, const struct hlx_prog_step *s, uint32_t layer)
{
	for (uint32_t j = 0; j < s->n_access; j++) {
		uint32_t cell = s->access[j].cell;
		if (a->owner[cell] == layer && a->twin[cell] == HLX_NONE)
			HLX_TRY(hlx_program_add_cell(a->program, a->program->cell[cell], &a->twin[cell]));
	}
	return 0;
}

static int make_again(struct again *a, uint32_t layer)
{
	const struct layer *l = &a->layer[layer];

	keep_all(a, layer);
	find_live(a, layer);
	for (uint32_t i = l->begin[0]; i < l->end[0]; i++)
		if (a->live[i]) {
			HLX_TRY(add_twins(a, &a->program->step[i], layer));
			HLX_TRY(append(a, &a->program->step[i], true));
		}
	return 0;
}

static int rewrite(struct again *a)
{
	const struct hlx_program *p = a->program;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct hlx_prog_step *s = &p->step[i];
		uint32_t l = layer_of(p, s);
		if (l != HLX_NONE && s->backward && a->layer[l].begin[1] == i)
			HLX_TRY(make_again(a, l));
		HLX_TRY(append(a, s, false));
		for (uint32_t j = 0; j < s->n_access; j++)
			if (s->access[j].write)
				a->written[hlx_cell_root(p, s->access[j].cell, NULL)] = i + 1;
	}
	return 0;
}

static int prepare(struct again *a)
{
	const struct hlx_program *p = a->program;
	const struct hlx_graph *g = p->graph;

	for (uint32_t i = 0; i < g->n_nodes; i++)
		if (g->node[i]->layer != HLX_NONE && g->node[i]->layer >= a->n_layers)
			a->n_layers = g->node[i]->layer + 1;
	a->layer = calloc(a->n_layers + 1, sizeof(*a->layer));
	a->owner = malloc((p->n_cells + 1) * sizeof(*a->owner));
	a->twin = malloc((p->n_cells + 1) * sizeof(*a->twin));
	a->written = calloc(p->n_cells + 1, sizeof(*a->written));
	a->needed = calloc(p->n_cells + 1, sizeof(*a->needed));
	a->live = calloc(p->n_steps + 1, sizeof(*a->live));
	if (!a->layer || !a->owner || !a->twin || !a->written || !a->needed || !a->live)
		return hlx_no_memory();
	for (uint32_t i = 0; i < p->n_cells; i++)
		a->owner[i] = a->twin[i] = HLX_NONE;
	return 0;
}

int hlx_program_recompute(struct hlx_program *p)
{
	struct again a = { .program = p };
	int status;

	if (!p->options.backward || p->options.recompute == HLX_RECOMPUTE_NONE)
		return 0;
	if ((status = prepare(&a)) >= 0) {
		find_layers(&a);
		find_owners(&a);
		status = rewrite(&a);
	}
	if (status >= 0) {
		free(p->step);
		p->step = a.step;
		p->n_steps = a.n_steps;
		a.step = NULL;
	}
	free(a.step);
	free(a.layer);
	free(a.owner);
	free(a.twin);
	free(a.written);
	free(a.needed);
	free(a.live);
	return status;
}
