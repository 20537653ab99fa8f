/* conf_write.c - run.ini: every value, defaults included; and which files the corpus is. */
#include "runner/conf_keys.h"
#include "runner/paths.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define MAX_VALUE 199

static int set(struct hlx_ini *ini, const char *fmt, ...)
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
		return set(c->ini, "%s.%s=%lld", k->section, k->name, (long long)*(const int64_t *)at);
	case KEY_REAL:
		if (says(c->ini, k->section, k->name, *(const double *)at))
			return 0;
		hlx_format_double(number, sizeof number, *(const double *)at);
		return set(c->ini, "%s.%s=%s", k->section, k->name, number);
	case KEY_CHOICE:
		v = *(const int64_t *)at;
		return set(c->ini, "%s.%s=%s", k->section, k->name, k->choices[v - 1]);
	case KEY_EVERY: {
		const struct conf_every *e = at;
		return set(c->ini, "%s.%s=%lld%s", k->section, k->name, (long long)e->count, e->epochs ? " epochs" : "");
	}
	default: /* as it stands; setting it would free what the struct points to */
		if (!k->text || !*k->text || hlx_ini_find(c->ini, k->section, k->name))
			return 0;
		return set(c->ini, "%s.%s=%s", k->section, k->name, k->text);
	}
}

static const struct hlx_setting *corpus_setting(struct conf *c, unsigned i)
{
	char key[16];

	snprintf(key, sizeof key, i > 1 ? "corpus%u" : "corpus", i);
	return hlx_ini_find(c->ini, "data", key);
}

static int set_corpus(struct conf *c)
{
	for (size_t i = 0; i < c->n_corpus; i++) {
		const char *quote = c->corpus[i][strcspn(c->corpus[i], " \t;")] ? "\"" : "";
		char key[32] = "corpus";

		if (i)
			snprintf(key, sizeof key, "corpus%zu", i + 1);
		CLI_TRY(set(c->ini, "data.%s=%s%s%s", key, quote, c->corpus[i], quote));
	}
	for (size_t i = c->n_corpus + 1; i <= CONF_MAX_FILES; i++)
		if (corpus_setting(c, (unsigned)i))
			CLI_TRY(set(c->ini, "data.corpus%zu=", i));
	return 0;
}

static int set_init(struct conf *c)
{
	const char *quote = c->init && c->init[strcspn(c->init, " \t;")] ? "\"" : "";

	return c->init ? set(c->ini, "train.init=%s%s%s", quote, c->init, quote) : 0;
}

int conf_write_back(struct conf *c, const struct hlx_registry *r)
{
	char text[64];

	for (size_t i = 0; i < CONF_KEYS; i++)
		CLI_TRY(set_key(c, &conf_keys[i]));
	CLI_TRY(set(c->ini, "train.epochs=0")); /* train.steps has what they make */
	for (const struct hlx_attr *a = conf_optimizer_attrs(c, r); a && a->name; a++) {
		CLI_TRY(conf_read_attr(c->ini, a, text, sizeof text));
		if (!hlx_ini_find(c->ini, "train", a->name))
			CLI_TRY(set(c->ini, "train.%s=%s", a->name, text));
	}
	CLI_TRY(set_init(c));
	return set_corpus(c);
}

/* A sum: the order of the file's lines does not matter. */
uint64_t conf_fingerprint(const struct conf *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->ini->count; i++) {
		const struct hlx_setting *s = &c->ini->entry[i];
		XXH64_hash_t h = XXH64(s->section, strlen(s->section), 0);

		if (!strcmp(s->section, "output") || (!strcmp(s->section, "train") && !strcmp(s->key, "micro_batch")))
			continue;
		h = XXH64(s->key, strlen(s->key), h);
		sum += XXH64(s->value, strlen(s->value), h);
	}
	return sum;
}

/* ---- the corpus ---- */

char *conf_unquote(const char *text)
{
	size_t n = strlen(text);

	return n >= 2 && text[0] == '"' && text[n - 1] == '"' ? strndup(text + 1, n - 2) : strdup(text);
}

void conf_mark_corpus(struct conf *c)
{
	for (unsigned i = 1; i <= CONF_MAX_FILES; i++)
		corpus_setting(c, i);
}

/* The next word of a value, "in quotes" where it has blanks; new, or NULL at the end. */
static char *next_word(const char **at)
{
	const char *from;
	size_t n;

	while (isspace((unsigned char)**at))
		++*at;
	if (!**at)
		return NULL;
	if (**at == '"' && strchr(*at + 1, '"')) {
		from = *at + 1;
		n = strcspn(from, "\"");
		*at = from + n + 1;
	} else {
		from = *at;
		n = strcspn(from, " \t");
		*at = from + n;
	}
	return strndup(from, n);
}

static int add_file(struct conf *c, const char *word, const char *dir, const char *other)
{
	char *found, *absolute;
	int status;

	if (c->n_corpus == CONF_MAX_FILES)
		return hlx_fail(HLX_EINVAL, "data.corpus: more than %d files", CONF_MAX_FILES);
	status = path_find(word, dir, other, &found);
	if (status < 0)
		return hlx_prefix(status, "corpus ");
	absolute = realpath(found, NULL);
	if (!absolute)
		status = hlx_fail(HLX_EIO, "corpus %s: %m", found);
	else
		c->corpus[c->n_corpus++] = absolute;
	free(found);
	return status;
}

int conf_find_corpus(struct conf *c)
{
	char *near = path_parent(c->path), *word;
	int status = near ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	for (unsigned i = 1; i <= CONF_MAX_FILES && status >= 0; i++) {
		const struct hlx_setting *s = corpus_setting(c, i);
		const char *at = s ? s->value : "";

		while (status >= 0 && (word = next_word(&at))) {
			status = s->line ? add_file(c, word, near, NULL) : add_file(c, word, ".", near); /* --set: where it is typed */
			free(word);
		}
	}
	free(near);
	if (status >= 0 && !c->n_corpus)
		status = hlx_fail(HLX_EINVAL, "%s: [data] wants corpus = FILE", c->path);
	return status;
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
