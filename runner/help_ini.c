/* help_ini.c - hlxt help ini: the keys' table and the ops' attributes as Markdown, which is what docs/ini.md has of them. */
#include "runner/conf_keys.h"
#include "runner/session.h"

#include <math.h>
#include <string.h>

/* 1048576 is nothing to read: 2^20, 2^32 - 1. */
static void format_number(char *out, size_t room, double v)
{
	int power, above;

	if (v >= 65536 && frexp(v, &power) == 0.5)
		snprintf(out, room, "2^%d", power - 1);
	else if (v >= 65535 && frexp(v + 1, &above) == 0.5)
		snprintf(out, room, "2^%d - 1", above - 1);
	else
		snprintf(out, room, "%.10g", v);
}

static void print_range(const char *kind, double min, double max)
{
	char low[32], high[32];

	format_number(low, sizeof low, min);
	format_number(high, sizeof high, max);
	if (min < max)
		printf("%s %s to %s", kind, low, high);
	else
		printf("%s", kind);
}

static void print_choices(const char *const *choices)
{
	for (size_t i = 0; choices[i]; i++)
		printf("%s`%s`", !i ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
}

static void print_number(double v)
{
	char text[32];

	format_number(text, sizeof text, v);
	printf("%s ", text);
}

static void print_word(const char *word)
{
	printf("%s%s", word, *word ? " " : "");
}

static void print_default(const struct conf_key *k)
{
	if (k->shown)
		print_word(k->shown);
	else if (k->type == KEY_INT || k->type == KEY_REAL || k->type == KEY_SHARE)
		print_number(k->def);
	else if (k->type == KEY_TEXT || k->type == KEY_PATH)
		print_word(k->text);
	else if (k->type == KEY_CHOICE)
		print_word(k->choices[(size_t)k->def - 1]);
	else if (k->type == KEY_EVERY)
		printf("%g epochs ", k->def);
}

static void print_key(const struct conf_key *k)
{
	printf("| `%s`", k->name);
	if (k->type == KEY_FILES)
		printf(", `%s2` to `%s%d`", k->name, k->name, CONF_MAX_WORDS);
	printf(" | ");
	switch (k->type) {
	case KEY_SIZE: case KEY_INT: print_range("integer", k->min, k->max); break;
	case KEY_REAL: print_range("number", k->min, k->max); break;
	case KEY_TEXT: printf("text"); break;
	case KEY_PATH: printf("path"); break;
	case KEY_FILES: printf("files"); break;
	case KEY_CHOICE: print_choices(k->choices); break;
	case KEY_SHARE: printf("steps, or a number below 1"); break;
	case KEY_EVERY: printf("steps, or `N epochs`"); break;
	}
	printf(" | ");
	print_default(k);
	printf("| %s |\n", k->help);
}

/* What is in neither [model] nor the wiring has the default; what the keys' table has, the trainer reads. */
static void print_attr(const struct hlx_attr *a)
{
	static const char *const switches[] = { "no", "yes", NULL };

	printf("| `%s` | ", a->name);
	switch (a->type) {
	case HLX_INT: print_range("integer", a->min, a->max); break;
	case HLX_FLOAT: print_range("number", a->min, a->max); break;
	case HLX_BOOL: print_choices(switches); break;
	case HLX_ENUM: print_choices(a->names); break;
	}
	printf(" | ");
	if (a->type == HLX_BOOL || a->type == HLX_ENUM)
		print_word((a->type == HLX_BOOL ? switches : a->names)[(size_t)a->def]);
	else
		print_number(a->def);
	printf("| %s |\n", a->help ? a->help : "");
}

static bool is_key(const char *section, const char *name)
{
	for (const struct conf_key *k = conf_keys; k->section; k++)
		if (!strcmp(k->section, section) && !strcmp(k->name, name))
			return true;
	return false;
}

static const char head[] = "\n| key | takes | default | |\n|---|---|---|---|\n";

static void print_ops(const struct hlx_registry *r, enum hlx_kind kind)
{
	const struct hlx_op *op;

	for (size_t i = 0; (op = hlx_registry_op_at(r, i, NULL)); i++) {
		if (op->kind != kind || !op->attrs || !op->attrs->name)
			continue;
		printf("\n### %s\n%s", op->name, head);
		for (const struct hlx_attr *a = op->attrs; a->name; a++)
			if (kind != HLX_OPTIMIZER || !is_key("train", a->name))
				print_attr(a);
	}
}

static void print_keys(const struct hlx_registry *r)
{
	const char *section = "";

	for (const struct conf_key *k = conf_keys; k->section; section = k++->section) {
		if (strcmp(section, k->section))
			printf("%s## [%s]\n%s", *section ? "\n" : "", k->section, head);
		print_key(k);
		if (k[1].section && !strcmp(k[1].section, k->section))
			continue;
		if (!strcmp(k->section, "model")) {
			printf("\n## [embed], [layer], [head]\n");
			print_ops(r, HLX_LAYER);
			print_ops(r, HLX_LOSS);
		} else if (!strcmp(k->section, "train")) {
			print_ops(r, HLX_OPTIMIZER);
		}
	}
}

int conf_print_keys(void)
{
	struct session s = { 0 };
	int status = session_plugins(&s);

	if (status >= 0)
		print_keys(s.registry);
	session_close(&s);
	return status;
}
