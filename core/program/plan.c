/*
 * plan.c - where every cell lives.
 *
 *   arena      chunk 0                          chunk 1
 *   | persistent cells | transient cells ... |  | ...      no cell crosses a chunk's end
 *
 * Two transient cells share bytes when no step needs both.  The biggest are placed first, each in the lowest gap between
 * those whose lifetimes meet its own.  A chunk is one allocation: devices limit its size.  Of the arenas that the host
 * touches each lane has its own chunks, laid out alike.
 */
#include <stdlib.h>
#include <string.h>

#include "core/program/program.h"

uint32_t hlx_program_lanes(const struct hlx_program *p)
{
	return p->options.in_flight ? p->options.in_flight : 1;
}

static bool is_of_lane(enum hlx_arena arena)
{
	return arena == HLX_ARENA_PARAMETERS || arena == HLX_ARENA_RESULTS;
}

/* The chunks of an arena are there so many times. */
static uint32_t times(const struct hlx_program *p, enum hlx_arena arena)
{
	return is_of_lane(arena) ? hlx_program_lanes(p) : 1;
}

static uint64_t padded(uint64_t bytes)
{
	return (bytes + HLX_ALIGN - 1) / HLX_ALIGN * HLX_ALIGN;
}

/* A cell that has its place: beside the others in one array, since a model has tens of thousands to look through. */
struct placed {
	uint64_t begin, end;
	uint32_t first, last;
};

static bool is_placed_here(const struct hlx_cell *c)
{
	return c->parent == HLX_NONE && c->arena != HLX_ARENA_WEIGHTS && c->arena != HLX_ARENA_STATES &&
		(c->persistent || c->first != HLX_NONE) && c->bytes;
}

static uint64_t chunk_size(const struct hlx_program *p)
{
	uint64_t most = p->dev->max_allocation > HLX_ALIGN ? p->dev->max_allocation - HLX_ALIGN : 0;

	return most < (2ull << 30) ? most : 2ull << 30;
}

/* The lowest place from `at` on where bytes do not cross a chunk's end; *end: of the chunk of a place further down. */
static uint64_t in_chunk(uint64_t at, uint64_t bytes, uint64_t chunk, uint64_t *end)
{
	for (; at + bytes > *end; *end += chunk)
		at = at > *end ? at : *end;
	return at;
}

static void insert(struct placed *placed, uint32_t n, struct placed new)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (placed[middle].begin > new.begin)
			high = middle;
		else
			low = middle + 1;
	}
	memmove(placed + low + 1, placed + low, (n - low) * sizeof(*placed));
	placed[low] = new;
}

static uint64_t size_of_order(const struct hlx_cell *c)
{
	return c->persistent ? UINT64_MAX : c->bytes;
}

/* Persistent first, then by size; ties in the order they were made, so that a plan is one and the same. */
static void sort(const struct hlx_program *p, uint32_t *order, uint32_t n)
{
	for (uint32_t gap = n / 2; gap; gap /= 2)
		for (uint32_t i = gap; i < n; i++) {
			uint32_t c = order[i], j = i;
			uint64_t size = size_of_order(&p->cell[c]);
			while (j >= gap && (size_of_order(&p->cell[order[j - gap]]) < size ||
					(size_of_order(&p->cell[order[j - gap]]) == size && order[j - gap] > c))) {
				order[j] = order[j - gap];
				j -= gap;
			}
			order[j] = c;
		}
}

/* placed: the cells of this arena so far, by offset. */
static int place(struct hlx_program *p, uint32_t index, struct placed *placed, uint32_t n, uint64_t chunk)
{
	struct hlx_cell *c = &p->cell[index];
	uint64_t need = padded(c->bytes), at = 0, end = chunk;
	uint32_t first = c->persistent ? 0 : c->first, last = c->persistent ? UINT32_MAX : c->last;

	if (need > chunk)
		return hlx_fail(HLX_ENOMEM, "one tensor of %llu MiB: %s allocates at most %llu MiB at once",
				(unsigned long long)need >> 20, p->dev->info.name, (unsigned long long)chunk >> 20);
	for (uint32_t i = 0; i < n; i++) {
		const struct placed *o = &placed[i];
		if (o->begin >= at + need)
			break; /* sorted: nothing further on is in the way */
		if (o->end > at && o->first <= last && first <= o->last)
			at = in_chunk(o->end, need, chunk, &end);
	}
	c->offset = at;
	insert(placed, n, (struct placed){ at, at + need, first, last });
	return 0;
}

/* What a chunk must hold: cells that do not cross chunks leave gaps at their ends, which cost nothing. */
static uint64_t chunk_bytes(const struct hlx_program *p, enum hlx_arena arena, uint32_t chunk)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < p->n_cells; i++) {
		const struct hlx_cell *c = &p->cell[i];
		if (is_placed_here(c) && c->arena == arena && c->chunk == chunk && c->offset + padded(c->bytes) > end)
			end = c->offset + padded(c->bytes);
	}
	return end;
}

static int place_all(struct hlx_program *p, uint32_t *order, struct placed *placed)
{
	uint64_t chunk = chunk_size(p) / HLX_ALIGN * HLX_ALIGN;

	for (int arena = 0; arena < HLX_ARENA_COUNT; arena++) {
		uint32_t n = 0;
		for (uint32_t i = 0; i < p->n_cells; i++)
			if (is_placed_here(&p->cell[i]) && p->cell[i].arena == (enum hlx_arena)arena)
				order[n++] = i;
		sort(p, order, n);
		for (uint32_t i = 0; i < n; i++)
			HLX_TRY(place(p, order[i], placed, i, chunk));
		for (uint32_t i = 0; i < n; i++) {
			struct hlx_cell *c = &p->cell[order[i]];
			c->chunk = (uint32_t)(c->offset / chunk);
			c->offset %= chunk;
			if (c->chunk >= p->n_planned[arena])
				p->n_planned[arena] = c->chunk + 1;
		}
		for (uint32_t i = 0; i < p->n_planned[arena]; i++)
			p->arena_bytes[arena] += chunk_bytes(p, (enum hlx_arena)arena, i);
	}
	return 0;
}

static void count(struct hlx_program *p)
{
	struct hlx_plan_info *i = &p->plan;
	uint32_t states = 0;

	for (uint32_t c = 0; c < p->n_cells; c++)
		states += p->cell[c].arena == HLX_ARENA_STATES && p->cell[c].parent == HLX_NONE;
	*i = (struct hlx_plan_info){ .weights = p->graph->arena * 4, .states = p->graph->arena * 4 * states,
		.gradients = p->arena_bytes[HLX_ARENA_GRADIENTS], .activations = p->arena_bytes[HLX_ARENA_ACTIVATIONS],
		.parameters = hlx_program_lanes(p) * (p->arena_bytes[HLX_ARENA_PARAMETERS] + p->arena_bytes[HLX_ARENA_RESULTS]),
		.available = hlx_memory_available(p->dev), .steps = p->n_steps };
	i->passes = p->graph->passes;
	i->arenas = !p->options.backward ? 0 : p->n_levels + 1;
	i->sums = !p->options.backward ? 0 : i->passes == 1 ? p->cell[p->gradients_cell].bytes :
		i->arenas * p->cell[p->roots_cell].bytes;
	for (uint32_t n = 0; n < p->graph->n_nodes; n++)
		i->fused += (p->node[n].done_by[0] != HLX_NONE) + (p->node[n].done_by[1] != HLX_NONE);
	i->total = i->weights + i->states + i->gradients + i->activations + i->parameters;
	for (uint32_t s = 0; s < p->n_steps; s++) {
		i->dispatches += p->step[s].kind == HLX_DISPATCH;
		i->again += p->step[s].kind == HLX_DISPATCH && p->step[s].again;
	}
}

static int keep(struct hlx_program *p)
{
	for (const char *const *k = p->options.keep; k && *k; k++) {
		int t = hlx_graph_find_tensor(p->graph, *k);
		uint32_t s;
		if (t < 0 && hlx_graph_find_param(p->graph, *k) >= 0)
			continue; /* kept anyway */
		if (t < 0)
			return hlx_fail(HLX_EINVAL, "no tensor %s to keep", *k);
		s = p->graph->tensor[t].storage;
		p->cell[p->value_cell[s]].persistent = true;
		if (p->grad_cell[s] != HLX_NONE && p->cell[p->grad_cell[s]].first != HLX_NONE)
			p->cell[p->grad_cell[s]].persistent = true;
	}
	return 0;
}

int hlx_program_layout(struct hlx_program *p)
{
	uint32_t *order = calloc((size_t)p->n_cells + 1, sizeof(*order));
	struct placed *placed = calloc((size_t)p->n_cells + 1, sizeof(*placed));
	int status = order && placed ? keep(p) : hlx_no_memory();

	if (status >= 0)
		status = place_all(p, order, placed);
	free(order);
	free(placed);
	if (status >= 0)
		count(p);
	return status;
}

static int check_budget(const struct hlx_program *p)
{
	const struct hlx_plan_info *i = &p->plan;
	uint64_t need = i->total - i->weights - i->states; /* those stand already */

	if (need <= i->available)
		return 0;
	return hlx_fail(HLX_ENOMEM, "the model does not fit: it needs %llu MiB, %s has %llu MiB free (a smaller "
			"micro_batch helps; hlxt plan shows what takes the room)", (unsigned long long)need >> 20, p->dev->info.name,
			(unsigned long long)i->available >> 20);
}

int hlx_program_allocate(struct hlx_program *p)
{
	HLX_TRY(check_budget(p));
	for (int a = 0; a < HLX_ARENA_COUNT; a++) {
		enum hlx_memory_use use = a == HLX_ARENA_PARAMETERS ? HLX_MEMORY_SHARED :
			a == HLX_ARENA_RESULTS ? HLX_MEMORY_CACHED : HLX_MEMORY_LOCAL;
		uint32_t n = p->n_planned[a] * times(p, (enum hlx_arena)a);
		if (!n)
			continue;
		if (!(p->chunk[a] = calloc(n, sizeof(*p->chunk[a]))))
			return hlx_no_memory();
		for (uint32_t i = 0; i < n; i++) {
			HLX_TRY(hlx_memory_create(p->dev, chunk_bytes(p, (enum hlx_arena)a, i % p->n_planned[a]), use,
					&p->chunk[a][i]));
			p->n_chunks[a] = i + 1;
		}
	}
	return 0;
}

uint32_t hlx_cell_root(const struct hlx_program *p, uint32_t cell, uint64_t *offset)
{
	for (; p->cell[cell].parent != HLX_NONE; cell = p->cell[cell].parent)
		if (offset)
			*offset += p->cell[cell].offset;
	return cell;
}

bool hlx_cell_is_of_lane(const struct hlx_program *p, uint32_t cell)
{
	const struct hlx_cell *c = &p->cell[hlx_cell_root(p, cell, NULL)];

	return !c->external && is_of_lane(c->arena);
}

const struct hlx_memory *hlx_lane_memory(const struct hlx_program *p, uint32_t lane, uint32_t cell, uint64_t *offset)
{
	const struct hlx_cell *c;

	*offset = 0;
	c = &p->cell[hlx_cell_root(p, cell, offset)];
	if (c->external)
		return c->external;
	*offset += c->offset;
	return &p->chunk[c->arena][c->chunk + (is_of_lane(c->arena) ? lane * p->n_planned[c->arena] : 0)];
}

const struct hlx_memory *hlx_cell_memory(const struct hlx_program *p, uint32_t cell, uint64_t *offset)
{
	return hlx_lane_memory(p, p->next, cell, offset);
}
