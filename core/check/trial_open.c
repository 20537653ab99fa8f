/* trial_open.c - a trial's node, the parts of its memory, and its program with guards round what its kernels see. */
#include "core/check/trial.h"

#include <stdlib.h>
#include <string.h>

#include <spirv/unified1/spirv.h>

#include "core/program/build.h"
#include "core/vulkan/host.h"
#include "core/numerics.h"
#include "core/registry/registry.h"

#define GRADS HLX_MAX_SLOTS /* where the gradients' parts begin */

static const char *const layout_name[HLX_LAYOUT_COUNT] = { "", ", behind others", ", columns of wider rows", ", middle axes swapped",
	", last axes swapped" };

/* -- the node ---------------------------------------------------------------------------------------------- */

static bool is_differentiable(const struct hlx_trial *t, uint32_t s)
{
	const struct hlx_slot *slot = hlx_trial_slot(t, s);

	return t->desc[s].rank && t->desc[s].dtype == HLX_F32 && !(slot->flags & HLX_NOGRAD) &&
		(slot->role == HLX_IN || slot->role == HLX_PARAM);
}

static void swap_axes(struct hlx_desc *d, uint32_t a, uint32_t b)
{
	uint64_t dim[HLX_MAX_RANK];
	uint64_t stride = 1;

	memcpy(dim, d->dim, sizeof(dim));
	for (uint32_t k = d->rank; k-- > 0;) {
		uint32_t axis = k == a ? b : k == b ? a : k;
		d->stride[axis] = stride;
		stride *= dim[axis];
	}
}

/* False: this tensor lies no other way then. */
static bool lay_out(struct hlx_desc *d, enum hlx_layout layout)
{
	uint64_t stride = 1;

	switch (layout) {
	case HLX_LAYOUT_DENSE: break;
	case HLX_LAYOUT_BEHIND: d->offset = HLX_ALIGN / 4; break;
	case HLX_LAYOUT_COLUMNS:
		d->offset = 3;
		for (uint32_t k = d->rank; k-- > 0; stride *= d->dim[k] + (k + 1 == d->rank ? 5 : 0))
			d->stride[k] = stride;
		break;
	case HLX_LAYOUT_HEADS:
		if (d->rank == 4)
			swap_axes(d, 1, 2);
		return d->rank == 4;
	default:
		if (d->rank > 1)
			swap_axes(d, d->rank - 2, d->rank - 1);
		return d->rank > 1;
	}
	return true;
}

/* Inputs as they come, then infer(), then the outputs that a graph would lay out: 1 where nothing lies so. */
static int describe(struct hlx_trial *t)
{
	const struct hlx_check_case *c = t->c;
	bool any = t->how.layout == HLX_LAYOUT_DENSE;

	for (uint32_t s = 0; s < t->node.n_slots; s++) {
		const struct hlx_check_input *in = hlx_check_case_input(c, hlx_trial_slot(t, s)->name);
		if (!in)
			continue;
		t->desc[s] = in->desc;
		if (hlx_trial_slot(t, s)->role == HLX_IN && t->desc[s].dtype == HLX_F32)
			any |= lay_out(&t->desc[s], t->how.layout);
	}
	if (!any)
		return 1;
	HLX_TRY(c->op->infer(&hlx_registry_host(t->bench->registry)->pub, &t->node));
	for (uint32_t s = 0; s < t->node.n_slots; s++) {
		const struct hlx_slot *slot = hlx_trial_slot(t, s);
		if (t->desc[s].view_of)
			return 1;
		if (slot->role == HLX_OUT && t->desc[s].rank) {
			HLX_TRY(hlx_desc_check(&t->desc[s], slot->name));
			hlx_contiguous(&t->desc[s]);
			t->desc[s].offset = 0;
			if (!(slot->flags & HLX_SLOTTED) && t->desc[s].dtype == HLX_F32)
				lay_out(&t->desc[s], t->how.layout);
		} else if (slot->role == HLX_PARAM && t->desc[s].rank) {
			HLX_TRY(hlx_desc_check(&t->desc[s], slot->name));
			hlx_contiguous(&t->desc[s]);
		}
	}
	return 0;
}

static int make_node(struct hlx_trial *t)
{
	const struct hlx_check_case *c = t->c;
	uint64_t batch = c->in[0].desc.rank > 1 ? c->in[0].desc.dim[0] : 1;

	t->unwired = c->op->kind != HLX_LAYER && c->op->kind != HLX_LOSS;
	HLX_TRY(hlx_check_node_graph(t->bench, t->unwired ? t->how.slots : batch, t->how.slots, &t->hand));
	HLX_TRY(hlx_check_node_attrs(c, &t->attrs));
	t->node = (struct hlx_node){ .struct_size = sizeof(t->node), .name = "t", .train = t->unwired || t->how.grads,
		.desc = t->desc, .init = t->init, .attrs = t->attrs, .key = hlx_stream(HLX_PURPOSE_NODE, "t") };
	while (c->op->slots[t->node.n_slots].name)
		t->node.n_slots++;
	return describe(t);
}

/* -- parts ------------------------------------------------------------------------------------------------- */

static bool is_output(const struct hlx_trial *t, uint32_t s, bool grad)
{
	enum hlx_role role = hlx_trial_slot(t, s)->role;

	return grad ? t->node.grads >> s & 1 : role == HLX_OUT || role == HLX_STATE;
}

static void mark(struct hlx_trial_part *p, const struct hlx_desc *d, uint64_t runs)
{
	bool dense = hlx_is_contiguous(d);

	for (uint64_t r = 0; r < runs; r++) {
		unsigned char *own = p->own + p->first + r * hlx_slot_stride(d);
		if (dense)
			memset(own, 1, hlx_numel(d));
		for (uint64_t i = 0; i < hlx_numel(d) && !dense; i++)
			own[hlx_trial_place(d, i)] = 1;
	}
}

static int make_part(struct hlx_trial *t, uint32_t s, bool grad)
{
	struct hlx_trial_part *p = &t->part[grad ? GRADS + s : s];
	const struct hlx_slot *slot = hlx_trial_slot(t, s);
	const struct hlx_desc *d = &t->desc[s];
	uint64_t all;

	p->sums = grad ? slot->role == HLX_PARAM : (slot->flags & HLX_SLOTTED) != 0;
	p->words = p->sums ? hlx_slot_stride(d) * t->node.slots : d->offset + hlx_extent(d);
	p->first = p->sums ? 0 : d->offset;
	p->elements = hlx_numel(d) * (p->sums ? t->node.slots : 1);
	p->f32 = d->dtype == HLX_F32;
	p->present = true;
	p->output = is_output(t, s, grad);
	all = p->words + HLX_TRIAL_GUARD;
	p->before = malloc(all * 4);
	p->want = malloc(all * 4);
	p->got = malloc(all * 4);
	p->own = calloc(all, 1);
	if (!p->before || !p->want || !p->got || !p->own)
		return hlx_no_memory();
	mark(p, d, p->sums ? t->node.slots : 1);
	return 0;
}

static int make_parts(struct hlx_trial *t)
{
	for (uint32_t s = 0; s < t->node.n_slots; s++) {
		if (is_differentiable(t, s))
			t->node.grads |= t->how.grads & 1ull << s;
		if (t->node.grads >> s & 1 || hlx_trial_slot(t, s)->flags & HLX_SLOTTED) /* of outputs only partial sums */
			t->node.accum |= t->how.accum & 1ull << s;
	}
	t->node.slots = (uint32_t)t->hand.graph->options.slots;
	snprintf(t->what, sizeof(t->what), "grads %llx, accum %llx, %u slots%s", (unsigned long long)t->node.grads,
			(unsigned long long)t->node.accum, t->node.slots, layout_name[t->how.layout]);
	if ((t->how.grads && !t->node.grads) || (t->how.accum && !t->node.accum))
		return 1;
	for (uint32_t s = 0; s < t->node.n_slots; s++)
		if (t->desc[s].rank) {
			HLX_TRY(make_part(t, s, false));
			if (!t->unwired)
				HLX_TRY(make_part(t, s, true));
		}
	return 0;
}

/* -- the program ------------------------------------------------------------------------------------------- */

static bool asks_for_length(const struct hlx_pipeline *p)
{
	const uint32_t *code = p->shader->code;

	for (size_t at = 5; at < p->shader->size / 4 && code[at] >> 16; at += code[at] >> 16)
		if ((code[at] & 0xffff) == SpvOpArrayLength)
			return true;
	return false;
}

static void widen(struct hlx_program *p, struct hlx_prog_step *step)
{
	bool sees = step->kind == HLX_DISPATCH ? !asks_for_length(step->pipeline) : step->kind == HLX_HOST_CALL;

	for (uint32_t k = 0; k < step->n_access && sees; k++) {
		struct hlx_access *a = &step->access[k];
		if (a->cell > p->steps_cell && a->cell < p->n_cells && !a->texel && a->offset + a->range == p->cell[a->cell].bytes)
			a->range += HLX_TRIAL_GUARD * 4;
	}
}

/* Cells grow by a guard, and with them the windows that end where they end: after recording, so that no plugin knows. */
static void add_guards(struct hlx_program *p)
{
	for (uint32_t i = 0; i < p->n_steps; i++)
		widen(p, &p->step[i]);
	for (uint32_t c = p->steps_cell + 1; c < p->n_cells; c++) {
		p->cell[c].bytes += HLX_TRIAL_GUARD * 4;
		p->cell[c].persistent = true;
	}
}

/* As the core does it: prepare() knows which gradients are wanted, what they are added to only backward() knows. */
static int make_program(struct hlx_trial *t)
{
	struct hlx_prog_node *n;

	HLX_TRY(hlx_check_node_begin(t->bench, t->c, &t->hand));
	n = &t->hand.program->node[0];
	memcpy(n->desc, t->desc, sizeof(t->desc));
	n->pub.train = t->node.train;
	n->pub.grads = t->node.grads;
	for (uint32_t s = 0; s < t->node.n_slots; s++) {
		struct hlx_trial_part *v = &t->part[s], *g = &t->part[GRADS + s];
		if (v->present)
			HLX_TRY(hlx_check_node_cell(&t->hand, v->words * 4, &n->value[s]));
		if (g->present)
			HLX_TRY(hlx_check_node_cell(&t->hand, g->words * 4, &n->grad[s]));
		v->cell = n->value[s];
		g->cell = n->grad[s];
	}
	HLX_TRY(hlx_build_prepare(t->hand.program, 0, t->bench->impl->name));
	n->pub.accum = t->node.accum;
	HLX_TRY(hlx_build_record(t->hand.program, 0, false));
	if (t->node.grads)
		HLX_TRY(hlx_build_record(t->hand.program, 0, true));
	add_guards(t->hand.program);
	return hlx_check_node_end(t->bench, &t->hand);
}

/* What is left behind by one pass must not show in the next, so this is done but once. */
static int poison_all(const struct hlx_program *p)
{
	for (int a = 0; a < HLX_ARENA_COUNT; a++)
		for (uint32_t i = 0; i < p->n_chunks[a] && a != HLX_ARENA_PARAMETERS && a != HLX_ARENA_RESULTS; i++) {
			const struct hlx_memory *m = &p->chunk[a][i];
			void *bytes = malloc(m->size);
			int status = bytes ? 0 : hlx_no_memory();
			if (bytes) {
				memset(bytes, 0xff, m->size);
				status = hlx_memory_write(p->dev, m, 0, m->size, bytes);
			}
			free(bytes);
			HLX_TRY(status);
		}
	return 0;
}

static int open(struct hlx_trial *t, bool device)
{
	int status = make_node(t);

	if (status == 0)
		status = make_parts(t);
	if (status == 0 && device && hlx_check_refuses(t->bench, &t->node))
		return 1;
	if (status == 0 && device)
		status = make_program(t);
	return status == 0 && device ? poison_all(t->hand.program) : status;
}

int hlx_trial_open(struct hlx_trial *t, struct hlx_check *b, const struct hlx_check_case *c, const struct hlx_trial_how *how,
		enum hlx_check_id asking)
{
	*t = (struct hlx_trial){ .bench = b, .c = c, .how = *how, .asking = asking };
	return open(t, true);
}

int hlx_trial_open_reference(struct hlx_trial *t, struct hlx_check *b, const struct hlx_check_case *c,
		const struct hlx_trial_how *how)
{
	*t = (struct hlx_trial){ .bench = b, .c = c, .how = *how, .asking = HLX_CHECK_DENORMALS };
	return open(t, false);
}

void hlx_trial_finish(struct hlx_trial *t)
{
	hlx_check_node_destroy(&t->hand);
	for (uint32_t i = 0; i < 2 * HLX_MAX_SLOTS; i++) {
		free(t->part[i].before);
		free(t->part[i].want);
		free(t->part[i].got);
		free(t->part[i].own);
	}
	free(t->attrs);
}

