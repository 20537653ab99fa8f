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

static uint64_t cut(uint64_t d, uint64_t limit)
{
	return d <= limit ? d : d % limit ? limit + d % limit : limit;
}

static uint64_t shrink(const struct hlx_small *o, uint64_t d)
{
	return cut(d, d == o->tiny ? HLX_SMALL_TINY : o->limit);
}

uint32_t hlx_small_dims(const struct hlx_prog_node *n, uint64_t out[HLX_MAX_SLOTS * HLX_MAX_RANK])
{
	uint32_t count = 0, i;

	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		for (uint32_t k = 0; k < n->desc[s].rank; k++) {
			for (i = 0; i < count && out[i] != n->desc[s].dim[k]; i++)
				;
			if (i == count && n->desc[s].dim[k] > HLX_SMALL_TINY)
				out[count++] = n->desc[s].dim[k];
		}
	return count;
}

static bool is_dim(const struct hlx_prog_node *n, int64_t v)
{
	for (uint32_t s = 0; s < n->pub.n_slots; s++)
		for (uint32_t k = 0; k < n->desc[s].rank; k++)
			if (v > 0 && n->desc[s].dim[k] == (uint64_t)v)
				return true;
	return false;
}

static void add_attr(struct text *t, const struct hlx_prog_node *n, const struct hlx_attr *a,
		const struct hlx_small *o)
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
			i = (int64_t)shrink(o, (uint64_t)i);
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

/* The largest input's dims, and what other dims there are: of a matrix product its terms, of most others its elements. */
static double work_of(const struct hlx_prog_node *n, const struct hlx_small *o)
{
	uint64_t seen[HLX_MAX_SLOTS * HLX_MAX_RANK];
	uint32_t count = hlx_small_dims(n, seen);
	double all = 1, most = 1;

	for (uint32_t i = 0; i < count; i++)
		all *= (double)shrink(o, seen[i]);
	for (uint32_t s = 0; s < n->pub.n_slots; s++) {
		double one = 1, few = 1; /* few: of dims that are not among seen */
		for (uint32_t k = 0; k < n->desc[s].rank; k++) {
			uint64_t d = n->desc[s].dim[k];
			one *= (double)shrink(o, d);
			few *= d <= HLX_SMALL_TINY ? (double)d : 1;
		}
		most = one > most ? one : most;
		most = few * all > most ? few * all : most;
	}
	return most;
}

bool hlx_small_case(const struct hlx_prog_node *n, struct hlx_small *o)
{
	struct text t = { o->text, sizeof(o->text) };

	if (n->op->kind == HLX_HASH) /* its blocks are not any integers: the author's cases have some that fit */
		return false;
	for (uint32_t s = 0; s < n->pub.n_slots; s++) {
		const struct hlx_slot *slot = &n->op->slots[s];
		const struct hlx_desc *d = &n->desc[s];
		if (!d->rank || (slot->role != HLX_IN && slot->role != HLX_STATE))
			continue;
		add(&t, "%s%s=", t.at == o->text ? "" : " ", slot->name);
		for (uint32_t k = 0; k < d->rank; k++)
			add(&t, "%s%llu", k ? "x" : "", (unsigned long long)shrink(o, d->dim[k]));
		if (d->dtype != HLX_F32)
			add(&t, "<2"); /* indices of whatever it is that they index */
	}
	for (const struct hlx_attr *a = n->op->attrs; a && a->name; a++)
		add_attr(&t, n, a, o);
	o->work = work_of(n, o);
	return t.room && t.at != o->text;
}
