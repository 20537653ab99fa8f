#include "core/check/run_graph.h"

#include <stdlib.h>
#include <string.h>

const char *const hlx_check_name[HLX_CHECK_COUNT] = { "lint", "runs", "again", "written", "stray", "store", "bits", "accum",
	"slots", "strides", "wired", "fused", "windows", "loops", "denormals", "double", "gradient" };

void hlx_check_complain(struct hlx_check *b, enum hlx_check_id id, const struct hlx_check_case *c, const char *what,
		const char *fmt, ...)
{
	char line[768];
	int n = snprintf(line, sizeof(line), "%s/%s, case '%s', %s: ", c->op->name, b->impl ? b->impl->name : "reference",
			c->text, what);
	va_list ap;

	b->failed++;
	if (!b->complain || n < 0 || (size_t)n >= sizeof(line))
		return;
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	b->complain(b->ctx, id, line);
}

bool hlx_check_slotted(const struct hlx_op *op)
{
	for (const struct hlx_slot *s = op->slots; s->name; s++)
		if (s->flags & HLX_SLOTTED)
			return true;
	return false;
}

bool hlx_check_refusal(int status)
{
	return status == HLX_ENOTSUP || status == HLX_ESHAPE || status == HLX_EINVAL || status == HLX_EDTYPE;
}

bool hlx_check_refuses(struct hlx_check *b, const struct hlx_node *node)
{
	bool refuses = b->impl->supports && b->impl->supports(&b->dev->host.pub, node) < 0;

	b->refused += refuses;
	return refuses;
}

/* -- data -------------------------------------------------------------------------------------------------- */

void hlx_check_fill_walk(struct hlx_walk *w, const struct hlx_check_case *c, enum hlx_family family, uint64_t turn)
{
	for (uint32_t i = 0; i < c->n_in; i++) {
		float *x = hlx_walk_value(w, c->in[i].name);
		uint64_t n = hlx_numel(&c->in[i].desc), stream = hlx_data_stream(c->in[i].name, turn);
		if (c->in[i].desc.dtype == HLX_F32)
			hlx_data_tensor(x, n, family, c->in[i].name, turn);
		for (uint64_t e = 0; c->in[i].desc.dtype == HLX_U32 && e < n; e++) {
			uint32_t v = hlx_data_index(family, stream, e, c->in[i].below);
			memcpy(&x[e], &v, 4);
		}
	}
	for (uint32_t i = 0; i < w->graph->n_params; i++)
		hlx_data_tensor(w->param[i], hlx_numel(&w->graph->param[i].desc), family, w->graph->param[i].path, turn);
}

int hlx_check_make_seed(const struct hlx_graph *g, const char *path, enum hlx_family family, uint64_t turn, float **out)
{
	uint64_t n = hlx_numel(hlx_graph_desc(g, path));

	if (!(*out = malloc((n ? n : 1) * sizeof(**out))))
		return hlx_no_memory();
	hlx_data_tensor(*out, n, family, "seed", turn);
	return 0;
}

/* -- the device -------------------------------------------------------------------------------------------- */

/* Whatever a kernel does not write shows, and so does what it reads before it is written. */
static int poison(struct hlx_program *p)
{
	const enum hlx_arena arenas[] = { HLX_ARENA_GRADIENTS, HLX_ARENA_ACTIVATIONS };

	for (unsigned a = 0; a < 2; a++)
		for (uint32_t i = 0; i < p->n_chunks[arenas[a]]; i++) {
			struct hlx_memory *m = &p->chunk[arenas[a]][i];
			void *bytes = malloc(m->size);
			int status;
			if (!bytes)
				return hlx_no_memory();
			memset(bytes, HLX_RUN_POISON, m->size);
			status = hlx_memory_write(p->dev, m, 0, m->size, bytes);
			free(bytes);
			HLX_TRY(status);
		}
	return 0;
}

static int poison_padding(struct hlx_program *p, uint32_t cell)
{
	unsigned char bytes[HLX_ALIGN];
	uint64_t at;
	const struct hlx_memory *m = hlx_cell_memory(p, cell, &at);

	memset(bytes, HLX_RUN_POISON, sizeof(bytes));
	return hlx_memory_write(p->dev, m, at + p->cell[cell].bytes, hlx_run_padding(p, cell), bytes);
}

static int write_inputs(struct hlx_run *r)
{
	const struct hlx_check_case *c = r->c;

	for (uint32_t i = 0; i < c->n_in; i++) {
		int t = hlx_graph_find_tensor(r->graph, c->in[i].name);
		HLX_TRY(hlx_program_write(r->program, c->in[i].name, HLX_VALUE, 0, hlx_numel(&c->in[i].desc),
				hlx_walk_value(r->walk, c->in[i].name)));
		HLX_TRY(poison_padding(r->program, r->program->value_cell[r->graph->tensor[t].storage]));
	}
	for (uint32_t i = 0; i < r->graph->n_params; i++)
		HLX_TRY(hlx_weights_write(r->weights, i, 0, r->walk->param[i], NULL));
	if (c->op->kind != HLX_LOSS && r->backward)
		HLX_TRY(hlx_program_write(r->program, r->out, HLX_GRAD, 0, hlx_numel(hlx_graph_desc(r->graph, r->out)),
				r->seed));
	return 0;
}

/* Of the program alone: are the two one, and is it wanted? */
static int ask_first(struct hlx_run *r, const struct hlx_program_options *o)
{
	struct hlx_program *plan = NULL;
	int status = hlx_program_create_untried(r->bench->dev, r->graph, NULL, o, &plan);

	if (status >= 0)
		status = !hlx_program_plan(plan).fused || (r->bench->wanted && !r->bench->wanted(r->bench->ctx, plan));
	hlx_program_destroy(plan);
	return status;
}

static int create_program(struct hlx_run *r, bool apart)
{
	const char *keep[HLX_MAX_SLOTS + 2] = { NULL };
	struct hlx_program_options o = { .backward = r->backward, .keep = keep, .apart = apart,
		.seed = r->c->op->kind == HLX_LOSS || !r->backward ? NULL : r->out };

	for (uint32_t i = 0; i < r->c->n_in; i++)
		keep[i] = r->c->in[i].name;
	keep[r->c->n_in] = r->out;
	if (r->c->next && !apart) {
		int status = ask_first(r, &o);
		if (status)
			return status;
	}
	if (!r->weights)
		HLX_TRY(hlx_weights_create(r->bench->dev, r->graph, 0, &r->weights));
	return hlx_program_create_untried(r->bench->dev, r->graph, r->weights, &o, &r->program);
}

/* Twice, with other data: what the first run leaves behind must not show. */
static int run_twice(struct hlx_run *r, enum hlx_family family)
{
	HLX_TRY(poison(r->program));
	for (uint64_t turn = 0; turn < 2; turn++) {
		struct hlx_step step = { .size = sizeof(step), .train = 1, .step = turn + 1, .seed = { 11, 0x85ebca6b },
			.seq0 = (uint32_t)(3 * turn), .n_seq = 1 };
		free(r->seed);
		r->seed = NULL;
		HLX_TRY(hlx_check_make_seed(r->graph, r->out, family, turn + r->bench->seed * 64, &r->seed));
		hlx_check_fill_walk(r->walk, r->c, family, turn + r->bench->seed * 64);
		HLX_TRY(write_inputs(r));
		HLX_TRY(hlx_walk_forward(r->walk, &step));
		if (r->backward)
			HLX_TRY(hlx_walk_backward(r->walk, &step, r->c->op->kind == HLX_LOSS ? NULL : r->out, r->seed));
		HLX_TRY(hlx_program_run(r->program, &step));
		HLX_TRY(hlx_run_compare(r));
	}
	return 0;
}

/* What is near its reference has its own bits: they are to be the same ones where each does its own work. */
static int run_apart(struct hlx_run *r, enum hlx_family family)
{
	uint64_t fused = r->digest;

	if (!r->c->next || r->bench->impl->tier == HLX_PORTABLE)
		return 0;
	hlx_program_destroy(r->program);
	r->program = NULL;
	r->digest = 0;
	HLX_TRY(create_program(r, true));
	HLX_TRY(run_twice(r, family));
	if (r->digest != fused)
		hlx_check_complain(r->bench, r->id, r->c, r->what, "results differ in bits from those of the two nodes apart");
	return 0;
}

static bool refuses(struct hlx_run *r)
{
	for (uint32_t i = 0; i < r->graph->n_nodes; i++)
		if (r->graph->node[i]->op == r->c->op && hlx_check_refuses(r->bench, &r->walk->node[i]))
			return true;
	return false;
}

/* The neighbour's other input is one of the case's. */
static void add_other(struct hlx_run *r, struct hlx_check_case *both)
{
	const struct hlx_desc *d = r->graph ? hlx_graph_desc(r->graph, "other") : NULL;

	*both = *r->c;
	if (!d || !both->next || both->n_in == HLX_MAX_SLOTS)
		return;
	snprintf(both->in[both->n_in].name, sizeof(both->in[0].name), "other");
	both->in[both->n_in++].desc = *d;
	r->c = both;
}

void hlx_check_run_case(struct hlx_check *b, const struct hlx_check_case *c, enum hlx_check_mode mode,
		enum hlx_family family, uint64_t slots)
{
	struct hlx_check_graph g;
	struct hlx_check_case both;
	struct hlx_run r = { .bench = b, .c = c, .id = c->next ? HLX_CHECK_FUSED : HLX_CHECK_WIRED,
		.backward = !c->next || !c->next->infer };
	bool refused;
	int status;

	if (!hlx_check_graph_create(b->registry, c, mode, b->impl, slots, &g))
		return;
	snprintf(r.what, sizeof(r.what), "%s, %s", hlx_check_mode_name[mode], hlx_family_name[family]);
	r.graph = g.graph;
	r.out = g.out;
	add_other(&r, &both);
	status = g.status;
	if (status >= 0) {
		snprintf(r.what, sizeof(r.what), "%s%s%s, %s, %u slots%s", hlx_check_mode_name[mode], c->next ? " " : "",
				c->next ? c->next->op->name : "", hlx_family_name[family], (unsigned)g.graph->options.slots,
				r.backward ? "" : ", forward");
		status = hlx_walk_create(g.graph, &r.walk);
	}
	if (status >= 0)
		status = refuses(&r) ? 1 : create_program(&r, false);
	if (status == 0)
		status = run_twice(&r, family);
	if (status == 0)
		status = run_apart(&r, family);
	refused = status < 0 && b->strange && hlx_check_refusal(status);
	if (status < 0 && !refused)
		hlx_check_complain(b, r.id, c, r.what, "%s", hlx_message());
	b->status = status < 0 ? status : 0;
	b->refused += refused;
	b->ran += status <= 0 && !refused;
	free(r.seed);
	hlx_walk_destroy(r.walk);
	hlx_program_destroy(r.program);
	hlx_weights_destroy(r.weights);
	hlx_graph_destroy(r.graph);
}
