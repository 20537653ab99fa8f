/* ini_value.c - what a setting's value says: a number, an expression of numbers and [model]'s names, a word. */
#include "core/ini/expr.h"
#include "core/ini/ini.h"

/* A name in an expression: another key of [model]; depth keeps a = a from running on, lookups a = b+b, b = c+c ... */
struct model_scope {
	struct hlx_ini *ini;
	unsigned depth, *lookups;
};
#define MAX_LOOKUPS 10000u

static int model_find(void *ctx, const char *name, double *out)
{
	struct model_scope *s = ctx, inner = { s->ini, s->depth + 1, s->lookups };
	const struct hlx_setting *e = hlx_ini_find(s->ini, "model", name);
	const struct hlx_scope scope = { model_find, &inner, NULL, 0 };

	return e && s->depth < 8 && ++*s->lookups < MAX_LOOKUPS && hlx_expr(e->value, &scope, out) >= 0 ? 0 : HLX_EINVAL;
}

static int number(struct hlx_ini *ini, const struct hlx_setting *s, bool whole, double min, double max, double *out)
{
	unsigned lookups = 0;
	struct model_scope model = { ini, 0, &lookups };
	const struct hlx_scope scope = { model_find, &model, NULL, 0 };
	int64_t i = 0;
	double v = 0;
	int status = whole ? hlx_expr_int(s->value, &scope, &i) : hlx_expr(s->value, &scope, &v), digits = whole ? 17 : 9;

	v = whole ? (double)i : v; /* within 2^53, so exact */
	if (status >= 0 && (v < min || v > max))
		status = hlx_fail(HLX_EINVAL, "%.*g is out of range, want %.*g to %.*g", digits, v, digits, min, digits, max);
	if (status < 0)
		return hlx_setting_blame(s, HLX_EINVAL);
	*out = v;
	return 0;
}

int hlx_ini_number(struct hlx_ini *ini, const struct hlx_setting *s, double min, double max, double *out)
{
	return number(ini, s, false, min, max, out);
}

int hlx_ini_real(struct hlx_ini *ini, const char *section, const char *key, double min, double max, double *out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, section, key);

	return s ? number(ini, s, false, min, max, out) : 0;
}

int hlx_ini_int(struct hlx_ini *ini, const char *section, const char *key, int64_t min, int64_t max, int64_t *out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, section, key);
	double v;

	if (!s)
		return 0;
	HLX_TRY(number(ini, s, true, (double)min, (double)max, &v));
	*out = (int64_t)v;
	return 0;
}

int hlx_ini_bool(struct hlx_ini *ini, const char *section, const char *key, bool *out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, section, key);

	return s && hlx_expr_bool(s->value, out) < 0 ? hlx_setting_blame(s, HLX_EINVAL) : 0;
}

int hlx_ini_string(struct hlx_ini *ini, const char *section, const char *key, const char **out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, section, key);

	if (s)
		*out = s->value;
	return 0;
}
