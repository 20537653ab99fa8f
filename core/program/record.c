/* record.c - what a plugin records is checked against the kernel's own SPIR-V, and kept with cells for slots. */
#include <string.h>

#include "core/program/program.h"

static int resolve(struct hlx_rec *rec, const struct hlx_arg *a, const char *what, struct hlx_access *out)
{
	struct hlx_program *p = rec->program;
	const struct hlx_prog_node *n = &p->node[rec->node];
	static const char *const names[] = { "value", "gradient", "saved bytes", "work bytes", "step" };
	uint32_t cell = HLX_NONE, kind = a->what < HLX_NEXT_VALUE ? a->what : a->what - HLX_NEXT_VALUE;
	uint64_t bytes;

	if (a->what >= HLX_NEXT_VALUE && n->next[rec->backward] != HLX_NONE)
		n = &p->node[n->next[rec->backward]];
	else if (a->what >= HLX_NEXT_VALUE)
		kind = UINT32_MAX;
	if (kind > HLX_STEP || (kind <= HLX_GRAD && a->slot >= n->pub.n_slots))
		return hlx_fail(HLX_EPLUGIN, "%s: slot %u, what %u: there is no such thing", what, a->slot, a->what);
	switch (kind) {
	case HLX_VALUE: cell = n->value[a->slot]; break;
	case HLX_GRAD: cell = n->grad[a->slot]; break;
	case HLX_SAVED: cell = n->saved; break;
	case HLX_WORK: cell = n->work[rec->backward]; break;
	case HLX_STEP: cell = p->steps_cell; break;
	}
	if (cell == HLX_NONE || p->cell[cell].dropped)
		return hlx_fail(HLX_EPLUGIN, "%s: the %s of %s is not there", what, names[kind],
				kind <= HLX_GRAD ? n->op->slots[a->slot].name : "the node");
	*out = (struct hlx_access){ .cell = cell, .offset = a->offset, .range = a->range, .texel = a->how == HLX_TEXEL,
		.next = a->what >= HLX_NEXT_VALUE };
	if (a->what == HLX_STEP) {
		out->offset = n->step_offset;
		out->range = HLX_ALIGN;
	}
	bytes = p->cell[cell].bytes;
	if (out->offset % HLX_ALIGN || out->offset >= bytes || out->range > bytes - out->offset)
		return hlx_fail(HLX_EPLUGIN, "%s: the window at %llu of %llu bytes leaves the %s (%llu bytes) or starts at no "
				"multiple of %u", what, (unsigned long long)out->offset, (unsigned long long)out->range,
				names[kind], (unsigned long long)bytes, HLX_ALIGN);
	if (!out->range)
		out->range = bytes - out->offset;
	return 0;
}

static int append(struct hlx_rec *rec, const struct hlx_prog_step *s)
{
	struct hlx_program *p = rec->program;
	struct hlx_prog_step *grown = hlx_grow(p->step, p->n_steps, sizeof(*grown));

	if (!grown)
		return HLX_ENOMEM;
	p->step = grown;
	grown[p->n_steps] = *s;
	grown[p->n_steps].node = rec->node;
	grown[p->n_steps].phase = p->phase;
	grown[p->n_steps].backward = rec->backward;
	for (uint32_t i = 0; i < s->n_access; i++)
		for (uint32_t c = s->access[i].cell; c != HLX_NONE; c = p->cell[c].parent) {
			if (p->cell[c].first == HLX_NONE)
				p->cell[c].first = p->n_steps;
			p->cell[c].last = p->n_steps;
		}
	p->n_steps++;
	return 0;
}

/* Argument i against binding i of the kernel. */
static int bind(struct hlx_rec *rec, const struct hlx_pipeline *pl, uint32_t i, const struct hlx_arg *a,
		struct hlx_access *out)
{
	const struct hlx_binding *b = &pl->reflect.binding[i];
	const struct hlx_caps *caps = &rec->program->dev->info.caps;
	enum hlx_binding_kind kind = a->what == HLX_STEP ? HLX_BIND_UBO : a->how == HLX_TEXEL ? HLX_BIND_TEXEL :
		HLX_BIND_SSBO;
	char what[160];

	snprintf(what, sizeof(what), "%s.comp, binding %u", pl->shader->name, b->binding);
	if (kind != b->kind)
		return hlx_fail(HLX_EPLUGIN, "%s: the argument is of another kind (SSBO, texel, step) than the kernel's", what);
	HLX_TRY(resolve(rec, a, what, out));
	out->read = b->read;
	out->write = b->write;
	out->tensor = a->what <= HLX_GRAD ? (uint8_t)(a->slot + 1) : 0;
	if (b->elem_bytes && out->range < b->elem_bytes && out->range < 4)
		return hlx_fail(HLX_EPLUGIN, "%s: %llu bytes for elements of %u", what, (unsigned long long)out->range,
				b->elem_bytes);
	if (kind == HLX_BIND_SSBO && out->range > caps->max_range)
		return hlx_fail(HLX_ENOTSUP, "%s: a window of %llu bytes, the device sees at most %llu", what,
				(unsigned long long)out->range, (unsigned long long)caps->max_range);
	if (kind == HLX_BIND_TEXEL) {
		out->range = (out->range + 15) / 16 * 16; /* cells are padded to HLX_ALIGN */
		if (out->range / 16 > caps->max_texels)
			return hlx_fail(HLX_ENOTSUP, "%s: %llu texels, the device sees at most %llu", what,
					(unsigned long long)out->range / 16, (unsigned long long)caps->max_texels);
	}
	return 0;
}

static int dispatch(struct hlx_rec *rec, struct hlx_pipeline *pl, const struct hlx_arg *args, uint32_t n_args,
		const void *push, size_t push_size, uint32_t x, uint32_t y, uint32_t z)
{
	const struct hlx_caps *caps = &rec->program->dev->info.caps;
	struct hlx_prog_step s = { .kind = HLX_DISPATCH, .pipeline = pl, .n_access = n_args, .groups = { x, y, z },
		.push_bytes = (uint32_t)push_size };

	if (!x || !y || !z)
		return 0;
	if (!n_args || n_args != pl->reflect.n_bindings)
		return hlx_fail(HLX_EPLUGIN, "%s.comp: %u arguments, the kernel has %u bindings", pl->shader->name, n_args,
				pl->reflect.n_bindings);
	if (push_size != pl->reflect.push_bytes || push_size > sizeof(s.push))
		return hlx_fail(HLX_EPLUGIN, "%s.comp: %zu bytes of push constants, the kernel has %u", pl->shader->name,
				push_size, pl->reflect.push_bytes);
	if (x > caps->max_groups[0] || y > caps->max_groups[1] || z > caps->max_groups[2])
		return hlx_fail(HLX_EPLUGIN, "%s.comp: (%u, %u, %u) workgroups, the device takes (%u, %u, %u)",
				pl->shader->name, x, y, z, caps->max_groups[0], caps->max_groups[1], caps->max_groups[2]);
	if (push_size)
		memcpy(s.push, push, push_size);
	for (uint32_t i = 0; i < n_args; i++)
		HLX_TRY(bind(rec, pl, i, &args[i], &s.access[i]));
	return append(rec, &s);
}

static int fill(struct hlx_rec *rec, const struct hlx_arg *a, uint32_t word)
{
	struct hlx_prog_step s = { .kind = HLX_FILL, .word = word, .n_access = 1 };

	HLX_TRY(resolve(rec, a, "fill", &s.access[0]));
	s.access[0].write = true;
	if (s.access[0].range % 4)
		return hlx_fail(HLX_EPLUGIN, "fill: %llu bytes, want a multiple of 4", (unsigned long long)s.access[0].range);
	return append(rec, &s);
}

static int copy(struct hlx_rec *rec, const struct hlx_arg *dst, const struct hlx_arg *src)
{
	struct hlx_prog_step s = { .kind = HLX_COPY, .n_access = 2 };

	HLX_TRY(resolve(rec, dst, "copy to", &s.access[0]));
	HLX_TRY(resolve(rec, src, "copy from", &s.access[1]));
	s.access[0].write = s.access[1].read = true;
	if (s.access[0].range != s.access[1].range)
		return hlx_fail(HLX_EPLUGIN, "copy: %llu bytes to a window of %llu", (unsigned long long)s.access[1].range,
				(unsigned long long)s.access[0].range);
	if (s.access[0].cell == s.access[1].cell && s.access[0].offset < s.access[1].offset + s.access[1].range &&
			s.access[1].offset < s.access[0].offset + s.access[0].range)
		return hlx_fail(HLX_EPLUGIN, "copy: from and to overlap");
	return append(rec, &s);
}

static int host_call(struct hlx_rec *rec, hlx_host_fn fn, void *ctx, const struct hlx_arg *args, const bool *write,
		uint32_t n_args)
{
	struct hlx_prog_step s = { .kind = HLX_HOST_CALL, .fn = fn, .ctx = ctx, .n_access = n_args };

	if (n_args > HLX_MAX_BINDINGS)
		return hlx_fail(HLX_EPLUGIN, "host call: %u arguments, at most %d", n_args, HLX_MAX_BINDINGS);
	for (uint32_t i = 0; i < n_args; i++) {
		HLX_TRY(resolve(rec, &args[i], "host call", &s.access[i]));
		s.access[i].read = true; /* what it does not write in full must stay */
		s.access[i].write = write[i];
	}
	return append(rec, &s);
}

int hlx_record_copy(struct hlx_program *p, uint32_t node, uint32_t to, uint32_t from)
{
	struct hlx_rec rec = { p, node, false };
	const struct hlx_prog_step s = { .kind = HLX_COPY, .n_access = 2, .access = {
		{ .cell = to, .range = p->cell[to].bytes, .write = true },
		{ .cell = from, .range = p->cell[to].bytes, .read = true } } };

	return append(&rec, &s);
}

int hlx_record_zero(struct hlx_program *p, uint32_t node, uint32_t cell)
{
	struct hlx_rec rec = { p, node, false };
	const struct hlx_prog_step s = { .kind = HLX_FILL, .n_access = 1, .access = {
		{ .cell = cell, .range = p->cell[cell].bytes, .write = true } } };

	return append(&rec, &s);
}

void hlx_record_host(struct hlx_host *h)
{
	h->dispatch = dispatch;
	h->fill = fill;
	h->copy = copy;
	h->host_call = host_call;
}
