#include "core/bench/one.h"

#include <stdlib.h>
#include <string.h>

#include "core/program/build.h"
#include "core/check/data.h"
#include "core/check/node.h"
#include "core/check/run.h"
#include "core/vulkan/host.h"
#include "core/numerics.h"
#include "core/registry/registry.h"

#define PATTERN (1u << 18) /* elements: values repeat after that many */

struct one {
	struct hlx_check check;
	struct hlx_timer *timer;
	const struct hlx_check_case *c;
	struct hlx_check_node hand;
	struct hlx_node node; /* as infer() leaves it */
	struct hlx_desc desc[HLX_MAX_SLOTS];
	struct hlx_init init[HLX_MAX_SLOTS];
	void *attrs;
	uint64_t wanted; /* gradients there can be */
	void *pattern;
};

static const struct hlx_slot *slot_of(const struct one *o, uint32_t s)
{
	return &o->c->op->slots[s];
}

static bool is_wired(const struct hlx_op *op)
{
	return op->kind == HLX_LAYER || op->kind == HLX_LOSS;
}

static uint64_t elements(const struct one *o, uint32_t s, bool grad)
{
	const struct hlx_desc *d = &o->desc[s];
	bool runs = grad ? slot_of(o, s)->role == HLX_PARAM : (slot_of(o, s)->flags & HLX_SLOTTED) != 0;

	return runs ? hlx_slot_stride(d) * o->node.slots : hlx_numel(d);
}

struct hlx_work hlx_bench_node_work(const struct hlx_op *op, const struct hlx_node *node, bool backward)
{
	struct hlx_work (*work)(const struct hlx_node *, bool) = HLX_LATER(op, work);

	return work ? work(node, backward) : (struct hlx_work){ 0, 0 };
}

/* -- the node ---------------------------------------------------------------------------------------------- */

static int infer(struct one *o)
{
	const struct hlx_check_case *c = o->c;

	HLX_TRY(hlx_check_node_attrs(c, &o->attrs));
	o->node = (struct hlx_node){ .struct_size = sizeof(o->node), .name = "case", .train = 1, .desc = o->desc,
		.init = o->init, .attrs = o->attrs, .key = hlx_stream(HLX_PURPOSE_NODE, "t") };
	while (c->op->slots[o->node.n_slots].name)
		o->node.n_slots++;
	for (uint32_t i = 0; i < c->n_in; i++)
		HLX_TRY(hlx_desc_check(&c->in[i].desc, c->in[i].name));
	for (uint32_t s = 0; s < o->node.n_slots; s++) {
		const struct hlx_check_input *in = hlx_check_case_input(c, slot_of(o, s)->name);
		if (in)
			o->desc[s] = in->desc;
	}
	for (uint32_t s = 0; s < o->node.n_slots; s++)
		if (slot_of(o, s)->role == HLX_IN && !(slot_of(o, s)->flags & HLX_OPTIONAL) && !o->desc[s].rank)
			return hlx_fail(HLX_EINVAL, "%s is missing", slot_of(o, s)->name);
	HLX_TRY(c->op->infer(&hlx_registry_host(o->check.registry)->pub, &o->node));
	for (uint32_t s = 0; s < o->node.n_slots; s++) {
		const struct hlx_slot *slot = slot_of(o, s);
		if (o->desc[s].rank)
			HLX_TRY(hlx_desc_check(&o->desc[s], slot->name));
		if (o->desc[s].view_of)
			return hlx_fail(HLX_ENOTSUP, "a view: nothing is copied, so nothing runs");
		if (is_wired(c->op) && o->desc[s].rank && o->desc[s].dtype == HLX_F32 && !(slot->flags & HLX_NOGRAD) &&
				(slot->role == HLX_IN || slot->role == HLX_PARAM))
			o->wanted |= 1ull << s;
	}
	return 0;
}

static int begin(struct one *o)
{
	uint64_t batch = o->c->in[0].desc.rank > 1 ? o->c->in[0].desc.dim[0] : 1;
	uint64_t slots = is_wired(o->c->op) ? 0 : hlx_check_slotted(o->c->op) ? 8 : 1;

	HLX_TRY(hlx_check_node_graph(&o->check, slots ? slots : batch, slots, &o->hand));
	if (o->check.impl->tier == HLX_DEVICE)
		o->hand.graph->options.mode = HLX_DEVICE;
	o->node.slots = (uint32_t)o->hand.graph->options.slots;
	return 0;
}

/* Before anything is recorded: of tensors that no device holds, windows without end would be. */
static int check_room(const struct one *o)
{
	const struct hlx_program *p = o->hand.program;
	uint64_t need = 0, have = hlx_memory_available(o->check.dev);

	for (uint32_t i = 0; i < p->n_cells; i++)
		need += p->cell[i].bytes;
	return need <= have ? 0 : hlx_fail(HLX_ENOMEM, "tensors and gradients of %llu MiB: %s has %llu MiB free",
			(unsigned long long)need >> 20, o->check.dev->info.name, (unsigned long long)have >> 20);
}

static int make_program(struct one *o, uint64_t grads)
{
	struct hlx_prog_node *n;

	HLX_TRY(begin(o));
	HLX_TRY(hlx_check_node_begin(&o->check, o->c, &o->hand));
	n = &o->hand.program->node[0];
	memcpy(n->desc, o->desc, sizeof(o->desc));
	n->pub.train = is_wired(o->c->op);
	n->pub.grads = o->node.grads = grads;
	for (uint32_t s = 0; s < o->node.n_slots; s++) {
		if (o->desc[s].rank)
			HLX_TRY(hlx_check_node_cell(&o->hand, elements(o, s, false) * 4, &n->value[s]));
		if (o->desc[s].rank && is_wired(o->c->op))
			HLX_TRY(hlx_check_node_cell(&o->hand, elements(o, s, true) * 4, &n->grad[s]));
	}
	HLX_TRY(check_room(o));
	HLX_TRY(hlx_build_prepare(o->hand.program, 0, o->check.impl->name));
	HLX_TRY(hlx_build_record(o->hand.program, 0, false));
	if (grads)
		HLX_TRY(hlx_build_record(o->hand.program, 0, true));
	return hlx_check_node_end(&o->check, &o->hand);
}

/* -- data -------------------------------------------------------------------------------------------------- */

static uint32_t below(const struct one *o, uint32_t s)
{
	const struct hlx_check_input *in = hlx_check_case_input(o->c, slot_of(o, s)->name);

	return in ? in->below : 1;
}

static uint64_t numel_of(const struct one *o, const char *slot)
{
	for (uint32_t s = 0; s < o->node.n_slots; s++)
		if (!strcmp(slot_of(o, s)->name, slot))
			return hlx_numel(&o->desc[s]);
	return 0;
}

/* Word i of a hash's blocks, as of one tensor: place / 64, elements, tensor, number. */
static uint32_t block_word(uint64_t array, uint64_t i)
{
	uint64_t block = i / 4, place = array ? block * HLX_HASH_BLOCK % array : 0, left = array - place;
	const uint64_t word[] = { place / 64, left < HLX_HASH_BLOCK ? left : HLX_HASH_BLOCK, 0, block };

	return (uint32_t)word[i % 4];
}

/* What plugin.h says of a hash's blocks and a norm's table; and numbers of a kind elsewhere. */
static void fill_words(const struct one *o, uint32_t s, uint32_t *out, uint64_t first, uint64_t n)
{
	const char *name = slot_of(o, s)->name;
	bool blocks = o->c->op->kind == HLX_HASH && !strcmp(name, "blocks");
	bool table = o->c->op->kind == HLX_NORM && !strcmp(name, "table");
	uint64_t array = blocks ? numel_of(o, "array0") : 0, squares = table ? numel_of(o, "squares") : 0;
	uint64_t last = hlx_numel(&o->desc[s]) - 1;

	for (uint64_t i = first; i < first + n; i++)
		out[i - first] = blocks ? block_word(array, i) : table ? (uint32_t)(last ? i * squares / last : 0) :
			hlx_data_index(HLX_FAMILY_NORMAL, s, i, below(o, s));
}

static int fill_cell(struct one *o, uint32_t s, uint32_t cell, uint64_t n)
{
	uint64_t at;
	const struct hlx_memory *m = hlx_cell_memory(o->hand.program, cell, &at);
	bool words = o->desc[s].dtype == HLX_U32;

	if (!words)
		hlx_data_floats(o->pattern, n < PATTERN ? n : PATTERN, HLX_FAMILY_NORMAL, s);
	for (uint64_t i = 0; i < n; i += PATTERN) {
		uint64_t some = n - i < PATTERN ? n - i : PATTERN;
		if (words)
			fill_words(o, s, o->pattern, i, some);
		HLX_TRY(hlx_memory_write(o->check.dev, m, at + i * 4, some * 4, o->pattern));
	}
	return 0;
}

static int fill(struct one *o)
{
	const struct hlx_prog_node *n = &o->hand.program->node[0];

	for (uint32_t s = 0; s < o->node.n_slots; s++) {
		if (n->value[s] != HLX_NONE)
			HLX_TRY(fill_cell(o, s, n->value[s], elements(o, s, false)));
		if (n->grad[s] != HLX_NONE && slot_of(o, s)->role == HLX_OUT)
			HLX_TRY(fill_cell(o, s, n->grad[s], elements(o, s, true)));
	}
	return 0;
}

/* -- passes ------------------------------------------------------------------------------------------------ */

static int time_pass(struct one *o, struct hlx_bench_pass *pass)
{
	struct hlx_program *p = o->hand.program;
	uint32_t forward = 0, first, n;

	while (forward < p->n_steps && !p->step[forward].backward)
		forward++;
	first = pass->backward ? forward : 0;
	n = pass->backward ? p->n_steps - forward : forward;
	pass->work = hlx_bench_node_work(o->c->op, &p->node[0].pub, pass->backward);
	for (uint32_t i = first; i < first + n; i++)
		pass->dispatches += p->step[i].kind == HLX_DISPATCH;
	if (!n)
		return hlx_fail(HLX_ENOTSUP, "nothing runs");
	return hlx_timer_steps(o->timer, p, first, n, &pass->seconds);
}

/* The program of one set of gradients; its passes from pass[i] on that have this set. */
static int run_program(struct one *o, struct hlx_bench_pass *pass, uint32_t n)
{
	const struct hlx_step step = { .size = sizeof(step), .train = 1, .step = 1, .n_seq = 1, .lr = 1e-4f };
	int status = make_program(o, pass->grads);

	if (status >= 0)
		status = fill(o);
	if (status >= 0)
		status = hlx_program_run(o->hand.program, &step);
	for (uint32_t i = 0; i < n && status >= 0; i++)
		status = time_pass(o, &pass[i]);
	hlx_check_node_destroy(&o->hand);
	o->hand = (struct hlx_check_node){ 0 };
	return status;
}

static void name_pass(const struct one *o, struct hlx_bench_pass *pass)
{
	size_t at = (size_t)snprintf(pass->name, sizeof(pass->name), "backward");

	for (uint32_t s = 0; s < o->node.n_slots; s++)
		if (pass->grads >> s & 1 && at < sizeof(pass->name))
			at += (size_t)snprintf(pass->name + at, sizeof(pass->name) - at, "%s%s", at == 8 ? " " : ",",
					slot_of(o, s)->name);
}

/* Forward, backward, and where there are several gradients each input's alone, and all parameters' together. */
static uint32_t list_passes(const struct one *o, struct hlx_bench_pass *pass)
{
	uint64_t params = 0;
	uint32_t n = 0;

	pass[n++] = (struct hlx_bench_pass){ .name = "forward", .grads = o->wanted };
	if (!o->wanted)
		return n;
	pass[n++] = (struct hlx_bench_pass){ .name = "backward", .backward = true, .grads = o->wanted };
	for (uint32_t s = 0; s < o->node.n_slots; s++) {
		if (o->wanted >> s & 1 && slot_of(o, s)->role == HLX_PARAM)
			params |= 1ull << s;
		else if (o->wanted >> s & 1 && o->wanted != 1ull << s)
			pass[n++] = (struct hlx_bench_pass){ .backward = true, .grads = 1ull << s };
	}
	if (params && params != o->wanted)
		pass[n++] = (struct hlx_bench_pass){ .backward = true, .grads = params };
	for (uint32_t i = 2; i < n; i++)
		name_pass(o, &pass[i]);
	return n;
}

static int run(struct one *o, struct hlx_bench_pass *pass, uint32_t *n)
{
	uint32_t whole;

	HLX_TRY(infer(o));
	if (!o->check.impl->backward)
		o->wanted = 0;
	if (!(o->pattern = malloc(PATTERN * 4)))
		return hlx_no_memory();
	*n = list_passes(o, pass);
	whole = *n < 2 ? *n : 2;
	HLX_TRY(run_program(o, pass, whole));
	for (uint32_t i = whole; i < *n; i++)
		HLX_TRY(run_program(o, &pass[i], 1));
	return 0;
}

int hlx_bench_one(struct hlx_timer *timer, struct hlx_registry *registry, const struct hlx_check_case *c,
		const struct hlx_impl *impl, struct hlx_bench_pass pass[HLX_BENCH_PASSES], uint32_t *n)
{
	struct one o = { .check = { .registry = registry, .dev = timer->dev, .impl = impl }, .timer = timer, .c = c };
	int status = run(&o, pass, n);

	free(o.attrs);
	free(o.pattern);
	return status;
}

int hlx_bench_work(struct hlx_registry *registry, const struct hlx_check_case *c, struct hlx_work *out)
{
	struct one o = { .check = { .registry = registry }, .c = c };
	int status = infer(&o);

	*out = (struct hlx_work){ 0, 0 };
	if (status >= 0) {
		struct hlx_work back = { 0, 0 };
		o.node.slots = 8;
		o.node.grads = o.wanted;
		*out = hlx_bench_node_work(c->op, &o.node, false);
		if (o.wanted)
			back = hlx_bench_node_work(c->op, &o.node, true);
		out->ops += back.ops;
		out->bytes += back.bytes;
	}
	free(o.attrs);
	return status;
}
