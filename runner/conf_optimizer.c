/* conf_optimizer.c - [train] optimizer, an op, and its attributes, which are keys of [train], too. */
#include "runner/conf_keys.h"

#include "core/error.h"

int conf_read_attr(struct hlx_ini *ini, const struct hlx_attr *a, char *text, size_t room)
{
	const struct hlx_setting *s;
	double most = a->type == HLX_INT ? 1ll << 53 : 1e300;
	double min = a->min < a->max ? a->min : -most, max = a->min < a->max ? a->max : most;
	int64_t i = (int64_t)a->def;
	double d = a->def;
	bool b = a->def != 0;

	switch (a->type) {
	case HLX_INT:
		CLI_TRY(hlx_ini_int(ini, "train", a->name, (int64_t)min, (int64_t)max, &i));
		snprintf(text, room, "%lld", (long long)i);
		return 0;
	case HLX_FLOAT:
		CLI_TRY(hlx_ini_real(ini, "train", a->name, min, max, &d));
		hlx_format_double(text, room, d);
		return 0;
	case HLX_BOOL:
		CLI_TRY(hlx_ini_bool(ini, "train", a->name, &b));
		snprintf(text, room, "%s", b ? "yes" : "no");
		return 0;
	default: /* the core checks the word when it makes the optimizer's node */
		s = hlx_ini_find(ini, "train", a->name);
		snprintf(text, room, "%s", s ? s->value : a->names[(size_t)a->def]);
		return 0;
	}
}

const struct hlx_attr *conf_optimizer_attrs(const struct conf *c, const struct hlx_registry *r)
{
	const struct hlx_op *op = hlx_registry_op(r, c->optimizer);

	return op ? op->attrs : NULL;
}

int conf_check_optimizer(struct conf *c, const struct hlx_registry *r)
{
	const struct hlx_op *op = hlx_registry_op(r, c->optimizer), *other;
	const char *names[64];
	char text[64];
	size_t n = 0;

	for (size_t i = 0; n < 64 && (other = hlx_registry_op_at(r, i, NULL)); i++)
		if (other->kind == HLX_OPTIMIZER)
			names[n++] = other->name;
	if (!op || op->kind != HLX_OPTIMIZER)
		return hlx_fail(HLX_EINVAL, "train.optimizer: no optimizer %s", hlx_choices(c->optimizer, names, n));
	for (const struct hlx_attr *a = op->attrs; a && a->name; a++)
		CLI_TRY(conf_read_attr(c->ini, a, text, sizeof text));
	return 0;
}
