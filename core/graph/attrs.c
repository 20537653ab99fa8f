/* attrs.c - a node's attributes: parsed, range-checked, stored where the op's table says. */
#include "core/ini/expr.h"
#include "core/graph/graph.h"

#include <stdlib.h>
#include <string.h>

static void put(const struct hlx_attr *a, void *attrs, double v)
{
	char *at = (char *)attrs + a->offset;
	int64_t i64 = a->type == HLX_INT ? (int64_t)v : 0;
	int32_t i32 = a->type == HLX_BOOL || a->type == HLX_ENUM ? (int32_t)v : 0;

	if (a->type == HLX_INT)
		memcpy(at, &i64, sizeof(i64));
	else if (a->type == HLX_FLOAT)
		memcpy(at, &v, sizeof(v));
	else
		memcpy(at, &i32, sizeof(i32));
}

int hlx_attrs_create(const struct hlx_op *op, void **out)
{
	*out = calloc(1, op->attrs_size ? op->attrs_size : 1);
	if (!*out)
		return hlx_no_memory();
	for (const struct hlx_attr *a = op->attrs; a && a->name; a++)
		put(a, *out, a->def);
	return 0;
}

const struct hlx_attr *hlx_attrs_find(const struct hlx_op *op, const char *name)
{
	for (const struct hlx_attr *a = op->attrs; a && a->name; a++)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

static int enum_value(const struct hlx_attr *a, const char *text, double *out)
{
	size_t n = 0;

	while (a->names[n])
		n++;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(text, a->names[i])) {
			*out = (double)i;
			return 0;
		}
	return hlx_fail(HLX_EINVAL, "%s: no choice %s", a->name, hlx_choices(text, a->names, n));
}

static int bool_value(const struct hlx_attr *a, const char *text, double *out)
{
	bool v = false;

	if (hlx_expr_bool(text, &v) < 0)
		return hlx_prefix(HLX_EINVAL, "%s: ", a->name);
	*out = v;
	return 0;
}

static int number_value(const struct hlx_attr *a, const char *text, const struct hlx_scope *scope, double *out)
{
	int64_t i;

	if (a->type == HLX_INT) {
		if (hlx_expr_int(text, scope, &i) < 0)
			return hlx_prefix(HLX_EINVAL, "%s: ", a->name);
		*out = (double)i;
	} else if (hlx_expr(text, scope, out) < 0) {
		return hlx_prefix(HLX_EINVAL, "%s: ", a->name);
	}
	if (a->min < a->max && (*out < a->min || *out > a->max))
		return hlx_fail(HLX_EINVAL, "%s: %.9g is out of range, want %.9g to %.9g", a->name, *out, a->min, a->max);
	return 0;
}

int hlx_attrs_set(const struct hlx_op *op, void *attrs, const struct hlx_attr *a, const char *text,
		const struct hlx_scope *scope)
{
	double v = 0;

	(void)op;
	if (a->type == HLX_ENUM)
		HLX_TRY(enum_value(a, text, &v));
	else if (a->type == HLX_BOOL)
		HLX_TRY(bool_value(a, text, &v));
	else
		HLX_TRY(number_value(a, text, scope, &v));
	put(a, attrs, v);
	return 0;
}

int hlx_attrs_set_int(const struct hlx_op *op, void *attrs, const char *name, int64_t value)
{
	const struct hlx_attr *a = hlx_attrs_find(op, name);

	if (!a)
		return hlx_fail(HLX_EPLUGIN, "op %s has no attribute %s", op->name, name);
	put(a, attrs, (double)value);
	return 0;
}
