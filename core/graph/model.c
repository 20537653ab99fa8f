/* model.c - the sections [model], [ops], [embed], [layer], [head] of an INI, wired into a graph. */
#include <string.h>

#include "core/ini/expr.h"
#include "core/graph/graph.h"
#include "core/ini/ini.h"

#define MAX_LAYERS 4096
enum { TOKENS }; /* the first of the graph's tensors */

/* Every key of [model] is a variable of the wiring. */
static int define_all(struct hlx_graph *g, struct hlx_ini *ini)
{
	for (size_t i = 0; i < ini->count; i++) {
		const struct hlx_setting *s = &ini->entry[i];
		double v = 0;

		if (strcmp(s->section, "model"))
			continue;
		HLX_TRY(hlx_ini_number(ini, s, -1e15, 1e15, &v));
		HLX_TRY(hlx_graph_define(g, s->key, v));
	}
	return 0;
}

/* What the wiring has taken of [model]; without layers, what they would have taken is not told from what nobody would. */
static void mark_used(const struct hlx_graph *g, struct hlx_ini *ini, bool layers)
{
	for (uint32_t i = 0; i < g->n_variables; i++) {
		struct hlx_setting *s = hlx_ini_entry(ini, "model", g->variable[i].name);
		s->used |= g->variable[i].used || !layers;
	}
}

static int choose_all(struct hlx_graph *g, struct hlx_ini *ini)
{
	for (size_t i = 0; i < ini->count; i++) {
		struct hlx_setting *s = &ini->entry[i];

		if (strcmp(s->section, "ops"))
			continue;
		s->used = true;
		if (hlx_graph_choose(g, s->key, s->value) < 0)
			return hlx_prefix(HLX_EINVAL, "%s: ", hlx_setting_where(s));
	}
	return 0;
}

static int wire_section(struct hlx_graph *g, struct hlx_ini *ini, const char *section, const char *prefix)
{
	char where[512];
	int status;

	for (size_t i = 0; i < ini->count; i++) {
		struct hlx_setting *s = &ini->entry[i];

		if (strcmp(s->section, section))
			continue;
		s->used = true;
		snprintf(where, sizeof(where), "%s", hlx_setting_where(s)); /* the buffer may be used again */
		if ((status = hlx_graph_wire(g, prefix, s->key, s->value, where)) < 0)
			return status;
	}
	return 0;
}

static int choose_mode(struct hlx_graph *g, struct hlx_ini *ini)
{
	static const char *const modes[] = { [HLX_PORTABLE] = "portable", [HLX_DEVICE] = "device" };
	const struct hlx_setting *s = hlx_ini_find(ini, "numerics", "mode");

	for (enum hlx_tier m = HLX_PORTABLE; s && m <= HLX_DEVICE; m++)
		if (!strcmp(s->value, modes[m])) {
			g->options.mode = m;
			return 0;
		}
	return s ? hlx_fail(HLX_EINVAL, "%s: numerics.mode: no mode %s", hlx_setting_where(s),
			hlx_choices(s->value, modes + 1, 2)) : 0;
}

static int inputs(struct hlx_graph *g)
{
	struct hlx_desc d = { .dtype = HLX_U32, .rank = 2, .dim = { g->options.batch, g->options.seq_len },
		.axis = { HLX_BATCH, HLX_SEQ } };

	HLX_TRY(hlx_graph_input(g, "tokens", &d));
	return hlx_graph_input(g, "targets", &d);
}

/* The corpus is held to [model]'s vocab_size alone: an op with one of its own that is less would read beyond its table. */
static int check_vocabulary(const struct hlx_graph *g, const struct hlx_graph_node *n)
{
	const struct hlx_attr *a = hlx_attrs_find(n->op, "vocab_size");
	const struct hlx_scope scope = hlx_graph_scope(g, NULL, 0);
	double tokens;
	int64_t own;

	if (!a || a->type != HLX_INT || n->tensor[0] != TOKENS || scope.find(scope.ctx, a->name, &tokens) < 0)
		return 0;
	memcpy(&own, (const char *)n->attrs + a->offset, sizeof(own));
	return (double)own >= tokens ? 0 : hlx_fail(HLX_EINVAL, "%s: %s: vocab_size = %lld is less than [model] has, %.17g",
			n->where, n->path, (long long)own, tokens);
}

static int wire_all(struct hlx_graph *g, struct hlx_ini *ini)
{
	int64_t layers = -1;
	char prefix[32];

	HLX_TRY(define_all(g, ini));
	HLX_TRY(choose_all(g, ini));
	HLX_TRY(choose_mode(g, ini));
	HLX_TRY(hlx_ini_int(ini, "model", "num_layers", 0, MAX_LAYERS, &layers));
	for (size_t i = 0; layers < 0 && i < ini->count; i++)
		if (!strcmp(ini->entry[i].section, "layer"))
			return hlx_fail(HLX_EINVAL, "%s: how often is [layer] wanted? [model] has no num_layers",
					hlx_setting_where(&ini->entry[i]));
	layers = layers < 0 ? 0 : layers;
	HLX_TRY(inputs(g));
	HLX_TRY(wire_section(g, ini, "embed", "embed"));
	for (int64_t l = 0; l < layers; l++) {
		snprintf(prefix, sizeof(prefix), "layer.%lld", (long long)l);
		HLX_TRY(hlx_graph_layer(g, (int32_t)l));
		HLX_TRY(wire_section(g, ini, "layer", prefix));
	}
	HLX_TRY(hlx_graph_layer(g, -1));
	if (!layers) /* its keys are right, only not wanted */
		for (size_t i = 0; i < ini->count; i++)
			ini->entry[i].used |= !strcmp(ini->entry[i].section, "layer");
	HLX_TRY(wire_section(g, ini, "head", "head"));
	mark_used(g, ini, layers > 0);
	if (!g->n_nodes)
		return hlx_fail(HLX_EINVAL, "%s: no model: want wiring in [embed], [layer] or [head]", ini->path);
	for (uint32_t i = 0; i < g->n_nodes; i++)
		HLX_TRY(check_vocabulary(g, g->node[i]));
	if (g->loss == HLX_NONE)
		return hlx_fail(HLX_EINVAL, "%s: the wiring has no loss (loss = xent logits targets)", ini->path);
	return 0;
}

int hlx_graph_build(struct hlx_registry *r, struct hlx_ini *ini, const struct hlx_graph_options *o,
		struct hlx_graph **out)
{
	struct hlx_graph *g;
	int status;

	HLX_TRY(hlx_graph_create(r, o, &g));
	if ((status = wire_all(g, ini)) < 0) {
		hlx_graph_destroy(g);
		return status;
	}
	*out = g;
	return 0;
}
