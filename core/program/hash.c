/*
 * hash.c - the state hash in a program: which arrays and tensors it covers, by what keys, and its sums.
 *
 * keys, sums: (arrays, rows, 2), a row for each tensor and then zeros up to a multiple of HLX_ALIGN bytes; array 0 is the parameters, the others are the optimizer's states; low words first.
 * A tensor's key in an array is that of its name there: "layer.3.fc.weight", "layer.3.fc.weight.m".
 */
#include <stdlib.h>
#include <string.h>

#include "core/program/build.h"
#include "core/numerics.h"
#include "core/registry/registry.h"

static uint64_t count_blocks(const struct hlx_graph *g)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < g->n_params; i++)
		n += (hlx_numel(&g->param[i].desc) + HLX_HASH_BLOCK - 1) / HLX_HASH_BLOCK;
	return n;
}

static struct hlx_desc table(uint32_t rank, uint64_t a, uint64_t b, uint64_t c)
{
	struct hlx_desc d = { .dtype = HLX_U32, .rank = rank, .dim = { a, b, c } };

	hlx_contiguous(&d);
	return d;
}

static uint64_t count_rows(const struct hlx_graph *g)
{
	const uint64_t aligned = HLX_ALIGN / 8;

	return (g->n_params + aligned - 1) / aligned * aligned;
}

static int add_cell(struct hlx_program *p, enum hlx_arena arena, uint64_t bytes, uint32_t *out)
{
	return hlx_program_add_cell(p, (struct hlx_cell){ .arena = arena, .bytes = bytes, .parent = HLX_NONE,
			.persistent = true }, out);
}

static int add_table(struct hlx_program *p, uint32_t node, const char *slot, enum hlx_arena arena, struct hlx_desc desc,
		uint32_t *cell)
{
	uint32_t s;

	HLX_TRY(hlx_build_slot(p->node[node].op, slot, &s));
	HLX_TRY(add_cell(p, arena, hlx_numel(&desc) * 4, cell));
	p->node[node].value[s] = *cell;
	p->node[node].desc[s] = desc;
	return 0;
}

static int add_array(struct hlx_program *p, uint32_t node, uint32_t a)
{
	char slot[16];
	uint32_t s;

	snprintf(slot, sizeof(slot), "array%u", a);
	HLX_TRY(hlx_build_slot(p->node[node].op, slot, &s));
	p->node[node].value[s] = a ? p->state_cell[a - 1] : p->weights_cell;
	p->node[node].desc[s] = (struct hlx_desc){ .dtype = HLX_F32, .rank = 1, .dim = { p->graph->arena }, .stride = { 1 } };
	return 0;
}

/* The sums are added up in the device's own memory and then copied to where the host reads fast: a GPU's memory, seen
 * through PCIe, is read some 32 bytes a microsecond. */
int hlx_build_hash(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;
	const struct hlx_op *op = hlx_registry_op_of_kind(g->registry, HLX_HASH);
	uint32_t node;

	if (!op)
		return hlx_fail(HLX_EPLUGIN, "no plugin brings an op that hashes the state");
	p->n_arrays = 1 + hlx_optimizer_states(g->registry, p->options.optimizer, p->state_name);
	HLX_TRY(hlx_build_add_node(p, op, op->name, &node));
	for (uint32_t a = 0; a < p->n_arrays; a++)
		HLX_TRY(add_array(p, node, a));
	HLX_TRY(add_table(p, node, "blocks", HLX_ARENA_PARAMETERS, table(2, count_blocks(g), 4, 0), &p->blocks_cell));
	HLX_TRY(add_table(p, node, "keys", HLX_ARENA_PARAMETERS, table(3, p->n_arrays, count_rows(g), 2), &p->keys_cell));
	HLX_TRY(add_table(p, node, "sums", HLX_ARENA_ACTIVATIONS, table(3, p->n_arrays, count_rows(g), 2), &p->sums_cell));
	HLX_TRY(add_cell(p, HLX_ARENA_RESULTS, p->cell[p->sums_cell].bytes, &p->result_cell));
	HLX_TRY(hlx_build_finish(p, node));
	return hlx_record_copy(p, node, p->result_cell, p->sums_cell);
}

/* ---- what the tables hold ---- */

static void fill_blocks(const struct hlx_graph *g, uint32_t (*block)[4])
{
	for (uint32_t i = 0; i < g->n_params; i++) {
		uint64_t n = hlx_numel(&g->param[i].desc), left;

		for (uint64_t e = 0; e < n; e += HLX_HASH_BLOCK, block++) {
			left = n - e;
			(*block)[0] = (uint32_t)((g->param[i].offset + e) / 64);
			(*block)[1] = (uint32_t)(left < HLX_HASH_BLOCK ? left : HLX_HASH_BLOCK);
			(*block)[2] = i;
			(*block)[3] = (uint32_t)(e / HLX_HASH_BLOCK);
		}
	}
}

static int fill_key(const char *path, const char *state, uint32_t key[2])
{
	char *name = malloc(strlen(path) + strlen(state) + 2); /* a name has no length limit */
	uint64_t k;

	if (!name)
		return hlx_no_memory();
	sprintf(name, "%s%s%s", path, *state ? "." : "", state);
	k = hlx_hash_key(name);
	key[0] = (uint32_t)k;
	key[1] = (uint32_t)(k >> 32);
	free(name);
	return 0;
}

static int fill_keys(const struct hlx_program *p, uint32_t (*key)[2])
{
	const struct hlx_graph *g = p->graph;

	for (uint32_t a = 0; a < p->n_arrays; a++)
		for (uint32_t i = 0; i < g->n_params; i++)
			HLX_TRY(fill_key(g->param[i].path, a ? p->state_name[a - 1] : "", key[a * count_rows(g) + i]));
	return 0;
}

int hlx_program_write_hash_tables(struct hlx_program *p)
{
	uint64_t blocks = count_blocks(p->graph), keys = p->n_arrays * count_rows(p->graph), at;
	uint32_t (*block)[4] = calloc(blocks + 1, sizeof(*block)), (*key)[2] = calloc(keys + 1, sizeof(*key));
	int status = block && key ? 0 : hlx_no_memory();
	const struct hlx_memory *m;

	if (status >= 0)
		status = fill_keys(p, key);
	if (status >= 0) {
		fill_blocks(p->graph, block);
		m = hlx_cell_memory(p, p->blocks_cell, &at);
		status = hlx_memory_write(p->dev, m, at, blocks * sizeof(*block), block);
	}
	if (status >= 0) {
		m = hlx_cell_memory(p, p->keys_cell, &at);
		status = hlx_memory_write(p->dev, m, at, keys * sizeof(*key), key);
	}
	free(block);
	free(key);
	return status;
}

/* ---- after a run ---- */

int hlx_program_hash(struct hlx_program *p, uint64_t *out)
{
	uint32_t n = p->graph->n_params, (*sums)[2];
	uint64_t rows = count_rows(p->graph);
	int status;

	if (!p->weights || (!p->n_arrays && n))
		return hlx_fail(HLX_EINVAL, "the program was not made to hash the state");
	if (!n)
		return 0;
	if (!(sums = malloc(p->n_arrays * rows * sizeof(*sums))))
		return hlx_no_memory();
	status = hlx_replay_get(p, p->result_cell, 0, p->n_arrays * rows * sizeof(*sums), sums);
	for (uint32_t i = 0; i < n && status >= 0; i++)
		for (uint32_t a = 0; a < p->n_arrays; a++)
			out[(uint64_t)i * p->n_arrays + a] = (uint64_t)sums[a * rows + i][1] << 32 | sums[a * rows + i][0];
	free(sums);
	return status;
}
