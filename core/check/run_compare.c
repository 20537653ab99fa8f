/* run_compare.c - what a graph on the device made, against what the references did. */
#include "core/check/run_graph.h"

#include <stdlib.h>
#include <xxhash.h>

#include "hlx/math.h"

uint64_t hlx_run_padding(const struct hlx_program *p, uint32_t cell)
{
	return (HLX_ALIGN - p->cell[cell].bytes % HLX_ALIGN) % HLX_ALIGN;
}

static void compare(struct hlx_run *r, const char *path, const char *kind, const float *got, const float *want, uint64_t n)
{
	enum hlx_tier tier = r->bench->impl->tier;
	float most = hlx_data_largest(want, n);
	uint64_t at = n, bad = 0;

	r->digest = XXH64(got, n * sizeof(*got), r->digest);
	for (uint64_t i = n; i-- > 0;)
		if (!hlx_data_near(hlx_bits(got[i]), hlx_bits(want[i]), most, tier)) {
			at = i;
			bad++;
		}
	if (at < n)
		hlx_check_complain(r->bench, r->id, r->c, r->what, "%s of %s: element %llu of %llu is %08x (%g), want %08x (%g); %llu differ",
				kind, path, (unsigned long long)at, (unsigned long long)n, hlx_bits(got[at]), (double)got[at],
				hlx_bits(want[at]), (double)want[at], (unsigned long long)bad);
}

static int compare_tensor(struct hlx_run *r, const char *path, int what, const float *want, uint64_t n)
{
	float *got = malloc((n ? n : 1) * 4);
	int status = got ? hlx_program_read(r->program, path, what, 0, n, got) : hlx_no_memory();

	if (status >= 0)
		compare(r, path, what == HLX_GRAD ? "gradient" : "value", got, want, n);
	free(got);
	return status;
}

/* Nobody writes past a tensor's end. */
static int compare_padding(struct hlx_run *r, const char *path, uint32_t cell)
{
	unsigned char bytes[HLX_ALIGN];
	uint64_t at, n = hlx_run_padding(r->program, cell);
	const struct hlx_memory *m = hlx_cell_memory(r->program, cell, &at);

	HLX_TRY(hlx_memory_read(r->program->dev, m, at + r->program->cell[cell].bytes, n, bytes));
	for (uint64_t i = 0; i < n; i++)
		if (bytes[i] != HLX_RUN_POISON) {
			hlx_check_complain(r->bench, r->id, r->c, r->what, "byte %llu past the end of %s was written", (unsigned long long)i,
					path);
			break;
		}
	return 0;
}

static int compare_inputs(struct hlx_run *r)
{
	struct hlx_program *p = r->program;

	for (uint32_t i = 0; i < r->c->n_in; i++) {
		const char *path = r->c->in[i].name;
		uint64_t n = hlx_numel(&r->c->in[i].desc);
		uint32_t s = r->graph->tensor[hlx_graph_find_tensor(r->graph, path)].storage;
		HLX_TRY(compare_tensor(r, path, HLX_VALUE, hlx_walk_value(r->walk, path), n));
		HLX_TRY(compare_padding(r, path, p->value_cell[s]));
		if (r->c->in[i].desc.dtype != HLX_F32 || !r->backward || p->cell[p->grad_cell[s]].first == HLX_NONE)
			continue;
		HLX_TRY(compare_tensor(r, path, HLX_GRAD, hlx_walk_grad(r->walk, path), n));
		HLX_TRY(compare_padding(r, path, p->grad_cell[s]));
	}
	return 0;
}

static int compare_loss(struct hlx_run *r)
{
	uint64_t stride = hlx_slot_stride(hlx_graph_desc(r->graph, r->out)), slots = r->graph->options.slots;
	float *got = malloc(slots * stride * 4);
	struct hlx_result result;
	int status = got ? hlx_program_read(r->program, r->out, HLX_VALUE, 0, slots * stride, got) : hlx_no_memory();

	for (uint64_t s = 0; s < slots && status >= 0; s++)
		compare(r, r->out, "a slot's sum", got + s * stride, hlx_walk_value(r->walk, r->out) + s * stride, 2);
	free(got);
	HLX_TRY(status);
	HLX_TRY(hlx_program_result(r->program, &result));
	compare(r, "all slots", "loss", &result.loss_sum, &r->walk->loss[0], 1);
	compare(r, "all slots", "count", &result.count, &r->walk->loss[1], 1);
	return 0;
}

int hlx_run_compare(struct hlx_run *r)
{
	uint32_t s = r->graph->tensor[hlx_graph_find_tensor(r->graph, r->out)].storage;

	HLX_TRY(compare_inputs(r));
	for (uint32_t i = 0; i < r->graph->n_params && r->backward; i++) {
		HLX_TRY(compare_tensor(r, r->graph->param[i].path, HLX_GRAD, r->walk->final[i],
				hlx_numel(&r->graph->param[i].desc)));
		HLX_TRY(compare_padding(r, r->graph->param[i].path, r->program->final_cell[i]));
	}
	if (r->c->op->kind == HLX_LOSS)
		return compare_loss(r);
	HLX_TRY(compare_tensor(r, r->out, HLX_VALUE, hlx_walk_value(r->walk, r->out),
			hlx_numel(hlx_graph_desc(r->graph, r->out))));
	return compare_padding(r, r->out, r->program->value_cell[s]);
}
