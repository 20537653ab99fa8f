/* ini.c - an INI file as a list of settings: looked up, set, checked, written.  Reading is in ini_parse.c. */
#include "core/ini/ini.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void setting_free(struct hlx_setting *s)
{
	free(s->section);
	free(s->key);
	free(s->value);
	free(s->file);
}

void hlx_ini_destroy(struct hlx_ini *ini)
{
	if (!ini)
		return;
	for (size_t i = 0; i < ini->count; i++)
		setting_free(&ini->entry[i]);
	free(ini->entry);
	free(ini->path);
	free(ini);
}

struct hlx_setting *hlx_ini_entry(const struct hlx_ini *ini, const char *section, const char *key)
{
	for (size_t i = 0; i < ini->count; i++)
		if (!strcmp(ini->entry[i].section, section) && !strcmp(ini->entry[i].key, key))
			return &ini->entry[i];
	return NULL;
}

int hlx_ini_append(struct hlx_ini *ini, const char *section, const char *key, const char *value,
		const char *file, unsigned line)
{
	struct hlx_setting *grown = realloc(ini->entry, (ini->count + 1) * sizeof(*grown)), *s;

	if (!grown)
		return hlx_no_memory();
	ini->entry = grown;
	s = &grown[ini->count];
	*s = (struct hlx_setting){ strdup(section), strdup(key), strdup(value), strdup(file), line, false };
	if (!s->section || !s->key || !s->value || !s->file) {
		setting_free(s);
		return hlx_no_memory();
	}
	ini->count++;
	return 0;
}
/* The assignment as a file of one setting, so that what is set can be written and read again. */
static int parse_assignment(const char *section, int section_len, const char *key, int key_len, const char *value,
		struct hlx_ini **out)
{
	char text[2 * HLX_INI_LINE + 8];
	size_t n;
	int len;

	value += strspn(value, " \t");
	for (n = strlen(value); n && strchr(" \t", value[n - 1]); n--)
		;
	len = snprintf(text, sizeof(text), "[%.*s]\n%.*s=%s\n", section_len, section, key_len, key, value);
	if (len >= (int)sizeof(text) || hlx_ini_parse("--set", text, (size_t)len, out) < 0)
		return HLX_EINVAL;
	if ((*out)->count == 1 && strlen((*out)->entry->value) == n && !strncmp((*out)->entry->value, value, n))
		return 0;
	hlx_ini_destroy(*out); /* a comment, a colon in the key, more lines */
	return HLX_EINVAL;
}

int hlx_ini_set(struct hlx_ini *ini, const char *assignment)
{
	const char *dot = strchr(assignment, '.'), *eq = strchr(assignment, '=');
	struct hlx_ini *one;
	struct hlx_setting *old, *s;
	int status = 0;

	if (!dot || !eq || dot > eq || dot == assignment || eq == dot + 1)
		return hlx_fail(HLX_EINVAL, "--set %s: want section.key=value", assignment);
	if (parse_assignment(assignment, (int)(dot - assignment), dot + 1, (int)(eq - dot - 1), eq + 1, &one) < 0)
		return hlx_fail(HLX_EINVAL, "--set %s: no INI file could say that (a line has at most %u bytes, \" ;\" begins "
				"a comment)", assignment, HLX_INI_LINE);
	s = one->entry;
	if ((old = hlx_ini_entry(ini, s->section, s->key))) {
		struct hlx_setting keep = *old;
		*old = *s;
		*s = keep;
		old->line = 0;
	} else {
		status = hlx_ini_append(ini, s->section, s->key, s->value, "--set", 0);
	}
	hlx_ini_destroy(one);
	return status;
}

const char *hlx_setting_where(const struct hlx_setting *s)
{
	static _Thread_local char where[512];

	if (s->line)
		snprintf(where, sizeof(where), "%s:%u", s->file, s->line);
	else
		snprintf(where, sizeof(where), "--set %s.%s", s->section, s->key);
	return where;
}

int hlx_setting_blame(const struct hlx_setting *s, int status)
{
	if (s->line)
		return hlx_prefix(status, "%s:%u: %s.%s: ", s->file, s->line, s->section, s->key);
	return hlx_prefix(status, "%s: ", hlx_setting_where(s));
}

const struct hlx_setting *hlx_ini_find(struct hlx_ini *ini, const char *section, const char *key)
{
	struct hlx_setting *s = hlx_ini_entry(ini, section, key);

	if (s)
		s->used = true;
	return s;
}
static size_t length(const char *const *names)
{
	size_t n = 0;

	while (names && names[n])
		n++;
	return n;
}

/* The hint is of its own section: "model." alone makes any two names alike. */
static int unknown_key(const struct hlx_setting *s, const char *const *keys)
{
	const char *own[512], *near;
	size_t n = 0, prefix = strlen(s->section);

	for (; keys && *keys && n < 512; keys++)
		if (!strncmp(*keys, s->section, prefix) && (*keys)[prefix] == '.')
			own[n++] = *keys + prefix + 1;
	near = hlx_nearest(s->key, own, n);
	return hlx_fail(HLX_EINVAL, "%s: %s %s.%s%s%s%s%s%s", hlx_setting_where(s),
			strcmp(s->section, "model") ? "no key" : "nothing uses", s->section, s->key, near ? " (did you mean " : "",
			near ? s->section : "", near ? "." : "", near ? near : "", near ? "?)" : "");
}

int hlx_ini_check_sections(const struct hlx_ini *ini, const char *const *sections)
{
	for (size_t i = 0; i < ini->count; i++) {
		const struct hlx_setting *s = &ini->entry[i];
		bool known = false;

		for (size_t j = 0; sections[j]; j++)
			known |= !strcmp(s->section, sections[j]);
		if (!known)
			return hlx_fail(HLX_EINVAL, "%s: no section [%s]%s", hlx_setting_where(s), s->section,
					hlx_hint(s->section, sections, length(sections)));
	}
	return 0;
}

int hlx_ini_check(const struct hlx_ini *ini, const char *const *sections, const char *const *keys)
{
	HLX_TRY(hlx_ini_check_sections(ini, sections));
	for (size_t i = 0; i < ini->count; i++)
		if (!ini->entry[i].used)
			return unknown_key(&ini->entry[i], keys);
	return 0;
}

/* A blank before a semicolon would make a comment of it, and two blanks a line too long. */
static void write_setting(const struct hlx_setting *s, FILE *f)
{
	bool tight = s->value[0] == ';' || strlen(s->key) + strlen(s->value) + 3 > HLX_INI_LINE;

	fprintf(f, tight ? "%s=%s\n" : "%s = %s\n", s->key, s->value);
}

int hlx_ini_write(const struct hlx_ini *ini, FILE *f)
{
	for (size_t i = 0; i < ini->count; i++) {
		bool seen = false; /* --set may have added to a section that came long before */

		for (size_t j = 0; j < i; j++)
			seen |= !strcmp(ini->entry[i].section, ini->entry[j].section);
		if (seen)
			continue;
		fprintf(f, "%s[%s]\n", i ? "\n" : "", ini->entry[i].section);
		for (size_t j = i; j < ini->count; j++)
			if (!strcmp(ini->entry[i].section, ini->entry[j].section))
				write_setting(&ini->entry[j], f);
	}
	return ferror(f) ? hlx_fail(HLX_EOUTPUT, "writing run.ini: %s", strerror(errno)) : 0;
}
