#include "core/check/bits.h"

#include <stdlib.h>
#include <string.h>

#include "core/build.h"
#include "core/check/node.h"
#include "core/host.h"
#include "core/registry.h"
#include "hlx/math.h"

struct one {
	struct hlx_check *bench;
	const struct hlx_check_case *c;
	char what[96];
	struct hlx_check_node hand;
	struct hlx_node node; /* the reference's */
	struct hlx_desc desc[HLX_MAX_SLOTS];
	struct hlx_init init[HLX_MAX_SLOTS];
	void *attrs, *value[HLX_MAX_SLOTS], *grad[HLX_MAX_SLOTS];
	uint64_t grads, accum;
};

static const struct hlx_slot *slot_of(const struct one *o, uint32_t s)
{
	return &o->c->op->slots[s];
}

/* Partial sums lie in S runs. */
static uint64_t elements(const struct one *o, uint32_t s, bool grad)
{
	const struct hlx_desc *d = &o->desc[s];
	bool runs = grad ? slot_of(o, s)->role == HLX_PARAM : (slot_of(o, s)->flags & HLX_SLOTTED) != 0;

	return runs ? hlx_slot_stride(d) * o->node.slots : hlx_numel(d);
}

static bool differentiable(const struct one *o, uint32_t s)
{
	const struct hlx_slot *slot = slot_of(o, s);

	return o->desc[s].rank && o->desc[s].dtype == HLX_F32 && !(slot->flags & HLX_NOGRAD) &&
		(slot->role == HLX_IN || slot->role == HLX_PARAM);
}

static int make_node(struct one *o)
{
	const struct hlx_check_case *c = o->c;

	HLX_TRY(hlx_check_node_graph(o->bench, c->in[0].desc.rank > 1 ? c->in[0].desc.dim[0] : 1, 0, &o->hand));
	HLX_TRY(hlx_check_node_attrs(c, &o->attrs));
	o->node = (struct hlx_node){ .struct_size = sizeof(o->node), .name = "t", .train = 1, .desc = o->desc,
		.init = o->init, .attrs = o->attrs };
	while (c->op->slots[o->node.n_slots].name)
		o->node.n_slots++;
	for (uint32_t i = 0; i < c->n_in; i++)
		for (uint32_t s = 0; s < o->node.n_slots; s++)
			if (!strcmp(c->in[i].name, slot_of(o, s)->name))
				o->desc[s] = c->in[i].desc;
	HLX_TRY(c->op->infer(&hlx_registry_host(o->bench->registry)->pub, &o->node));
	o->node.slots = (uint32_t)o->hand.graph->options.slots;
	for (uint32_t s = 0; s < o->node.n_slots; s++) {
		o->value[s] = calloc(elements(o, s, false) + 1, 4);
		o->grad[s] = calloc(elements(o, s, true) + 1, 4);
		if (!o->value[s] || !o->grad[s])
			return hlx_no_memory();
	}
	return 0;
}

static bool is_view(const struct one *o)
{
	for (uint32_t s = 0; s < o->node.n_slots; s++)
		if (o->desc[s].view_of)
			return true;
	return false;
}

/* As the core does it: prepare() knows which gradients are wanted, what they are added to only backward() knows. */
/* 1: not wanted. */
static int make_program(struct one *o)
{
	struct hlx_prog_node *n;

	HLX_TRY(hlx_check_node_begin(o->bench, o->c, &o->hand));
	n = &o->hand.program->node[0];
	memcpy(n->desc, o->desc, sizeof(o->desc));
	n->pub.train = o->node.train;
	n->pub.grads = o->grads;
	for (uint32_t s = 0; s < o->node.n_slots; s++)
		if (o->desc[s].rank) {
			HLX_TRY(hlx_check_node_cell(&o->hand, elements(o, s, false) * 4, &n->value[s]));
			HLX_TRY(hlx_check_node_cell(&o->hand, elements(o, s, true) * 4, &n->grad[s]));
		}
	HLX_TRY(hlx_build_prepare(o->hand.program, 0, o->bench->impl->name));
	n->pub.accum = o->accum;
	HLX_TRY(hlx_build_record(o->hand.program, 0, false));
	if (o->grads)
		HLX_TRY(hlx_build_record(o->hand.program, 0, true));
	return hlx_check_node_end(o->bench, &o->hand);
}

/* -- data -------------------------------------------------------------------------------------------------- */

static void fill(struct one *o, enum hlx_family family)
{
	for (uint32_t s = 0; s < o->node.n_slots; s++) {
		uint64_t stream = hlx_data_stream(slot_of(o, s)->name, 0), n = elements(o, s, false);
		uint32_t *words = o->value[s], below = 1;
		for (uint32_t i = 0; i < o->c->n_in; i++)
			if (!strcmp(o->c->in[i].name, slot_of(o, s)->name))
				below = o->c->in[i].below;
		if (o->desc[s].dtype == HLX_U32)
			for (uint64_t i = 0; i < n; i++)
				words[i] = hlx_data_index(family, stream, i, below);
		else
			hlx_data_floats(o->value[s], n, family, stream);
		hlx_data_floats(o->grad[s], elements(o, s, true), family, stream + 1);
	}
}

static int transfer(struct one *o, uint32_t s, bool grad, bool write, void *data)
{
	uint32_t cell = grad ? o->hand.program->node[0].grad[s] : o->hand.program->node[0].value[s];
	uint64_t at;
	const struct hlx_memory *m = hlx_cell_memory(o->hand.program, cell, &at);

	return write ? hlx_memory_write(o->bench->dev, m, at, elements(o, s, grad) * 4, data) :
		hlx_memory_read(o->bench->dev, m, at, elements(o, s, grad) * 4, data);
}

static int compare(struct one *o, uint32_t s, bool grad)
{
	uint64_t total = elements(o, s, grad), n = hlx_numel(&o->desc[s]), stride = hlx_slot_stride(&o->desc[s]), at = n;
	const float *want = grad ? o->grad[s] : o->value[s];
	float *got = malloc(total * 4 + 4);
	int status = got ? transfer(o, s, grad, false, got) : hlx_no_memory();

	for (uint64_t run = 0; status >= 0 && run + n <= total; run += stride)
		if ((at = hlx_data_compare(got + run, want + run, n)) < n) {
			hlx_check_complain(o->bench, o->c, o->what, "%s of %s: run %llu, element %llu of %llu is %08x (%g), want %08x (%g)",
					grad ? "gradient" : "value", slot_of(o, s)->name, (unsigned long long)(run / stride),
					(unsigned long long)at, (unsigned long long)n, hlx_bits(got[run + at]),
					(double)got[run + at], hlx_bits(want[run + at]), (double)want[run + at]);
			break;
		}
	free(got);
	return status;
}

static int run(struct one *o, enum hlx_family family)
{
	const struct hlx_step step = { .size = sizeof(step), .train = o->node.train, .step = 1, .n_seq = 1 };

	fill(o, family);
	o->node.grads = o->grads;
	o->node.accum = o->accum;
	for (uint32_t s = 0; s < o->node.n_slots; s++)
		if (o->desc[s].rank) {
			HLX_TRY(transfer(o, s, false, true, o->value[s]));
			HLX_TRY(transfer(o, s, true, true, o->grad[s]));
		}
	HLX_TRY(o->c->op->ref_forward(&o->node, o->value, &step));
	if (o->grads)
		HLX_TRY(o->c->op->ref_backward(&o->node, o->value, o->grad, &step));
	HLX_TRY(hlx_program_run(o->hand.program, &step));
	for (uint32_t s = 0; s < o->node.n_slots; s++)
		if (o->desc[s].rank) {
			HLX_TRY(compare(o, s, false));
			HLX_TRY(compare(o, s, true));
		}
	return 0;
}

static void finish(struct one *o)
{
	hlx_check_node_destroy(&o->hand);
	for (uint32_t s = 0; s < HLX_MAX_SLOTS; s++) {
		free(o->value[s]);
		free(o->grad[s]);
	}
	free(o->attrs);
}

void hlx_check_bits_run(struct hlx_check *b, const struct hlx_check_case *c, uint64_t which, uint64_t accum,
		enum hlx_family family)
{
	struct one o = { .bench = b, .c = c };
	int status = make_node(&o);
	bool skip = status >= 0 && is_view(&o);

	o.node.train = which != 0;
	for (uint32_t s = 0; s < o.node.n_slots; s++)
		if (differentiable(&o, s))
			o.grads |= which & 1ull << s;
	for (uint32_t s = 0; s < o.node.n_slots; s++) /* of outputs only a slotted one can be added to */
		if (o.grads >> s & 1 || slot_of(&o, s)->flags & HLX_SLOTTED)
			o.accum |= accum & 1ull << s;
	snprintf(o.what, sizeof(o.what), "%s, grads %llx, accum %llx", hlx_family_name[family], (unsigned long long)o.grads,
			(unsigned long long)o.accum);
	skip |= (which && !o.grads) || (status >= 0 && !skip && hlx_check_refuses(b, &o.node));
	if (status >= 0 && !skip)
		status = make_program(&o);
	if (status == 0 && !skip) {
		status = run(&o, family);
		b->ran++;
	}
	if (status < 0)
		hlx_check_complain(b, c, o.what, "%s", hlx_message());
	b->status = status < 0 ? status : 0;
	finish(&o);
}

void hlx_check_bits_case(struct hlx_check *b, const struct hlx_check_case *c)
{
	uint32_t n = 0;

	while (c->op->slots[n].name)
		n++;
	hlx_check_bits_run(b, c, ~0ull, ~0ull, HLX_FAMILY_NORMAL);
	hlx_check_bits_run(b, c, ~0ull, ~0ull, HLX_FAMILY_MIXED);
	for (uint32_t s = 0; s < n; s++) {
		hlx_check_bits_run(b, c, 1ull << s, 0, HLX_FAMILY_NORMAL);
		hlx_check_bits_run(b, c, ~0ull, 1ull << s, HLX_FAMILY_NORMAL);
	}
}
