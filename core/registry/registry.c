/* registry.c - which ops there are, and which implementations of them.  Their files are loaded in load.c. */
#include "core/registry/registry.h"

#include <stdlib.h>
#include <string.h>

#include "core/vulkan/host.h"

struct entry {
	const void *what; /* struct hlx_op or struct hlx_impl */
	char *file;
};

struct list {
	struct entry *entry;
	size_t count;
};

struct hlx_registry {
	struct list ops, impls, plugins;
	struct hlx_core_host host;
	bool shadow;
};

int hlx_registry_create(struct hlx_registry **out)
{
	struct hlx_registry *r = calloc(1, sizeof(*r));

	if (!r)
		return hlx_no_memory();
	hlx_host_init(&r->host);
	*out = r;
	return 0;
}

void hlx_registry_shadow(struct hlx_registry *r)
{
	r->shadow = true;
}

static void list_finish(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->entry[i].file);
	free(l->entry);
}

void hlx_registry_destroy(struct hlx_registry *r)
{
	if (!r)
		return;
	list_finish(&r->ops);
	list_finish(&r->impls);
	list_finish(&r->plugins);
	free(r);
}

static int list_add(struct list *l, const void *what, const char *file)
{
	struct entry *grown = realloc(l->entry, (l->count + 1) * sizeof(*grown));

	if (!grown)
		return hlx_no_memory();
	l->entry = grown;
	grown[l->count].what = what;
	if (!(grown[l->count].file = strdup(file)))
		return hlx_no_memory();
	l->count++;
	return 0;
}

const struct hlx_op *hlx_registry_op(const struct hlx_registry *r, const char *name)
{
	for (size_t i = 0; i < r->ops.count; i++)
		if (!strcmp(((const struct hlx_op *)r->ops.entry[i].what)->name, name))
			return r->ops.entry[i].what;
	return NULL;
}

const struct hlx_op *hlx_registry_op_of_kind(const struct hlx_registry *r, enum hlx_kind kind)
{
	for (size_t i = 0; i < r->ops.count; i++)
		if (((const struct hlx_op *)r->ops.entry[i].what)->kind == kind)
			return r->ops.entry[i].what;
	return NULL;
}

const struct hlx_op *hlx_registry_op_at(const struct hlx_registry *r, size_t i, const char **file)
{
	if (i >= r->ops.count)
		return NULL;
	if (file)
		*file = r->ops.entry[i].file;
	return r->ops.entry[i].what;
}

const struct hlx_impl *hlx_registry_impl_at(const struct hlx_registry *r, size_t i, const char **file)
{
	if (i >= r->impls.count)
		return NULL;
	if (file)
		*file = r->impls.entry[i].file;
	return r->impls.entry[i].what;
}

const char *hlx_registry_file(const struct hlx_registry *r, const void *what)
{
	for (size_t i = 0; i < r->ops.count; i++)
		if (r->ops.entry[i].what == what)
			return r->ops.entry[i].file;
	for (size_t i = 0; i < r->impls.count; i++)
		if (r->impls.entry[i].what == what)
			return r->impls.entry[i].file;
	return NULL;
}

size_t hlx_registry_op_names(const struct hlx_registry *r, const char **out, size_t room)
{
	size_t n = 0;

	for (; n < r->ops.count && n < room; n++)
		out[n] = ((const struct hlx_op *)r->ops.entry[n].what)->name;
	return n;
}

/* -- what a plugin must be --------------------------------------------------------------------------------- */

static int check_slots(const struct hlx_op *op, const char *path)
{
	size_t n = 0;

	for (; op->slots[n].name; n++)
		if (n + 1 >= HLX_MAX_SLOTS || op->slots[n].role < HLX_IN || op->slots[n].role > HLX_STATE)
			return hlx_fail(HLX_EPLUGIN, "%s: op %s: slot %zu (%s) is not one: at most %d slots", path, op->name,
					n, op->slots[n].name, HLX_MAX_SLOTS - 1);
	return n ? 0 : hlx_fail(HLX_EPLUGIN, "%s: op %s has no slots", path, op->name);
}

static int check_attrs(const struct hlx_op *op, const char *path)
{
	static const size_t width[] = { [HLX_INT] = 8, [HLX_FLOAT] = 8, [HLX_BOOL] = 4, [HLX_ENUM] = 4 };

	if (op->attrs_size > 65536)
		return hlx_fail(HLX_EPLUGIN, "%s: op %s: attrs_size is %zu, at most 65536", path, op->name, op->attrs_size);
	for (const struct hlx_attr *a = op->attrs; a && a->name; a++)
		if (a - op->attrs >= HLX_MAX_ATTRS || a->type < HLX_INT || a->type > HLX_ENUM ||
				a->offset > op->attrs_size || width[a->type] > op->attrs_size - a->offset ||
				a->offset % width[a->type] || (a->type == HLX_ENUM && (!a->names || !a->names[0])))
			return hlx_fail(HLX_EPLUGIN, "%s: op %s: attribute %s does not fit attrs_size %zu", path, op->name,
					a->name, op->attrs_size);
	return 0;
}

static bool same_slots(const struct hlx_op *a, const struct hlx_op *b)
{
	size_t i = 0;

	for (; a->slots[i].name && b->slots[i].name; i++)
		if (strcmp(a->slots[i].name, b->slots[i].name) || a->slots[i].role != b->slots[i].role ||
				a->slots[i].flags != b->slots[i].flags)
			return false;
	return !a->slots[i].name && !b->slots[i].name;
}

/* An op may come twice (a plugin that carries its op along): then its slots must be those of the first. */
static int add_op(struct hlx_registry *r, const struct hlx_op *op, const char *path)
{
	const struct hlx_op *old;

	if (op->struct_size < offsetof(struct hlx_op, bench) || !op->name || !*op->name || !op->slots || !op->infer ||
			op->kind < HLX_LAYER || op->kind > HLX_HASH)
		return hlx_fail(HLX_EPLUGIN, "%s: op %s lacks its name, kind, slots or infer()", path,
				op->struct_size >= offsetof(struct hlx_op, bench) && op->name ? op->name : "?");
	HLX_TRY(check_slots(op, path));
	HLX_TRY(check_attrs(op, path));
	old = hlx_registry_op(r, op->name);
	if (old && !r->shadow && !same_slots(old, op))
		return hlx_fail(HLX_EPLUGIN, "%s: op %s has other slots than the one that is loaded", path, op->name);
	return old ? 0 : list_add(&r->ops, op, path);
}

static int add_impl(struct hlx_registry *r, const struct hlx_impl *impl, const char *path)
{
	if (impl->struct_size < offsetof(struct hlx_impl, finishes) || !impl->op || !impl->name || !*impl->name || !impl->forward ||
			(impl->tier != HLX_PORTABLE && impl->tier != HLX_DEVICE))
		return hlx_fail(HLX_EPLUGIN, "%s: an implementation lacks its op, name, tier or forward()", path);
	for (size_t i = 0; i < r->impls.count; i++) {
		const struct hlx_impl *old = r->impls.entry[i].what;
		if (!strcmp(old->op, impl->op) && !strcmp(old->name, impl->name))
			return r->shadow ? 0 : hlx_fail(HLX_EPLUGIN, "%s: %s/%s is there already, from %s", path, impl->op, impl->name,
					r->impls.entry[i].file);
	}
	return list_add(&r->impls, impl, path);
}

int hlx_registry_add(struct hlx_registry *r, const struct hlx_plugin *p, const char *path)
{
	if (p->struct_size < sizeof(*p))
		return hlx_fail(HLX_EPLUGIN, "%s: hlx_plugin has %zu bytes, want %zu", path, p->struct_size, sizeof(*p));
	for (size_t i = 0; i < r->plugins.count; i++)
		if (r->plugins.entry[i].what == p)
			return 0; /* the same file by another way: a folder named twice, a link */
	if (p->init)
		HLX_TRY(p->init(&r->host.pub) < 0 ? hlx_prefix(HLX_EPLUGIN, "%s: init: ", path) : 0);
	HLX_TRY(list_add(&r->plugins, p, path));
	for (const struct hlx_op *const *op = p->ops; op && *op; op++)
		HLX_TRY(add_op(r, *op, path));
	for (const struct hlx_impl *const *impl = p->impls; impl && *impl; impl++)
		HLX_TRY(add_impl(r, *impl, path));
	return 0;
}

/* -- choice ------------------------------------------------------------------------------------------------ */

static int choose_named(const struct hlx_registry *r, const struct hlx_host *host, const struct hlx_node *node,
		const char *op, const char *named, enum hlx_tier mode, const struct hlx_impl **out)
{
	const char *names[64];
	size_t n = 0;

	for (size_t i = 0; i < r->impls.count; i++) {
		const struct hlx_impl *impl = r->impls.entry[i].what;
		if (strcmp(impl->op, op))
			continue;
		if (n < 64)
			names[n++] = impl->name;
		if (strcmp(impl->name, named))
			continue;
		if (impl->tier != HLX_PORTABLE && mode != HLX_DEVICE)
			return hlx_fail(HLX_ENOTSUP, "%s: %s/%s is not portable: its bits are one device's own; [numerics] mode = "
					"device allows it", node->name, op, named);
		*out = impl;
		return host->caps && impl->supports && impl->supports(host, node) < 0 ?
				hlx_prefix(HLX_ENOTSUP, "%s (%s/%s): ", node->name, op, named) : 0;
	}
	return hlx_fail(HLX_EINVAL, "op %s has no implementation \"%s\"%s", op, named, hlx_hint(named, names, n));
}

static int priority(const struct hlx_impl *impl, const struct hlx_host *host, const struct hlx_node *node)
{
	int (*prefers)(const struct hlx_host *, const struct hlx_node *) = HLX_LATER(impl, prefers);

	return host->caps && prefers ? prefers(host, node) : impl->priority;
}

/* Training takes one without a backward pass only where there is no other, and then says so. */
static bool is_better(const struct hlx_impl *a, const struct hlx_impl *b, const struct hlx_host *host,
		const struct hlx_node *node)
{
	if (node->train && !a->backward != !b->backward)
		return a->backward;
	return priority(a, host, node) > priority(b, host, node);
}

int hlx_registry_choose(const struct hlx_registry *r, const struct hlx_host *host, const struct hlx_node *node,
		const char *op, const char *named, enum hlx_tier mode, const struct hlx_impl **out)
{
	const struct hlx_impl *best = NULL;

	if (named)
		return choose_named(r, host, node, op, named, mode, out);
	for (size_t i = 0; i < r->impls.count; i++) {
		const struct hlx_impl *impl = r->impls.entry[i].what;
		if (strcmp(impl->op, op) || (impl->tier != HLX_PORTABLE && mode != HLX_DEVICE) ||
				(best && !is_better(impl, best, host, node)))
			continue;
		if (!host->caps || !impl->supports || impl->supports(host, node) >= 0)
			best = impl;
	}
	if (!best)
		return hlx_fail(HLX_ENOTSUP, "%s: no %simplementation of op %s works here", node->name,
				mode == HLX_DEVICE ? "" : "portable ", op);
	*out = best;
	return 0;
}

int hlx_registry_has_impl(const struct hlx_registry *r, const char *op, const char *named)
{
	for (size_t i = 0; i < r->impls.count; i++) {
		const struct hlx_impl *impl = r->impls.entry[i].what;
		if (!strcmp(impl->op, op) && (!named || !strcmp(impl->name, named)))
			return 1;
	}
	return 0;
}

struct hlx_core_host *hlx_registry_host(struct hlx_registry *r)
{
	return &r->host;
}
