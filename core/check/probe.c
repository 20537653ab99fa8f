#include "core/check/probe.h"

#include <stdlib.h>
#include <string.h>

#include "core/program/build.h"
#include "core/check/probe.plain.h"
#include "hlx/math.h"

enum { OPERANDS, RESULTS, COUNT = 16 };

static const struct hlx_shader kernel = { "probe", probe_plain, sizeof(probe_plain), 0 };
static const struct hlx_slot slots[] = {
	[OPERANDS] = { "operands", HLX_IN, 0 },
	[RESULTS] = { "results", HLX_OUT, 0 },
	{ 0 },
};
static const struct hlx_op op = { .struct_size = sizeof(op), .name = "probe", .kind = HLX_LAYER, .slots = slots };
static const struct hlx_impl impl = { .struct_size = sizeof(impl), .op = "probe", .name = "device", .tier = HLX_DEVICE };

static int add_cell(struct hlx_program *p, enum hlx_arena arena, uint64_t bytes, uint32_t *out)
{
	return hlx_program_add_cell(p, (struct hlx_cell){ .arena = arena, .bytes = bytes, .parent = HLX_NONE,
			.persistent = true }, out);
}

static int record(struct hlx_program *p)
{
	const struct hlx_arg args[] = { hlx_value(OPERANDS), hlx_value(RESULTS) };
	struct hlx_rec rec = { .program = p };
	struct hlx_pipeline *pipeline;

	HLX_TRY(add_cell(p, HLX_ARENA_PARAMETERS, HLX_ALIGN, &p->steps_cell));
	HLX_TRY(hlx_build_add_node(p, &op, "probe", &rec.node));
	p->node[rec.node].impl = &impl;
	for (int s = OPERANDS; s <= RESULTS; s++)
		HLX_TRY(add_cell(p, HLX_ARENA_GRADIENTS, COUNT * 4, &p->node[rec.node].value[s]));
	HLX_TRY(hlx_pipelines_get(p->dev->host.pipelines, &kernel, NULL, 0, false, &pipeline));
	return p->dev->host.pub.dispatch(&rec, pipeline, args, 2, NULL, 0, 1, 1, 1);
}

static int run(struct hlx_program *p, const uint32_t in[COUNT], uint32_t out[COUNT])
{
	const struct hlx_step step = { .size = sizeof(step) };
	const struct hlx_memory *m;
	uint64_t at;

	HLX_TRY(record(p));
	HLX_TRY(hlx_program_layout(p));
	HLX_TRY(hlx_program_barriers(p));
	HLX_TRY(hlx_program_allocate(p));
	HLX_TRY(hlx_program_materialize(p));
	m = hlx_cell_memory(p, p->node[0].value[OPERANDS], &at);
	HLX_TRY(hlx_memory_write(p->dev, m, at, COUNT * 4, in));
	HLX_TRY(hlx_program_run(p, &step));
	m = hlx_cell_memory(p, p->node[0].value[RESULTS], &at);
	return hlx_memory_read(p->dev, m, at, COUNT * 4, out);
}

static void say(struct hlx_probe *p, const uint32_t y[COUNT])
{
	int n = snprintf(p->words, sizeof(p->words), "the device %s NoContraction, %s a * b + c without it, ",
			p->contraction ? "honours" : "does not honour", p->fuses ? "fuses" : "does not fuse");

	n += p->nearest ? snprintf(p->words + n, sizeof(p->words) - (size_t)n, "rounds to nearest even, ") :
		snprintf(p->words + n, sizeof(p->words) - (size_t)n, "does not round to nearest even (1 + 2^-24 is %08x, "
				"1 + 3 * 2^-24 is %08x), ", y[3], y[4]);
	n += snprintf(p->words + n, sizeof(p->words) - (size_t)n, "%s denormals, ", p->keeps && p->reads ? "keeps" : "flushes");
	snprintf(p->words + n, sizeof(p->words) - (size_t)n, p->integers ? "makes floats of integers exactly" :
			"makes other floats of integers (of 16777215 %08x)", y[8]);
}

int hlx_probe(struct hlx_device *dev, struct hlx_probe *out)
{
	/* 1 + 2^-12 squared is 1 + 2^-11 + 2^-24: the last term is lost unless the sum is fused. */
	const uint32_t in[COUNT] = {
		hlx_bits(1 + 0x1p-12f), hlx_bits(1 + 0x1p-12f), hlx_bits(-1 - 0x1p-11f), hlx_bits(1.0f), hlx_bits(0x1p-24f),
		hlx_bits(3 * 0x1p-24f), hlx_bits(1 + 0x1p-12f), hlx_bits(0x1p-100f), hlx_bits(0x1p-27f), 0x00400000u,
		hlx_bits(4.0f), 16777215u, (uint32_t)-16777216,
	};
	const struct hlx_graph_options o = { .batch = 1, .seq_len = 1, .slots = 1, .mode = HLX_DEVICE };
	struct hlx_graph graph = { .options = o, .loss = HLX_NONE, .passes = 1, .roots = 1 };
	struct hlx_program *p = calloc(1, sizeof(*p));
	uint32_t y[COUNT] = { 0 };
	int status = p ? 0 : hlx_no_memory();

	*out = (struct hlx_probe){ 0 };
	if (status >= 0) {
		p->dev = dev;
		p->graph = &graph;
		status = hlx_weights_create(dev, &graph, 0, &p->weights);
	}
	if (status >= 0)
		status = run(p, in, y);
	if (p) {
		struct hlx_weights *w = p->weights;
		hlx_program_destroy(p);
		hlx_weights_destroy(w);
	}
	HLX_TRY(status);
	out->contraction = y[0] == 0;
	out->fuses = y[1] == hlx_bits(0x1p-24f);
	out->fma = y[2] == hlx_bits(0x1p-24f);
	out->nearest = y[3] == hlx_bits(1.0f) && y[4] == hlx_bits(1 + 0x1p-22f) && y[5] == hlx_bits(1 + 0x1p-11f);
	out->keeps = y[6] == 0x00400000u;
	out->reads = y[7] == hlx_bits(0x1p-125f);
	out->integers = y[8] == 0x4b7fffffu && y[9] == hlx_bits(-16777216.0f);
	say(out, y);
	return 0;
}
