/* conf_write.c - run.ini: every value, defaults included; and the hash of what matters in it. */
#include "runner/conf_keys.h"
#include "runner/paths.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define MAX_VALUE 199

int conf_set(struct hlx_ini *ini, const char *fmt, ...)
{
	char text[2 * MAX_VALUE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || n > MAX_VALUE - 3) /* " = " and the key make the line */
		return hlx_fail(HLX_EINVAL, "too long for a line of run.ini (%d bytes, at most %d): %.100s...", n, MAX_VALUE - 3,
				text);
	return hlx_ini_set(ini, text);
}

/* An expression stays as it is: in its number nobody would see what the names of [model] in it are for. */
static bool says(struct hlx_ini *ini, const char *section, const char *key, double value)
{
	double v;

	return hlx_ini_find(ini, section, key) && hlx_ini_real(ini, section, key, -1e300, 1e300, &v) >= 0 && v == value;
}

static int set_key(struct conf *c, const struct conf_key *k)
{
	const void *at = (const char *)c + k->offset;
	char number[40];
	int64_t v;

	switch (k->type) {
	case KEY_INT:
		if (says(c->ini, k->section, k->name, (double)*(const int64_t *)at))
			return 0;
		return conf_set(c->ini, "%s.%s=%lld", k->section, k->name, (long long)*(const int64_t *)at);
	case KEY_REAL:
		if (says(c->ini, k->section, k->name, *(const double *)at))
			return 0;
		hlx_format_double(number, sizeof number, *(const double *)at);
		return conf_set(c->ini, "%s.%s=%s", k->section, k->name, number);
	case KEY_CHOICE:
		v = *(const int64_t *)at;
		return conf_set(c->ini, "%s.%s=%s", k->section, k->name, k->choices[v - 1]);
	case KEY_EVERY: {
		const struct conf_every *e = at;
		return conf_set(c->ini, "%s.%s=%lld%s", k->section, k->name, (long long)e->count, e->epochs ? " epochs" : "");
	}
	case KEY_SHARE:
		v = ((const struct conf_share *)at)->steps;
		return says(c->ini, k->section, k->name, (double)v) ? 0 : conf_set(c->ini, "%s.%s=%lld", k->section, k->name, (long long)v);
	case KEY_SIZE: case KEY_FILES: /* as they stand; conf_write_corpus makes the files' names absolute */
		return 0;
	default: /* as it stands; setting it would free what the struct points to */
		if (!k->text || !*k->text || hlx_ini_find(c->ini, k->section, k->name))
			return 0;
		return conf_set(c->ini, "%s.%s=%s", k->section, k->name, k->text);
	}
}

static int set_init(struct conf *c)
{
	const char *quote = c->init && c->init[strcspn(c->init, " \t;")] ? "\"" : "";

	return c->init ? conf_set(c->ini, "train.init=%s%s%s", quote, c->init, quote) : 0;
}

int conf_write_back(struct conf *c, const struct hlx_registry *r)
{
	char text[64];

	for (const struct conf_key *k = conf_keys; k->section; k++)
		CLI_TRY(set_key(c, k));
	CLI_TRY(conf_set(c->ini, "train.epochs=0")); /* train.steps has what they make */
	for (const struct hlx_attr *a = conf_optimizer_attrs(c, r); a && a->name; a++) {
		CLI_TRY(conf_read_attr(c->ini, a, text, sizeof text));
		if (!hlx_ini_find(c->ini, "train", a->name))
			CLI_TRY(conf_set(c->ini, "train.%s=%s", a->name, text));
	}
	CLI_TRY(set_init(c));
	return conf_write_corpus(c);
}

/* micro_batch and recompute are what a step takes of memory and time, and no bit of it. */
bool conf_counts(const struct hlx_setting *s)
{
	return strcmp(s->section, "output") && (strcmp(s->section, "train") ||
			(strcmp(s->key, "micro_batch") && strcmp(s->key, "recompute")));
}

bool conf_is_wiring(const struct hlx_setting *s)
{
	return !strcmp(s->section, "embed") || !strcmp(s->section, "layer") || !strcmp(s->section, "head");
}

/* A sum: the order of lines does not matter, but where they make nodes. */
uint64_t conf_fingerprint(const struct conf *c)
{
	uint64_t sum = 0, nodes = 0;

	for (size_t i = 0; i < c->ini->count; i++) {
		const struct hlx_setting *s = &c->ini->entry[i];
		XXH64_hash_t h = XXH64(s->section, strlen(s->section), conf_is_wiring(s) ? ++nodes : 0);

		if (!conf_counts(s))
			continue;
		h = XXH64(s->key, strlen(s->key), h);
		sum += XXH64(s->value, strlen(s->value), h);
	}
	return sum;
}

char *conf_unquote(const char *text)
{
	size_t n = strlen(text);

	return n >= 2 && text[0] == '"' && text[n - 1] == '"' ? strndup(text + 1, n - 2) : strdup(text);
}

/* ---- the weights it starts with ---- */

int conf_find_init(struct conf *c)
{
	const struct hlx_setting *s = hlx_ini_find(c->ini, "train", "init");
	char *word = s && *s->value ? conf_unquote(s->value) : NULL, *near = path_parent(c->path), *found = NULL;
	int status = 0;

	if (!near || (s && *s->value && !word))
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	else if (word)
		status = s->line ? path_find(word, near, NULL, &found) : path_find(word, ".", near, &found);
	if (status >= 0 && found && !(c->init = realpath(found, NULL)))
		status = hlx_fail(HLX_EIO, "%s: %m", found);
	if (status < 0)
		hlx_prefix(status, "train.init: ");
	free(found);
	free(near);
	free(word);
	return status;
}
