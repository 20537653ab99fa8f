#include "core/check/unwired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/build.h"
#include "core/check/node.h"
#include "core/host.h"
#include "core/numerics.h"
#include "core/registry.h"
#include "hlx/math.h"

#define TURNS 3

struct update {
	struct hlx_check *bench;
	const struct hlx_check_case *c;
	enum hlx_family family;
	char what[96];
	struct hlx_check_node one;
	struct hlx_node node;
	struct hlx_desc desc[HLX_MAX_SLOTS];
	void *attrs;
	void *value[HLX_MAX_SLOTS], *got;
};

static uint64_t elements(const struct update *u, uint32_t s)
{
	const struct hlx_desc *d = &u->desc[s];

	return u->c->op->slots[s].flags & HLX_SLOTTED ? hlx_slot_stride(d) * u->node.slots : hlx_numel(d);
}

/* The node as the reference sees it. */
static int make_node(struct update *u, uint64_t slots)
{
	const struct hlx_check_case *c = u->c;
	uint32_t n = 0;

	HLX_TRY(hlx_check_node_graph(u->bench, slots, slots, &u->one));
	while (c->op->slots[n].name)
		n++;
	HLX_TRY(hlx_check_node_attrs(c, &u->attrs));
	u->node = (struct hlx_node){ .struct_size = sizeof(u->node), .name = "t", .n_slots = n, .train = 1,
		.desc = u->desc, .attrs = u->attrs, .slots = (uint32_t)slots };
	for (uint32_t i = 0; i < c->n_in; i++)
		for (uint32_t s = 0; s < n; s++)
			if (!strcmp(c->in[i].name, c->op->slots[s].name))
				u->desc[s] = c->in[i].desc;
	HLX_TRY(c->op->infer(&hlx_registry_host(u->bench->registry)->pub, &u->node));
	for (uint32_t s = 0; s < n; s++)
		if (!(u->value[s] = calloc(elements(u, s) + 1, 4)))
			return hlx_no_memory();
	return 0;
}

/* 1: not wanted. */
static int make_program(struct update *u)
{
	struct hlx_prog_node *n;

	HLX_TRY(hlx_check_node_begin(u->bench, u->c, &u->one));
	n = &u->one.program->node[0];
	memcpy(n->desc, u->desc, sizeof(u->desc));
	for (uint32_t s = 0; s < u->node.n_slots; s++)
		HLX_TRY(hlx_check_node_cell(&u->one, elements(u, s) * 4, &n->value[s]));
	HLX_TRY(hlx_build_prepare(u->one.program, 0, u->bench->impl->name));
	HLX_TRY(hlx_build_record(u->one.program, 0, false));
	return hlx_check_node_end(u->bench, &u->one);
}

/* -- data -------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Sums of squares and norms are no negative numbers, a table ascends, and a count is a whole number. */
static void fill_slot(struct update *u, uint32_t s, uint64_t turn)
{
	const char *name = u->c->op->slots[s].name;
	uint64_t n = elements(u, s), stream = hlx_data_stream(name, turn);
	float *x = u->value[s];

	if (u->desc[s].dtype == HLX_U32) {
		uint32_t *v = u->value[s], below = 1;
		for (uint32_t i = 0; i < u->c->n_in; i++)
			if (!strcmp(u->c->in[i].name, name))
				below = u->c->in[i].below;
		for (uint64_t i = 0; i < n; i++)
			v[i] = hlx_data_index(HLX_FAMILY_NORMAL, stream, i, below);
		if (!strcmp(name, "table"))
			qsort(v, n, 4, ascending);
		return;
	}
	hlx_data_floats(x, n, u->family, stream);
	for (uint64_t i = 0; i < n && (!strcmp(name, "squares") || !strcmp(name, "norm")); i++)
		x[i] = fabsf(x[i]);
	if (!strcmp(name, "loss"))
		x[1] = (float)(turn * 1000 + 24);
}

/* Inputs are new each turn; states begin as a training run's: a value, and zeros. */
static void fill_all(struct update *u, uint64_t turn)
{
	for (uint32_t s = 0; s < u->node.n_slots; s++) {
		const struct hlx_slot *slot = &u->c->op->slots[s];
		if (slot->role == HLX_IN || (turn == 0 && slot->role == HLX_OUT) ||
				(turn == 0 && slot->role == HLX_STATE && !strcmp(slot->name, "param")))
			fill_slot(u, s, turn);
	}
}

static int transfer(struct update *u, uint32_t s, bool write, void *data)
{
	uint64_t at;
	const struct hlx_memory *m = hlx_cell_memory(u->one.program, u->one.program->node[0].value[s], &at);

	return write ? hlx_memory_write(u->bench->dev, m, at, elements(u, s) * 4, data) :
		hlx_memory_read(u->bench->dev, m, at, elements(u, s) * 4, data);
}

static int compare(struct update *u, uint32_t s, uint64_t turn)
{
	const float *want = u->value[s];
	uint64_t n = elements(u, s), at;
	float *got = malloc(n * 4 + 4);
	int status = got ? transfer(u, s, false, got) : hlx_no_memory();

	if (status >= 0 && (at = hlx_data_compare(got, want, n)) < n)
		hlx_check_complain(u->bench, u->c, u->what, "step %llu: %s: element %llu of %llu is %08x (%g), want %08x (%g)",
				(unsigned long long)turn + 1, u->c->op->slots[s].name, (unsigned long long)at,
				(unsigned long long)n, hlx_bits(got[at]), (double)got[at], hlx_bits(want[at]), (double)want[at]);
	free(got);
	return status;
}

static int run(struct update *u)
{
	for (uint64_t turn = 0; turn < TURNS; turn++) {
		const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = turn + 1, .n_seq = 1, .lr = 3e-4f };
		fill_all(u, turn);
		for (uint32_t s = 0; s < u->node.n_slots; s++)
			HLX_TRY(transfer(u, s, true, u->value[s]));
		HLX_TRY(u->c->op->ref_forward(&u->node, u->value, &step));
		HLX_TRY(hlx_program_run(u->one.program, &step));
		for (uint32_t s = 0; s < u->node.n_slots; s++)
			HLX_TRY(compare(u, s, turn));
	}
	return 0;
}

static void finish(struct update *u)
{
	hlx_check_node_destroy(&u->one);
	for (uint32_t s = 0; s < HLX_MAX_SLOTS; s++)
		free(u->value[s]);
	free(u->attrs);
}

bool hlx_check_slotted(const struct hlx_op *op)
{
	for (const struct hlx_slot *s = op->slots; s->name; s++)
		if (s->flags & HLX_SLOTTED)
			return true;
	return false;
}

void hlx_check_update_run(struct hlx_check *b, const struct hlx_check_case *c, uint64_t slots, enum hlx_family family)
{
	struct update u = { .bench = b, .c = c, .family = family };
	int status;

	snprintf(u.what, sizeof(u.what), "%s, %u slots", hlx_family_name[family], (unsigned)slots);
	status = make_node(&u, slots);
	if (status >= 0)
		status = hlx_check_refuses(b, &u.node) ? 1 : make_program(&u);
	if (status == 0) {
		status = run(&u);
		b->ran++;
	}
	if (status < 0)
		hlx_check_complain(b, c, u.what, "%s", hlx_message());
	b->status = status < 0 ? status : 0;
	finish(&u);
}

/* All families with 8 slots, where each is a binding; with other counts the one that finds most. */
void hlx_check_update_case(struct hlx_check *b, const struct hlx_check_case *c)
{
	static const uint64_t slots[] = { 1, 2, 16, 64 };

	for (int family = 0; family < HLX_FAMILY_COUNT; family++)
		hlx_check_update_run(b, c, hlx_check_slotted(c->op) ? 8 : 1, (enum hlx_family)family);
	for (unsigned i = 0; i < 4 && hlx_check_slotted(c->op); i++)
		hlx_check_update_run(b, c, slots[i], HLX_FAMILY_MIXED);
}

void hlx_check_update_more(struct hlx_check *b, const struct hlx_op *op)
{
	static const struct { enum hlx_kind kind; const char *text; } more[] = {
		{ HLX_REDUCE, "partial=1023" }, { HLX_REDUCE, "partial=1025" }, { HLX_REDUCE, "partial=3x70001" },
		{ HLX_REDUCE, "partial=70001 first=no last=no" }, { HLX_NORM, "squares=5000 table=41<5001 loss=2" },
		{ HLX_HASH, "array0=70016 array1=70016 blocks=90x4<40 keys=2x40x2<1000000000" },
		{ HLX_OPTIMIZER, "param=133120 grad=133120 flags=2080<2 loss=2 norm=2" },
	};
	struct hlx_check_case c;

	for (unsigned i = 0; i < sizeof(more) / sizeof(*more); i++)
		if (more[i].kind == op->kind) {
			if (hlx_check_case_parse(op, more[i].text, &c) < 0)
				continue;
			hlx_check_update_run(b, &c, hlx_check_slotted(op) ? 8 : 1, HLX_FAMILY_NORMAL);
			hlx_check_update_run(b, &c, hlx_check_slotted(op) ? 16 : 1, HLX_FAMILY_MIXED);
		}
}

/* -- denormals --------------------------------------------------------------------------------------------- */

static int run_reference(struct update *u, bool flush)
{
	HLX_TRY(make_node(u, hlx_check_slotted(u->c->op) ? 8 : 1));
	for (uint64_t turn = 0; turn < TURNS; turn++) {
		const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = turn + 1, .n_seq = 1, .lr = 3e-4f };
		int status;
		fill_all(u, turn);
		hlx_fpenv_flush(flush);
		status = u->c->op->ref_forward(&u->node, u->value, &step);
		hlx_fpenv_flush(false);
		HLX_TRY(status);
	}
	return 0;
}

void hlx_check_flush_update(struct hlx_check *b, const struct hlx_check_case *c)
{
	for (int family = 0; family < HLX_FAMILY_COUNT; family++) {
		struct update x = { .bench = b, .c = c, .family = (enum hlx_family)family }, y = x;
		uint64_t at, n;
		if (run_reference(&x, false) < 0 || run_reference(&y, true) < 0)
			hlx_check_complain(b, c, hlx_family_name[family], "%s", hlx_message());
		for (uint32_t s = 0; s < x.node.n_slots && y.value[s]; s++) {
			n = elements(&x, s);
			if ((at = hlx_data_compare(x.value[s], y.value[s], n)) < n)
				hlx_check_complain(b, c, hlx_family_name[family], "%s: element %llu is %08x, and %08x with denormals flushed",
						c->op->slots[s].name, (unsigned long long)at, ((uint32_t *)x.value[s])[at],
						((uint32_t *)y.value[s])[at]);
		}
		b->ran++;
		finish(&x);
		finish(&y);
	}
}
