#include "core/check/small.h"

#include <stdarg.h>
#include <string.h>

#include "core/numerics.h"

struct text {
	char *at;
	size_t room;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, t->room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->room) {
		t->room = 0;
		return;
	}
	t->at += n;
	t->room -= (size_t)n;
}

static uint64_t shrink(uint64_t d, uint64_t limit)
{
	return d <= limit ? d : d % limit ? limit + d % limit : limit;
}

static bool is_dim(const struct hlx_prog_node *n, int64_t v)
{
	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		for (uint32_t k = 0; k < n->desc[s].rank; k++)
			if (v > 0 && n->desc[s].dim[k] == (uint64_t)v)
				return true;
	return false;
}

static void add_attr(struct text *t, const struct hlx_prog_node *n, const struct hlx_attr *a, uint64_t limit)
{
	const char *at = (const char *)n->pub.attrs + a->offset;
	char number[40];
	int64_t i;
	int32_t e;
	double d;

	switch (a->type) {
	case HLX_INT:
		memcpy(&i, at, sizeof(i));
		if (is_dim(n, i))
			i = (int64_t)shrink((uint64_t)i, limit);
		if ((double)i != a->def)
			add(t, " %s=%lld", a->name, (long long)i);
		break;
	case HLX_FLOAT:
		memcpy(&d, at, sizeof(d));
		hlx_format_double(number, sizeof(number), d);
		if (d != a->def)
			add(t, " %s=%s", a->name, number);
		break;
	default:
		memcpy(&e, at, sizeof(e));
		if ((double)e != a->def)
			add(t, " %s=%s", a->name, a->type == HLX_BOOL ? (e ? "yes" : "no") : a->names[e]);
	}
}

bool hlx_small_case(const struct hlx_prog_node *n, uint64_t limit, char *text, size_t room)
{
	struct text t = { text, room };

	if (n->op->kind == HLX_HASH) /* its blocks are not any integers: the author's cases have some that fit */
		return false;
	for (uint32_t s = 0; s < n->pub.n_slots; s++) {
		const struct hlx_slot *slot = &n->op->slots[s];
		const struct hlx_desc *d = &n->desc[s];
		if (!d->rank || (slot->role != HLX_IN && slot->role != HLX_STATE))
			continue;
		add(&t, "%s%s=", t.at == text ? "" : " ", slot->name);
		for (uint32_t k = 0; k < d->rank; k++)
			add(&t, "%s%llu", k ? "x" : "", (unsigned long long)shrink(d->dim[k], limit));
		if (d->dtype != HLX_F32)
			add(&t, "<2"); /* indices of whatever it is that they index */
	}
	for (const struct hlx_attr *a = n->op->attrs; a && a->name; a++)
		add_attr(&t, n, a, limit);
	return t.room && t.at != text;
}
