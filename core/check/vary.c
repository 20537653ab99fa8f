#include "core/check/vary.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/data.h"
#include "core/numerics.h"

struct map {
	uint64_t from[HLX_MAX_SLOTS * HLX_MAX_RANK], to[HLX_MAX_SLOTS * HLX_MAX_RANK];
	uint32_t n;
};

static uint64_t mapped(const struct map *m, uint64_t d)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->from[i] == d)
			return m->to[i];
	return d;
}

uint32_t hlx_vary_dims(const struct hlx_check_case *c, uint64_t out[HLX_MAX_SLOTS * HLX_MAX_RANK])
{
	uint32_t n = 0, i;

	for (uint32_t k = 0; k < c->n_in; k++)
		for (uint32_t a = 0; a < c->in[k].desc.rank; a++) {
			uint64_t d = c->in[k].desc.dim[a];
			for (i = 0; i < n && out[i] != d; i++)
				;
			if (i == n && d > 1)
				out[n++] = d;
		}
	return n;
}

/* Of the largest input. */
static uint64_t elements(const struct hlx_check_case *c)
{
	uint64_t most = 0;

	for (uint32_t k = 0; k < c->n_in; k++)
		most = hlx_numel(&c->in[k].desc) > most ? hlx_numel(&c->in[k].desc) : most;
	return most;
}

/* Whole attributes count: gemm's out, embedding's d_model. */
double hlx_vary_work(const struct hlx_check_case *c)
{
	uint64_t dim[HLX_MAX_SLOTS * HLX_MAX_RANK];
	uint32_t n = hlx_vary_dims(c, dim);
	double work = 1, most = (double)elements(c);
	uint64_t widest = 1;

	for (uint32_t i = 0; i < n; i++)
		work *= (double)dim[i];
	for (const char *at = c->attrs; (at = strchr(at, '='));) {
		long long v = strtoll(++at, NULL, 10);
		widest = v > (long long)widest ? (uint64_t)v : widest;
	}
	work *= (double)widest;
	return work > 4 * most ? work : 4 * most; /* where equal dims are batches: many, and results larger than inputs */
}

/* -- text -------------------------------------------------------------------------------------------------- */

static void add(char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(char *text, const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, HLX_VARY_TEXT - n, fmt, ap);
	va_end(ap);
}

static void add_inputs(const struct hlx_check_case *c, const struct map *m, char *text)
{
	*text = '\0';
	for (uint32_t k = 0; k < c->n_in; k++) {
		const struct hlx_check_input *in = &c->in[k];
		add(text, "%s%s=", k ? " " : "", in->name);
		for (uint32_t a = 0; a < in->desc.rank; a++)
			add(text, "%s%llu", a ? "x" : "", (unsigned long long)mapped(m, in->desc.dim[a]));
		if (in->desc.dtype == HLX_U32)
			add(text, "<%llu", (unsigned long long)mapped(m, in->below));
	}
}

/* "name=value ..." of the case, numbers mapped; but for the one called `but` */
static void add_attrs(const struct hlx_check_case *c, const struct map *m, const char *but, char *text)
{
	char copy[sizeof(c->attrs)], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", c->attrs);
	while ((word = strsep(&rest, " "))) {
		char *eq = strchr(word, '='), *end;
		unsigned long long v;
		if (!eq || (but && !strncmp(word, but, (size_t)(eq - word)) && strlen(but) == (size_t)(eq - word)))
			continue;
		v = strtoull(eq + 1, &end, 10);
		if (*end || end == eq + 1)
			add(text, " %s", word);
		else
			add(text, " %.*s=%llu", (int)(eq - word), word, (unsigned long long)mapped(m, v));
	}
}

static bool write(const struct hlx_check_case *c, const struct map *m, char *text)
{
	add_inputs(c, m, text);
	add_attrs(c, m, NULL, text);
	return strlen(text) < HLX_VARY_TEXT - 1 && strcmp(text, c->text);
}

/* -- variants ---------------------------------------------------------------------------------------------- */

static bool fits(const struct hlx_check_case *c, const struct map *m, uint64_t most)
{
	for (uint32_t k = 0; k < c->n_in; k++) {
		uint64_t n = 1;
		for (uint32_t a = 0; a < c->in[k].desc.rank; a++)
			n *= mapped(m, c->in[k].desc.dim[a]);
		if (n > most)
			return false;
	}
	return true;
}

bool hlx_vary_sizes(const struct hlx_check_case *c, uint64_t seed, uint64_t most, char *text)
{
	/* Round the sizes that kernels are made for: subgroups, tiles, 64 lanes of a row, blocks of 256. */
	static const uint64_t sizes[] = { 1, 2, 3, 5, 7, 9, 15, 17, 31, 33, 63, 65, 66, 127, 129, 255, 257, 260 };
	uint64_t stream = hlx_data_stream(c->text, seed);
	uint32_t room = sizeof(sizes) / sizeof(*sizes), u[4];
	struct map m = { .n = hlx_vary_dims(c, m.from) };

	if (!m.n)
		return false;
	for (uint64_t attempt = 0; attempt < 32; attempt++) {
		for (uint32_t i = 0; i < m.n; i++) {
			hlx_philox(seed, stream, attempt * 64 + i, u);
			m.to[i] = sizes[u[0] % (room - (uint32_t)(attempt / 4))];
		}
		if (fits(c, &m, most))
			return write(c, &m, text);
	}
	return false;
}

bool hlx_vary_dim(const struct hlx_check_case *c, uint32_t which, uint64_t to, enum hlx_vary_others others, char *text)
{
	struct map m = { .n = hlx_vary_dims(c, m.from) };
	uint64_t room = 3;

	if (which >= m.n)
		return false;
	for (uint32_t i = m.n; i-- > 0;) {
		m.to[i] = i == which ? to : others == HLX_VARY_ROUND ? (m.from[i] > 16 ? 64 : m.from[i]) :
			others == HLX_VARY_SAME || m.from[i] <= room ? m.from[i] : room;
		if (others == HLX_VARY_LEAST && i != which)
			room /= m.to[i];
	}
	return write(c, &m, text);
}

/* -- attributes -------------------------------------------------------------------------------------------- */

static const char *value_of(const struct hlx_check_case *c, const char *name, char *out, size_t room)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(c->attrs, key);
	if (!at)
		return NULL;
	at += strlen(key);
	snprintf(out, room, "%.*s", (int)strcspn(at, " "), at);
	return out;
}

static bool is_dim(const struct hlx_check_case *c, const char *value)
{
	uint64_t dim[HLX_MAX_SLOTS * HLX_MAX_RANK], v = value ? strtoull(value, NULL, 10) : 0;
	uint32_t n = hlx_vary_dims(c, dim);

	for (uint32_t i = 0; i < n; i++)
		if (dim[i] == v)
			return true;
	return false;
}

static bool is_true(const char *value, double def)
{
	return value ? !strcmp(value, "yes") || !strcmp(value, "true") || !strcmp(value, "on") || !strcmp(value, "1") : def != 0;
}

static double clip(const struct hlx_attr *a, double v)
{
	return v < a->min ? a->min : v > a->max ? a->max : v;
}

static bool add_number(const struct hlx_attr *a, double now, uint32_t turn, char *text)
{
	const double other[] = { a->type == HLX_INT ? now + 1 : now * 0.5 + 0.125, a->type == HLX_INT ? now * 2 + 1 : -now, a->def };
	double v = turn < 3 ? clip(a, other[turn]) : now;
	char number[40];

	if (v == now)
		return false;
	if (a->type == HLX_INT)
		snprintf(number, sizeof(number), "%lld", (long long)v);
	else
		hlx_format_double(number, sizeof(number), v);
	add(text, " %s=%s", a->name, number);
	return true;
}

static bool add_other(const struct hlx_check_case *c, const struct hlx_attr *a, uint32_t turn, char *text)
{
	char room[64];
	const char *value = value_of(c, a->name, room, sizeof(room));
	uint32_t n = 0;
	double now = a->def;

	switch (a->type) {
	case HLX_BOOL:
		add(text, " %s=%s", a->name, is_true(value, a->def) ? "no" : "yes");
		return turn == 0;
	case HLX_ENUM:
		while (a->names[n])
			n++;
		if (turn >= n || (value ? !strcmp(value, a->names[turn]) : (double)turn == a->def))
			return false;
		add(text, " %s=%s", a->name, a->names[turn]);
		return true;
	default:
		if (value && !hlx_parse_double(value, &now))
			return false;
		return !(a->type == HLX_INT && is_dim(c, value)) && add_number(a, now, turn, text);
	}
}

bool hlx_vary_attr(const struct hlx_check_case *c, uint32_t which, uint32_t turn, char *text)
{
	static const struct map same = { .n = 0 };
	const struct hlx_attr *a = c->op->attrs;

	for (; a && a->name && which; which--)
		a++;
	if (!a || !a->name)
		return false;
	add_inputs(c, &same, text);
	add_attrs(c, &same, a->name, text);
	return add_other(c, a, turn, text) && strlen(text) < HLX_VARY_TEXT - 1;
}
