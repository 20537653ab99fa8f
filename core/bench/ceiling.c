#include "core/bench/ceiling.h"

#include <stdlib.h>

#include "core/bench/copy.spv.h"
#include "core/bench/fma.spv.h"
#include "core/bench/muladd.spv.h"
#include "core/program/build.h"

enum { FROM, TO };

static const struct hlx_shader copy = { "copy", copy_spv, sizeof(copy_spv), 0 };
static const struct hlx_shader muladd = { "muladd", muladd_spv, sizeof(muladd_spv), 0 };
static const struct hlx_shader fused = { "fma", fma_spv, sizeof(fma_spv), 0 };
static const struct hlx_slot slots[] = {
	[FROM] = { "from", HLX_IN, 0 },
	[TO] = { "to", HLX_OUT, 0 },
	{ 0 },
};
static const struct hlx_op op = { .struct_size = sizeof(op), .name = "ceiling", .kind = HLX_LAYER, .slots = slots };
static const struct hlx_impl impl = { .struct_size = sizeof(impl), .op = "ceiling", .name = "device", .tier = HLX_DEVICE };

struct work { /* one kernel or copy, and its memory */
	const struct hlx_shader *shader; /* NULL: vkCmdCopyBuffer */
	uint64_t from, to;               /* bytes */
	uint32_t push[2], n_push, lanes, groups;
};

static int add_cell(struct hlx_program *p, enum hlx_arena arena, uint64_t bytes, uint32_t *out)
{
	return hlx_program_add_cell(p, (struct hlx_cell){ .arena = arena, .bytes = bytes, .parent = HLX_NONE,
			.persistent = true }, out);
}

static int record(struct hlx_program *p, const struct work *w)
{
	const struct hlx_arg args[] = { hlx_value(FROM), hlx_value(TO) };
	struct hlx_rec rec = { .program = p };
	struct hlx_pipeline *pipeline;

	HLX_TRY(add_cell(p, HLX_ARENA_PARAMETERS, HLX_ALIGN, &p->steps_cell));
	HLX_TRY(hlx_build_add_node(p, &op, "ceiling", &rec.node));
	p->node[rec.node].impl = &impl;
	HLX_TRY(add_cell(p, HLX_ARENA_GRADIENTS, w->from, &p->node[rec.node].value[FROM]));
	HLX_TRY(add_cell(p, HLX_ARENA_GRADIENTS, w->to, &p->node[rec.node].value[TO]));
	if (!w->shader)
		return p->dev->host.pub.copy(&rec, &args[TO], &args[FROM]);
	HLX_TRY(hlx_pipelines_get(p->dev->host.pipelines, w->shader, &w->lanes, 1, false, &pipeline));
	return p->dev->host.pub.dispatch(&rec, pipeline, args, 2, w->push, w->n_push * 4, w->groups, 1, 1);
}

/* x a + b with a = 0.5 stays near 2 b: no denormals, no infinities. */
static int time_program(struct hlx_timer *t, struct hlx_program *p, const struct work *w, double *seconds)
{
	const float operand[8] = { 0.5f, 1.0f, 0, 0, 0.25f, 0.5f, 0.75f, 1.0f };
	const struct hlx_step step = { .size = sizeof(step) };
	const struct hlx_memory *m;
	uint64_t at;

	HLX_TRY(record(p, w));
	HLX_TRY(hlx_program_layout(p));
	HLX_TRY(hlx_program_barriers(p));
	HLX_TRY(hlx_program_allocate(p));
	HLX_TRY(hlx_program_materialize(p));
	m = hlx_cell_memory(p, p->node[0].value[FROM], &at);
	HLX_TRY(hlx_memory_write(p->dev, m, at, sizeof(operand), operand));
	HLX_TRY(hlx_program_run(p, &step));
	HLX_TRY(hlx_timer_steps(t, p, 0, p->n_steps, seconds));
	*seconds = t->least; /* who shares a machine does not lower its ceiling */
	return 0;
}

static int time_work(struct hlx_timer *t, const struct work *w, double *seconds)
{
	const struct hlx_graph_options o = { .batch = 1, .seq_len = 1, .slots = 1, .mode = HLX_DEVICE };
	struct hlx_graph graph = { .options = o, .loss = HLX_NONE };
	struct hlx_program *p = calloc(1, sizeof(*p));
	struct hlx_weights *weights = NULL;
	int status = p ? hlx_weights_create(t->dev, &graph, 0, &weights) : hlx_no_memory();

	if (status >= 0) {
		p->dev = t->dev;
		p->graph = &graph;
		p->weights = weights;
		status = time_program(t, p, w, seconds);
		hlx_program_destroy(p);
	} else {
		free(p);
	}
	hlx_weights_destroy(weights);
	return status;
}

/* 256 MiB each way where a binding sees that much: five times the cache of an H100; on a CPU driver the 128 that it sees. */
static int measure_copy(struct hlx_timer *t, double *out)
{
	const struct hlx_caps *caps = &t->dev->info.caps;
	uint64_t bytes = caps->max_range < 256u << 20 ? caps->max_range : 256u << 20, free = hlx_memory_available(t->dev) / 4;
	struct work w = { .from = bytes < free ? bytes / 4096 * 4096 : free / 4096 * 4096, .n_push = 2 };
	double seconds;

	w.to = w.from;
	HLX_TRY(time_work(t, &w, &seconds));
	*out = (double)(w.from + w.to) / seconds;
	w.shader = &copy;
	w.lanes = caps->cpu ? caps->subgroup : caps->max_invocations < 256 ? caps->max_invocations : 256;
	w.push[0] = (uint32_t)(w.from / 16);
	w.push[1] = caps->cpu ? 256 : 4;
	w.groups = (w.push[0] + w.lanes * w.push[1] - 1) / (w.lanes * w.push[1]);
	HLX_TRY(time_work(t, &w, &seconds));
	if ((double)(w.from + w.to) / seconds > *out)
		*out = (double)(w.from + w.to) / seconds;
	return 0;
}

/* 4,224 workgroups of 256 are 32 for each of an H100's 132 multiprocessors. */
static int measure_arithmetic(struct hlx_timer *t, const struct hlx_shader *shader, double *out)
{
	const struct hlx_caps *caps = &t->dev->info.caps;
	uint32_t lanes = caps->cpu ? caps->subgroup : caps->max_invocations < 256 ? caps->max_invocations : 256;
	struct work w = { .shader = shader, .from = 32, .push = { caps->cpu ? 2048 : 512 }, .n_push = 1, .lanes = lanes,
		.groups = caps->cpu ? 256 : 4224 };
	double seconds;

	w.to = (uint64_t)w.groups * lanes * 16;
	HLX_TRY(time_work(t, &w, &seconds));
	*out = 2.0 * 64 * w.push[0] * w.groups * lanes / seconds;
	return 0;
}

/* Quick or not, all shares rest on these. */
int hlx_ceiling_measure(struct hlx_timer *timer, struct hlx_ceiling *out)
{
	struct hlx_timer t = *timer;

	t.sample = 0.02;
	t.samples = 11;
	t.budget = 1;
	HLX_TRY(measure_copy(&t, &out->copy));
	HLX_TRY(measure_arithmetic(&t, &muladd, &out->muladd));
	return measure_arithmetic(&t, &fused, &out->fma);
}

double hlx_ceiling_share(const struct hlx_ceiling *c, struct hlx_work w, double seconds, bool portable, bool *copies)
{
	double bytes = w.bytes / c->copy / seconds, ops = w.ops / (portable ? c->muladd : c->fma) / seconds;

	*copies = bytes >= ops;
	return bytes >= ops ? bytes : ops;
}
