/* edge_adam.c - adam through a training whose gradients vanish: a program of that one node, and its reference. */
#include "tests/edges/edge.h"

#include <stdlib.h>

#include "core/program/build.h"
#include "core/vulkan/host.h"
#include "core/numerics.h"
#include "core/registry/registry.h"
#include "core/check/data.h"
#include "core/check/node.h"
#include "hlx/math.h"
#include "plugins/adam/adam.h"

#define ELEMENTS 256u
#define CASE "param=256 grad=256 flags=4<2 loss=2 norm=2 "

struct edge_adam {
	struct hlx_check *bench;
	char text[160];
	struct hlx_check_case c;
	struct hlx_check_node one;
	struct hlx_node node;
	struct hlx_desc desc[HLX_MAX_SLOTS];
	void *attrs, *value[HLX_MAX_SLOTS]; /* the host's */
	uint64_t host_steps, device_steps;
};

/* 2^-50 to 2^100, growing with the element; nothing from step 4 on. */
static float gradient(uint64_t i, uint64_t step)
{
	uint32_t u[4];

	hlx_philox(1, step, i, u);
	if (step > 3)
		return 0.0f;
	return hlx_float((u[0] & 0x807fffffu) | (uint32_t)(127 - 50 + (int)(i * 150 / ELEMENTS)) << 23);
}

static struct hlx_step step_of(uint64_t n)
{
	return (struct hlx_step){ .size = sizeof(struct hlx_step), .train = 1, .step = n, .n_seq = 1, .lr = 1e-3f };
}

/* param: from 2^-50 up, so that the decay takes some below; a count of 1,024 positions, a norm of 3 */
static void fill(struct edge_adam *a)
{
	float *p = a->value[PARAM], *loss = a->value[LOSS], *norm = a->value[NORM];
	uint32_t *flags = a->value[FLAGS], u[4];

	for (uint64_t i = 0; i < ELEMENTS; i++) {
		hlx_philox(2, 0, i, u);
		p[i] = hlx_float((u[0] & 0x807fffffu) | (127 - 50 + u[1] % 52) << 23);
	}
	for (uint64_t i = 0; i < ELEMENTS / ADAM_SEGMENT; i++)
		flags[i] = i % 2;
	loss[0] = 1.0f;
	loss[1] = 1024.0f;
	norm[0] = 3.0f;
	norm[1] = 9.0f;
}

static int make_node(struct edge_adam *a, const struct hlx_op *op)
{
	a->node = (struct hlx_node){ .struct_size = sizeof(a->node), .name = "t", .n_slots = V + 1, .train = 1,
		.desc = a->desc, .attrs = a->attrs, .slots = 1 };
	for (uint32_t i = 0; i < a->c.n_in; i++)
		a->desc[i] = a->c.in[i].desc; /* CASE has them in their order */
	HLX_TRY(op->infer(&hlx_registry_host(a->bench->registry)->pub, &a->node));
	for (int s = PARAM; s <= V; s++)
		if (!(a->value[s] = calloc(hlx_numel(&a->desc[s]), 4)))
			return hlx_no_memory();
	fill(a);
	return 0;
}

static int transfer(struct edge_adam *a, int s, bool write, void *data)
{
	uint64_t at;
	const struct hlx_memory *m = hlx_cell_memory(a->one.program, a->one.program->node[0].value[s], &at);

	return write ? hlx_memory_write(a->bench->dev, m, at, hlx_numel(&a->desc[s]) * 4, data) :
		hlx_memory_read(a->bench->dev, m, at, hlx_numel(&a->desc[s]) * 4, data);
}

static int make_program(struct edge_adam *a)
{
	struct hlx_prog_node *n;

	HLX_TRY(hlx_check_node_begin(a->bench, &a->c, &a->one));
	n = &a->one.program->node[0];
	for (int s = PARAM; s <= V; s++) {
		n->desc[s] = a->desc[s];
		HLX_TRY(hlx_check_node_cell(&a->one, hlx_numel(&a->desc[s]) * 4, &n->value[s]));
	}
	HLX_TRY(hlx_build_prepare(a->one.program, 0, a->bench->impl->name));
	HLX_TRY(hlx_build_record(a->one.program, 0, false));
	HLX_TRY(hlx_check_node_end(a->bench, &a->one));
	for (int s = PARAM; s <= V; s++)
		HLX_TRY(transfer(a, s, true, a->value[s]));
	return 0;
}

static int create(struct edge_adam *a, const char *attrs)
{
	const struct hlx_op *op = hlx_registry_op(a->bench->registry, "adam");

	snprintf(a->text, sizeof(a->text), CASE "%s", attrs);
	HLX_TRY(hlx_check_case_parse(op, a->text, &a->c));
	HLX_TRY(hlx_check_node_graph(a->bench, 1, 1, &a->one));
	HLX_TRY(hlx_check_node_attrs(&a->c, &a->attrs));
	HLX_TRY(make_node(a, op));
	return a->bench->impl ? make_program(a) : 0;
}

int edge_adam_create(struct hlx_check *b, const char *attrs, struct edge_adam **out)
{
	int status;

	if (!(*out = calloc(1, sizeof(**out))))
		return hlx_no_memory();
	(*out)->bench = b;
	if ((status = create(*out, attrs)) < 0) {
		edge_adam_destroy(*out);
		*out = NULL;
	}
	return status;
}

void edge_adam_destroy(struct edge_adam *a)
{
	if (!a)
		return;
	hlx_check_node_destroy(&a->one);
	for (int s = PARAM; s <= V; s++)
		free(a->value[s]);
	free(a->attrs);
	free(a);
}

static void fill_gradient(float *g, uint64_t step)
{
	for (uint64_t i = 0; i < ELEMENTS; i++)
		g[i] = gradient(i, step);
}

int edge_adam_host(struct edge_adam *a, const struct hlx_op *planted, bool flush)
{
	const struct hlx_step step = step_of(++a->host_steps);
	const struct hlx_op *op = planted ? planted : a->c.op;
	int status;

	if (step.step <= 4)
		fill_gradient(a->value[GRAD], step.step);
	hlx_fpenv_flush(flush);
	status = op->ref_forward(&a->node, a->value, &step);
	hlx_fpenv_flush(false);
	return status;
}

int edge_adam_device(struct edge_adam *a)
{
	const struct hlx_step step = step_of(++a->device_steps);
	float g[ELEMENTS];

	if (step.step <= 4) {
		fill_gradient(g, step.step);
		HLX_TRY(transfer(a, GRAD, true, g));
	}
	return hlx_program_run(a->one.program, &step);
}

int edge_adam_bits(struct edge_adam *a, bool device, struct edge_bits *out)
{
	static const struct { int slot; const char *name; } kept[] = { { PARAM, "param" }, { M, "m" }, { V, "v" } };
	float x[ELEMENTS];

	*out = (struct edge_bits){ 0 };
	for (unsigned k = 0; k < sizeof(kept) / sizeof(*kept); k++) {
		if (device)
			HLX_TRY(transfer(a, kept[k].slot, false, x));
		HLX_TRY(edge_bits_add(out, "value", kept[k].name, device ? x : a->value[kept[k].slot], ELEMENTS));
	}
	return 0;
}
