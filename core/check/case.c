#include "core/check/case.h"
#include "core/check/friends.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *const hlx_check_mode_name[HLX_CHECK_BEHIND + 1] = { "direct", "twice", "inside", "same", "before",
	"behind" };

/* gemm's bias is a parameter and an attribute: cases give dims to what is not infer()'s alone. */
static bool is_input(const struct hlx_op *op, const char *name)
{
	for (const struct hlx_slot *s = op->slots; s->name; s++)
		if (!strcmp(s->name, name) && (s->role == HLX_IN || s->role == HLX_STATE))
			return true;
	return false;
}

const struct hlx_check_input *hlx_check_case_input(const struct hlx_check_case *c, const char *name)
{
	for (uint32_t i = 0; i < c->n_in; i++)
		if (!strcmp(c->in[i].name, name))
			return &c->in[i];
	return NULL;
}

/* rank 2: BATCH, SEQ; rank 3: BATCH, SEQ, OTHER; rank 4: BATCH, OTHER, SEQ, OTHER */
static void set_axes(struct hlx_desc *d)
{
	if (d->rank >= 2)
		d->axis[0] = HLX_BATCH;
	if (d->rank == 2 || d->rank == 3)
		d->axis[1] = HLX_SEQ;
	if (d->rank == 4)
		d->axis[2] = HLX_SEQ;
}

/* strtoull takes signs and spaces, too. */
static unsigned long long parse_count(const char *s, char **end)
{
	*end = (char *)s;
	return isdigit((unsigned char)*s) ? strtoull(s, end, 10) : 0;
}

static int parse_dims(const struct hlx_check_case *c, const char *s, struct hlx_check_input *in)
{
	struct hlx_desc *d = &in->desc;
	char *end;

	d->dtype = HLX_F32;
	do {
		if (d->rank == HLX_MAX_RANK)
			return hlx_fail(HLX_EINVAL, "%s: case '%s' has too many dims", c->op->name, c->text);
		d->dim[d->rank++] = parse_count(s, &end);
		if (end == s || !d->dim[d->rank - 1])
			return hlx_fail(HLX_EINVAL, "%s: case '%s' wants dims", c->op->name, c->text);
		s = end + 1;
	} while (*end == 'x');
	if (*end == '<') {
		unsigned long long below = parse_count(s, &end);
		d->dtype = HLX_U32;
		if (!below || below > UINT32_MAX)
			return hlx_fail(HLX_EINVAL, "%s: case '%s' wants integers below 1 at the least, 2^32 - 1 at the most", c->op->name,
					c->text);
		in->below = (uint32_t)below;
	}
	if (*end)
		return hlx_fail(HLX_EINVAL, "%s: case '%s' ends in '%s'", c->op->name, c->text, end);
	hlx_contiguous(d);
	set_axes(d);
	return 0;
}

int hlx_check_case_parse(const struct hlx_op *op, const char *text, struct hlx_check_case *out)
{
	char copy[256], *rest = copy, *word;

	*out = (struct hlx_check_case){ .op = op, .text = text };
	if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy))
		return hlx_fail(HLX_EINVAL, "%s: case '%.40s...' is longer than %zu bytes", op->name, text, sizeof(copy) - 1);
	while ((word = strsep(&rest, " "))) {
		char *eq = strchr(word, '=');
		if (!*word)
			continue;
		if (!eq)
			return hlx_fail(HLX_EINVAL, "%s: case '%s': '%s' has no =", op->name, text, word);
		*eq = '\0';
		if (hlx_check_case_input(out, word))
			return hlx_fail(HLX_EINVAL, "%s: case '%s' has %s twice", op->name, text, word);
		if (!is_input(op, word)) {
			snprintf(out->attrs + strlen(out->attrs), sizeof(out->attrs) - strlen(out->attrs), " %s=%s", word,
					eq + 1);
			continue;
		}
		struct hlx_check_input *in = &out->in[out->n_in++];
		snprintf(in->name, sizeof(in->name), "%s", word);
		in->given = true;
		HLX_TRY(parse_dims(out, eq + 1, in));
	}
	return out->n_in ? 0 : hlx_fail(HLX_EINVAL, "%s: case '%s' has no input", op->name, text);
}

/* -- graphs ------------------------------------------------------------------------------------------------ */

static bool is_float(const struct hlx_check_input *in)
{
	return in->desc.dtype == HLX_F32;
}

static bool alike(const struct hlx_check_case *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_in; i++) {
		n += is_float(&c->in[i]);
		for (uint32_t k = 0; is_float(&c->in[i]) && k < HLX_MAX_RANK; k++)
			if (c->in[i].desc.dim[k] != c->in[0].desc.dim[k])
				return false;
	}
	return n > 1;
}

/* How many inputs the neighbour has, where it is one that has a mode. */
static uint32_t next_inputs(const struct hlx_check_case *c)
{
	uint32_t n = 0;

	for (const struct hlx_slot *s = c->next->op->slots; s->name; s++)
		n += s->role == HLX_IN ? 1 : s->role == HLX_OUT ? 0 : 3;
	return n <= 2 && c->next->op->kind == HLX_LAYER && c->op->kind == HLX_LAYER ? n : 0;
}

static bool has_mode(const struct hlx_check_case *c, enum hlx_check_mode mode)
{
	if (mode >= HLX_CHECK_BEFORE)
		return mode == HLX_CHECK_BEFORE ? next_inputs(c) > 0 : next_inputs(c) == 1;
	return mode == HLX_CHECK_DIRECT || mode == HLX_CHECK_INSIDE || (mode == HLX_CHECK_TWICE && c->op->kind != HLX_LOSS) ||
		(mode == HLX_CHECK_SAME && alike(c));
}

/* "op x=x b=pre_b causal=yes" */
static void line_of(const struct hlx_check_case *c, enum hlx_check_mode mode, char *text, size_t room)
{
	size_t n = (size_t)snprintf(text, room, "%s", c->op->name);

	for (uint32_t i = 0; i < c->n_in; i++) {
		const char *from = mode == HLX_CHECK_SAME && is_float(&c->in[i]) ? c->in[0].name : c->in[i].name;
		if (mode == HLX_CHECK_BEHIND && !strcmp(c->in[i].name, c->op->slots[c->next->slot].name))
			from = "pre";
		n += (size_t)snprintf(text + n, room - n, " %s=%s%s", c->in[i].name,
				mode == HLX_CHECK_INSIDE && is_float(&c->in[i]) ? "pre_" : "", from);
	}
	snprintf(text + n, room - n, "%s", c->attrs);
}

static void tie(const struct hlx_graph *g, const struct hlx_op *op, char *text, size_t room)
{
	char path[64];

	for (const struct hlx_slot *s = op->slots; s->name; s++) {
		snprintf(path, sizeof(path), "t.first.%s", s->name);
		if (s->role == HLX_PARAM && !hlx_attrs_find(op, s->name) && hlx_graph_find_param(g, path) >= 0)
			snprintf(text + strlen(text), room - strlen(text), " %s=@%s", s->name, path);
	}
}

static int inputs(struct hlx_graph *g, const struct hlx_check_case *c, enum hlx_check_mode mode)
{
	char name[64], text[64];

	for (uint32_t i = 0; i < c->n_in; i++) {
		HLX_TRY(hlx_graph_input(g, c->in[i].name, &c->in[i].desc));
		if (mode != HLX_CHECK_INSIDE || !is_float(&c->in[i]))
			continue;
		snprintf(name, sizeof(name), "pre_%s", c->in[i].name);
		snprintf(text, sizeof(text), "check.scale %s", c->in[i].name);
		HLX_TRY(hlx_graph_wire(g, "t", name, text, "case"));
	}
	return 0;
}

static int wire_behind(struct hlx_graph *g, const struct hlx_check_case *c, const char *text)
{
	char line[128];

	snprintf(line, sizeof(line), "%s %s", c->next->op->name, c->op->slots[c->next->slot].name);
	HLX_TRY(hlx_graph_wire(g, "t", "pre", line, "case"));
	return hlx_graph_wire(g, "t", "y", text, "case");
}

static int wire_before(struct hlx_graph *g, const struct hlx_check_case *c, const char *text)
{
	const struct hlx_op *op = c->next->op;
	char line[128];
	size_t n = (size_t)snprintf(line, sizeof(line), "%s", op->name);

	HLX_TRY(hlx_graph_wire(g, "t", "first", text, "case"));
	if (next_inputs(c) > 1)
		HLX_TRY(hlx_graph_input(g, "other", hlx_graph_desc(g, "t.first")));
	for (uint32_t s = 0; op->slots[s].name && n < sizeof(line); s++)
		if (op->slots[s].role == HLX_IN)
			n += (size_t)snprintf(line + n, sizeof(line) - n, " %s=%s", op->slots[s].name, s == c->next->slot ? "first" : "other");
	return hlx_graph_wire(g, "t", "y", line, "case");
}

static int wire(struct hlx_graph *g, const struct hlx_check_case *c, enum hlx_check_mode mode)
{
	char text[512];

	HLX_TRY(inputs(g, c, mode));
	line_of(c, mode, text, sizeof(text));
	if (mode >= HLX_CHECK_BEFORE)
		return mode == HLX_CHECK_BEFORE ? wire_before(g, c, text) : wire_behind(g, c, text);
	if (mode == HLX_CHECK_TWICE) {
		HLX_TRY(hlx_graph_wire(g, "t", "first", text, "case"));
		tie(g, c->op, text, sizeof(text));
		HLX_TRY(hlx_graph_wire(g, "t", "second", text, "case"));
		return hlx_graph_wire(g, "t", "y", "check.add first second", "case");
	}
	if (mode == HLX_CHECK_INSIDE && c->op->kind != HLX_LOSS) {
		HLX_TRY(hlx_graph_wire(g, "t", "first", text, "case"));
		return hlx_graph_wire(g, "t", "y", "check.scale first", "case");
	}
	return hlx_graph_wire(g, "t", "y", text, "case");
}

/* Only INSIDE takes an op whose output is a view, or which lays out its input anew. */
static bool is_view(const struct hlx_graph *g, int status)
{
	int t = hlx_graph_find_tensor(g, "t.y");

	if (status < 0)
		return status == HLX_ENOTSUP && strstr(hlx_message(), "cannot lay out");
	for (int i = 0; i < t; i++)
		if (g->tensor[i].storage == g->tensor[t].storage)
			return true;
	return false;
}

bool hlx_check_graph_create(struct hlx_registry *r, const struct hlx_check_case *c, enum hlx_check_mode mode,
		const struct hlx_impl *impl, uint64_t slots, struct hlx_check_graph *out)
{
	struct hlx_graph_options o = { .batch = c->in[0].desc.dim[0], .seq_len = 1, .train = true, .input_grads = true,
		.slots = slots, .mode = impl ? impl->tier : HLX_PORTABLE };

	*out = (struct hlx_check_graph){ .out = "t.y" };
	if (!has_mode(c, mode))
		return false;
	if (c->in[0].desc.rank < 2)
		o.slots = 1;
	out->status = mode < HLX_CHECK_BEFORE ? hlx_check_friends_load(r) : 0;
	if (out->status >= 0)
		out->status = hlx_graph_create(r, &o, &out->graph);
	if (out->status >= 0 && impl)
		out->status = hlx_graph_choose(out->graph, c->op->name, impl->name);
	if (out->status < 0)
		return true;
	out->status = wire(out->graph, c, mode);
	if (mode == HLX_CHECK_INSIDE || !is_view(out->graph, out->status))
		return true;
	hlx_graph_destroy(out->graph);
	out->graph = NULL;
	return false;
}
