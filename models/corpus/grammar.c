/* Reads grammars. The texts stay in c->files, cut up in place. */
#include "grammar.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char name_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

int corpus_fail(struct corpus *c, const char *file, unsigned line, const char *fmt, ...)
{
	int n = snprintf(c->error, sizeof c->error / 2, "%.200s:%u: ", file, line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->error + n, sizeof c->error - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

struct rule *rule_find(struct corpus *c, const char *name)
{
	for (size_t i = 0; i < c->rule_count; i++)
		if (!strcmp(c->rules[i].name, name))
			return &c->rules[i];
	return NULL;
}

static int alt_add(struct corpus *c, struct rule *r, char *text)
{
	unsigned long copies = 1;

	text += strspn(text, " \t");
	for (size_t n = strlen(text); n && (text[n - 1] == ' ' || text[n - 1] == '\t'); n--)
		text[n - 1] = '\0';
	if (*text == '(') {
		r->weighted = true;
		copies = strtoul(text + 1, &text, 10);
		if (*text++ != ')' || !copies || copies > 100)
			return corpus_fail(c, r->file, r->line, "%s: a weight is (1) to (100)", r->name);
		text += strspn(text, " ");
	}
	if (c->alt_count + copies > ALTS_MAX)
		return corpus_fail(c, r->file, r->line, "more than %d alternatives", ALTS_MAX);
	for (; copies; copies--, r->count++)
		c->alts[c->alt_count++] = (struct alt){ text, 0 };
	return 0;
}

static int words_add(struct corpus *c, struct rule *r, char *words)
{
	for (char *w = strtok(words, " \t"); w; w = strtok(NULL, " \t")) {
		for (char *p = w; *p; p++)
			*p = *p == '_' ? ' ' : *p;
		if (alt_add(c, r, w))
			return -1;
	}
	return r->count ? 0 : corpus_fail(c, r->file, r->line, "%s: no words", r->name);
}

static int alts_add(struct corpus *c, struct rule *r, char *body)
{
	for (char *next; body; body = next) {
		if ((next = strchr(body, '|')))
			*next++ = '\0';
		if (alt_add(c, r, body))
			return -1;
	}
	return 0;
}

static int rule_add(struct corpus *c, const char *file, unsigned line, char *s)
{
	size_t n = strspn(s, name_chars);
	char *body = s + n + strspn(s + n, " \t");
	bool list = !strncmp(body, "::", 2);
	struct rule *r = &c->rules[c->rule_count], *old;

	if (!n || n >= NAME_ROOM || (*body != '=' && !list))
		return corpus_fail(c, file, line, "want name = text, name :: words or !kind word=form");
	if (c->rule_count == RULES_MAX)
		return corpus_fail(c, file, line, "more than %d rules", RULES_MAX);
	body += list ? 2 : 1;
	s[n] = '\0';
	if ((old = rule_find(c, s)))
		return corpus_fail(c, file, line, "rule %s is already at %s:%u", s, old->file, old->line);
	*r = (struct rule){ s, file, line, false, c->alt_count, 0 };
	c->rule_count++;
	return list ? words_add(c, r, body) : alts_add(c, r, body);
}

static int forms_add(struct corpus *c, const char *file, unsigned line, char *s)
{
	const char *kind = strtok(s, " \t");

	for (char *w, *eq; (w = strtok(NULL, " \t")); ) {
		if (!(eq = strchr(w, '=')) || c->forms.count == FORMS_MAX)
			return corpus_fail(c, file, line, "%s: want word=form, %d at most", w, FORMS_MAX);
		*eq = '\0';
		c->forms.forms[c->forms.count++] = (struct form){ kind, w, eq + 1 };
	}
	return 0;
}

static int grammar_parse(struct corpus *c, const char *file, char *s)
{
	for (unsigned line = 1; *s; ) {
		unsigned first = line++;
		char *start = s, *end = strchr(s, '\n');

		for (; end && (end[1] == ' ' || end[1] == '\t'); end = strchr(end, '\n'), line++)
			*end = ' ';
		s = end ? end + 1 : s + strlen(s);
		if (end)
			*end = '\0';
		if (!*start || *start == '#')
			continue;
		if (*start == '!' ? forms_add(c, file, first, start + 1) : rule_add(c, file, first, start))
			return -1;
	}
	return 0;
}

int grammar_load(struct corpus *c, const char *file, char *data)
{
	FILE *f = fopen(file, "rb");
	unsigned line = 1;

	if (!f)
		return corpus_fail(c, file, 0, "%s", strerror(errno));
	size_t n = fread(data, 1, FILE_ROOM - 1, f);
	bool whole = !ferror(f) && feof(f);
	fclose(f);
	if (!whole)
		return corpus_fail(c, file, 0, "cannot be read, or is over %d bytes", FILE_ROOM - 2);
	for (size_t i = 0; i < n; line += data[i++] == '\n')
		if ((data[i] < ' ' || data[i] > '~') && data[i] != '\n' && data[i] != '\t')
			return corpus_fail(c, file, line, "byte 0x%02x is not plain text", data[i] & 0xff);
	return grammar_parse(c, file, data);
}

/* A misspelt @name would otherwise show only when chance first picks it. */
static int rule_check(struct corpus *c, const struct rule *r)
{
	for (size_t a = r->first; a < r->first + r->count; a++)
		for (const char *p = c->alts[a].text; (p = strchr(p, '@')); ) {
			char name[NAME_ROOM];
			int n = (int)strspn(++p, name_chars);

			snprintf(name, sizeof name, "%.*s", n, p);
			if (p[n] != '$' && !rule_find(c, name))
				return corpus_fail(c, r->file, r->line, "%s: no rule @%s", r->name, name);
		}
	return 0;
}

int grammar_check(struct corpus *c, const char *file)
{
	for (size_t i = 0; i < c->rule_count; i++)
		if (rule_check(c, &c->rules[i]))
			return -1;
	return rule_find(c, "piece") ? 0 : corpus_fail(c, file, 0, "no rule named piece in the grammars");
}
