/* program.c - a program's life, and the ways in and out of its tensors. */
#include "core/program/program.h"

#include "core/check/selftest.h"
#include "hlx/math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The tables the kernels read, in the lane p->next: where each tensor's blocks begin, and which 64 elements are not decayed,
 * or frozen. */
static int write_tables(struct hlx_program *p)
{
	const struct hlx_graph *g = p->graph;
	uint32_t *table, *flags;
	uint64_t at;
	const struct hlx_memory *m;
	int status;

	if (!p->options.backward || !g->n_params)
		return 0;
	table = calloc(g->n_params + 1, sizeof(*table));
	flags = calloc(g->arena / 64 + 1, sizeof(*flags));
	status = table && flags ? 0 : hlx_no_memory();
	for (uint32_t i = 0; status >= 0 && i < g->n_params; i++) {
		table[i] = (uint32_t)p->first_block[i];
		for (uint64_t e = 0; e < hlx_slot_stride(&g->param[i].desc); e += 64)
			flags[(g->param[i].offset + e) / 64] = g->param[i].no_decay | (uint32_t)g->param[i].frozen << 1;
	}
	if (status >= 0) {
		table[g->n_params] = (uint32_t)p->first_block[g->n_params];
		m = hlx_cell_memory(p, p->table_cell, &at);
		status = hlx_memory_write(p->dev, m, at, (g->n_params + 1) * sizeof(*table), table);
	}
	if (status >= 0) {
		m = hlx_cell_memory(p, p->flags_cell, &at);
		status = hlx_memory_write(p->dev, m, at, g->arena / 64 * sizeof(*flags), flags);
	}
	free(table);
	free(flags);
	return status < 0 || !p->n_arrays ? status : hlx_program_write_hash_tables(p);
}

static int check_weights(const struct hlx_graph *g, const struct hlx_weights *w)
{
	bool same = !w || (w->n_params == g->n_params && w->arena == g->arena);

	for (uint32_t i = 0; same && w && i < g->n_params; i++)
		same = w->param[i].numel == hlx_numel(&g->param[i].desc) && !strcmp(w->param[i].path, g->param[i].path);
	return same ? 0 : hlx_fail(HLX_EINVAL, "the weights are those of another model");
}

static int create(struct hlx_program *p, bool try)
{
	if (p->options.in_flight > HLX_MAX_IN_FLIGHT)
		return hlx_fail(HLX_EINVAL, "%u runs under way at once, at most %u can be", p->options.in_flight, HLX_MAX_IN_FLIGHT);
	HLX_TRY(check_weights(p->graph, p->weights));
	HLX_TRY(hlx_program_build(p));
	if (p->weights)
		HLX_TRY(hlx_program_compile(p));
	if (try && p->weights)
		HLX_TRY(hlx_selftest(p));
	HLX_TRY(hlx_program_schedule(p));
	HLX_TRY(hlx_program_layout(p));
	HLX_TRY(hlx_program_barriers(p));
	if (!p->weights)
		return 0;
	HLX_TRY(hlx_program_allocate(p));
	for (p->next = 0; p->next < hlx_program_lanes(p); p->next++)
		HLX_TRY(write_tables(p));
	return hlx_program_materialize(p);
}

static int make(struct hlx_device *dev, struct hlx_graph *g, struct hlx_weights *w, const struct hlx_program_options *o,
		bool try, struct hlx_program **out)
{
	struct hlx_program *p = calloc(1, sizeof(*p));
	int status;

	if (!p)
		return hlx_no_memory();
	p->dev = dev;
	p->graph = g;
	p->weights = w;
	p->options = *o;
	p->squares_cell = p->table_cell = p->flags_cell = p->gradients_cell = HLX_NONE;
	if ((status = create(p, try)) < 0) {
		hlx_program_destroy(p);
		return status;
	}
	*out = p;
	return 0;
}

int hlx_program_create(struct hlx_device *dev, struct hlx_graph *g, struct hlx_weights *w,
		const struct hlx_program_options *o, struct hlx_program **out)
{
	return make(dev, g, w, o, true, out);
}

int hlx_program_create_untried(struct hlx_device *dev, struct hlx_graph *g, struct hlx_weights *w,
		const struct hlx_program_options *o, struct hlx_program **out)
{
	return make(dev, g, w, o, false, out);
}

void hlx_program_destroy(struct hlx_program *p)
{
	if (!p)
		return;
	(void)hlx_device_wait(p->dev); /* it may run still; what went wrong was somebody else's to hear */
	hlx_program_release(p);
	for (int a = 0; a < HLX_ARENA_COUNT; a++) {
		for (uint32_t i = 0; i < p->n_chunks[a]; i++)
			hlx_memory_finish(p->dev, &p->chunk[a][i]);
		free(p->chunk[a]);
	}
	for (uint32_t i = 0; i < p->n_nodes; i++) {
		struct hlx_prog_node *n = &p->node[i];
		if (n->prepared && n->impl->destroy)
			n->impl->destroy(&p->dev->host.pub, &n->pub);
		free(n->path);
		free(n->attrs);
	}
	for (uint32_t i = 0; p->grad_state && i < p->graph->n_storages; i++)
		free(p->grad_state[i].written);
	free(p->grad_state);
	free(p->reader);
	free(p->value_cell);
	free(p->grad_cell);
	free(p->batch_cell);
	free(p->param_cell);
	free(p->first_block);
	free(p->further_use);
	free(p->final_cell);
	free(p->node);
	free(p->cell);
	free(p->step);
	free(p);
}

struct hlx_plan_info hlx_program_plan(const struct hlx_program *p)
{
	return p->plan;
}

static const char *const arena_name[] = { "weights", "states", "gradients", "activations", "parameters", "results" };

static const char *phase_name(const struct hlx_prog_step *s, char text[16])
{
	bool add = s->phase >= HLX_PHASE_ADD;

	if (s->phase == HLX_PHASE_PASS)
		return s->again ? "again" : s->backward ? "backward" : "forward";
	if (s->phase == HLX_PHASE_ZERO || s->phase == HLX_PHASE_END)
		return s->phase == HLX_PHASE_ZERO ? "zero" : "end";
	snprintf(text, 16, "%s %u", add ? "add" : "store", s->phase - (unsigned)(add ? HLX_PHASE_ADD : HLX_PHASE_STORE));
	return text;
}

int hlx_program_print(const struct hlx_program *p, FILE *f)
{
	static const char *const kinds[] = { "dispatch", "copy", "fill", "host call" };

	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct hlx_prog_step *s = &p->step[i];
		const struct hlx_prog_node *n = &p->node[s->node];
		char phase[16];
		fprintf(f, "%5u %c %-9s %-8s %-28s %s/%s", i, s->barrier ? '|' : ' ', kinds[s->kind],
				phase_name(s, phase), n->path, n->op->name, n->impl->name);
		for (uint32_t j = 0; j < s->n_access; j++)
			if (s->access[j].next) {
				fprintf(f, " and %s", p->node[n->next[s->backward]].path);
				break;
			}
		if (s->kind == HLX_DISPATCH)
			fprintf(f, "  %s (%u, %u, %u)", s->pipeline->shader->name, s->groups[0], s->groups[1], s->groups[2]);
		for (uint32_t j = 0; j < s->n_access; j++) {
			const struct hlx_cell *c = &p->cell[s->access[j].cell];
			fprintf(f, "%s%s%s:%s+%llu", j ? ", " : "  ", s->access[j].read ? "r" : "", s->access[j].write ? "w" : "",
					arena_name[c->arena], (unsigned long long)(c->offset + s->access[j].offset));
		}
		fputc('\n', f);
	}
	return ferror(f) ? hlx_fail(HLX_EOUTPUT, "cannot write the plan") : 0;
}

/* -- tensors ----------------------------------------------------------------------------------------------- */

static int has_memory(const struct hlx_program *p)
{
	return p->weights ? 0 : hlx_fail(HLX_EINVAL, "the program is a plan only: it has no memory");
}

static int find(const struct hlx_program *p, const char *name, int what, uint32_t *cell, struct hlx_desc *desc)
{
	int t = hlx_graph_find_tensor(p->graph, name), q = hlx_graph_find_param(p->graph, name);

	if (t >= 0) {
		uint32_t s = p->graph->tensor[t].storage;
		*cell = what == HLX_GRAD ? p->grad_cell[s] : p->batch_cell[s] != HLX_NONE ? p->batch_cell[s] : p->value_cell[s];
		*desc = p->graph->tensor[t].desc;
	} else if (q >= 0) {
		*cell = what == HLX_GRAD ? (p->options.backward ? p->final_cell[q] : HLX_NONE) : p->param_cell[q];
		*desc = p->graph->param[q].desc;
	} else {
		return hlx_fail(HLX_EINVAL, "no tensor %s", name);
	}
	if (*cell == HLX_NONE || (p->cell[*cell].first == HLX_NONE && !p->cell[*cell].persistent))
		return hlx_fail(HLX_EINVAL, "%s has no %s in this program", name, what == HLX_GRAD ? "gradient" : "value");
	if (!p->cell[*cell].persistent)
		return hlx_fail(HLX_EINVAL, "%s is not kept: its memory is used again", name);
	return hlx_is_contiguous(desc) ? 0 : hlx_fail(HLX_ENOTSUP, "%s is a view: read what it is a view of", name);
}

/* Partial sums, and an input's whole batch. */
static bool has_more(const struct hlx_program *p, const char *name, uint32_t cell)
{
	int t = hlx_graph_find_tensor(p->graph, name);
	uint32_t s = t < 0 ? HLX_NONE : p->graph->tensor[t].storage;

	return t >= 0 && (p->graph->storage[s].slotted || p->batch_cell[s] == cell);
}

static int window(const struct hlx_program *p, const char *name, int what, uint64_t first, uint64_t count,
		uint32_t *cell, uint64_t *at)
{
	struct hlx_desc d = { 0 };
	uint64_t have;

	*cell = HLX_NONE;
	HLX_TRY(has_memory(p));
	HLX_TRY(find(p, name, what, cell, &d));
	have = has_more(p, name, *cell) ? p->cell[*cell].bytes / 4 : hlx_numel(&d);
	if (first > have || count > have - first)
		return hlx_fail(HLX_ESHAPE, "%s: elements %llu to %llu of %llu", name, (unsigned long long)first,
				(unsigned long long)first + count, (unsigned long long)have);
	*at = (d.offset + first) * 4;
	return 0;
}

static bool is_integer(const struct hlx_program *p, const char *tensor)
{
	int t = hlx_graph_find_tensor(p->graph, tensor);

	return t >= 0 && p->graph->tensor[t].desc.dtype != HLX_F32;
}

/* What an op loads is 0 or at least 2^-50, whoever put it there. */
int hlx_program_write(struct hlx_program *p, const char *tensor, int what, uint64_t first, uint64_t count, const void *in)
{
	uint32_t cell;
	uint64_t at;
	float *x;
	int status;

	HLX_TRY(window(p, tensor, what, first, count, &cell, &at));
	if (is_integer(p, tensor))
		return hlx_replay_put(p, cell, at, count * 4, in);
	if (!(x = malloc((count ? count : 1) * sizeof(*x))))
		return hlx_no_memory();
	memcpy(x, in, count * sizeof(*x));
	for (uint64_t i = 0; i < count; i++)
		x[i] = hlx_store(x[i]);
	status = hlx_replay_put(p, cell, at, count * 4, x);
	free(x);
	return status;
}

int hlx_program_read(struct hlx_program *p, const char *tensor, int what, uint64_t first, uint64_t count, void *out)
{
	uint32_t cell;
	uint64_t at;

	HLX_TRY(window(p, tensor, what, first, count, &cell, &at));
	return hlx_replay_get(p, cell, at, count * 4, out);
}

int hlx_program_result(struct hlx_program *p, struct hlx_result *out)
{
	float loss[2], norm[2] = { 0, 0 };

	HLX_TRY(has_memory(p));
	HLX_TRY(hlx_replay_get(p, p->loss_cell, 0, sizeof(loss), loss));
	HLX_TRY(hlx_replay_get(p, p->norm_cell, 0, sizeof(norm), norm));
	*out = (struct hlx_result){ loss[0], loss[1], norm[0] };
	return 0;
}

static int scan(struct hlx_program *p, uint32_t param, bool grad, uint32_t *buffer)
{
	uint64_t n = hlx_numel(&p->graph->param[param].desc), at;
	const struct hlx_memory *m = hlx_cell_memory(p, grad ? p->final_cell[param] : p->param_cell[param], &at);

	HLX_TRY(hlx_memory_read(p->dev, m, at, n * 4, buffer));
	for (uint64_t i = 0; i < n; i++)
		if ((buffer[i] & 0x7f800000u) == 0x7f800000u) /* integer test: no comparison of NaNs */
			return hlx_fail(HLX_ENUMERIC, "%s%s[%llu] is not finite", grad ? "the gradient of " : "",
					p->graph->param[param].path, (unsigned long long)i);
	return 0;
}

int hlx_program_find_bad(struct hlx_program *p)
{
	uint32_t *buffer = malloc(p->graph->arena * 4 + 4);
	int status = buffer ? has_memory(p) : hlx_no_memory();
	struct hlx_result r;

	for (int grad = 0; grad <= (int)p->options.backward; grad++)
		for (uint32_t i = 0; i < p->graph->n_params && status >= 0; i++)
			status = scan(p, i, grad, buffer);
	free(buffer);
	HLX_TRY(status);
	HLX_TRY(hlx_program_result(p, &r));
	if (!isfinite(r.loss_sum) || !isfinite(r.grad_norm))
		return hlx_fail(HLX_ENUMERIC, "the %s is not finite, though every parameter is",
				isfinite(r.loss_sum) ? "gradient's norm" : "loss");
	return 0;
}
