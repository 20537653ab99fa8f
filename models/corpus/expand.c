/*
 * Turns a rule into text. Every expand_ function appends to c->out and returns where the grammar's
 * text goes on, or NULL with the error set.
 */
#include "grammar.h"

#include <stdio.h>
#include <string.h>

enum {
	DEPTH_MAX = 64,
	HEAD = 8,	    /* more make the text richer and harder to learn */
	USUAL_PERCENT = 97, /* of the draws from a rule with more than HEAD alternatives */
	PICK_TRIES = 2, /* draws for an alternative that this piece has not used yet */
};

static uint64_t rng_below(struct corpus *c, uint64_t n) /* splitmix64 */
{
	uint64_t z = (c->rng += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % n;
}

static const char *expand(struct corpus *c, const struct rule *r, const char *s, const char *stops);

static const char *expand_fail(struct corpus *c, const struct rule *r, const char *what, const char *s)
{
	corpus_fail(c, r->file, r->line, "%s: %s at `%.32s'", r->name, what, s);
	return NULL;
}

static int out_add(struct corpus *c, const char *s, size_t n)
{
	if (c->len + n >= PIECE_ROOM)
		return -1;
	memcpy(c->out + c->len, s, n);
	c->len += n;
	c->out[c->len] = '\0';
	return 0;
}

static const char *name_read(char *name, const char *s)
{
	size_t n = strspn(s, name_chars), room = NAME_ROOM - 1;

	snprintf(name, NAME_ROOM, "%.*s", (int)(n < room ? n : room), s);
	return s + n;
}

static struct var *var_find(struct corpus *c, const char *name)
{
	for (size_t i = 0; i < c->var_count; i++)
		if (!strcmp(c->vars[i].name, name))
			return &c->vars[i];
	return NULL;
}

/*
 * The first HEAD alternatives of a long rule are the usual ones, as words in real text are few that
 * are common and many that are rare. Without this the model sees too little of every word to learn any.
 */
static uint64_t alt_draw(struct corpus *c, const struct rule *r)
{
	bool usual = r->count > HEAD && !r->weighted && !var_find(c, "wide") && rng_below(c, 100) < USUAL_PERCENT;

	return r->first + rng_below(c, usual ? HEAD : r->count);
}

static struct alt *alt_pick(struct corpus *c, const struct rule *r)
{
	struct alt *a = NULL;

	for (int i = 0; i < PICK_TRIES; i++) {
		a = &c->alts[alt_draw(c, r)];
		if (a->used != c->piece)
			break;
	}
	a->used = c->piece;
	return a;
}

static int rule_expand(struct corpus *c, const struct rule *r)
{
	if (c->depth == DEPTH_MAX)
		return corpus_fail(c, r->file, r->line, "%s: rules nest deeper than %d", r->name, DEPTH_MAX);
	c->depth++;
	const char *end = expand(c, r, alt_pick(c, r)->text, "");
	c->depth--;
	return end ? 0 : -1;
}

/* .pl and the like, but not the full stop of a sentence, which no small letter follows. */
static const char *expand_forms(struct corpus *c, const struct rule *r, const char *s, size_t from)
{
	while (s[0] == '.' && s[1] >= 'a' && s[1] <= 'z') {
		char kind[NAME_ROOM];
		const char *end = name_read(kind, s + 1);

		if (inflect(&c->forms, kind, c->out + from, PIECE_ROOM - from))
			return expand_fail(c, r, "cannot inflect", s);
		c->len = from + strlen(c->out + from);
		s = end;
	}
	return s;
}

static const char *expand_name(struct corpus *c, const struct rule *r, const char *s)
{
	char name[NAME_ROOM], tail[NAME_ROOM];
	size_t from = c->len, n;
	const char *end = name_read(name, s + 1);
	const struct var *v = *s == '$' ? var_find(c, name) : NULL;

	if (*s == '@' && *end == '$') {
		end = name_read(tail, end + 1);
		v = var_find(c, tail);
		n = strlen(name);
		snprintf(name + n, NAME_ROOM - n, "%.*s", (int)(NAME_ROOM - n - 1), v ? v->value : "");
	}
	const struct rule *next = *s == '@' ? rule_find(c, name) : NULL;
	if (next ? rule_expand(c, next) : !v || *s == '@' || out_add(c, v->value, strlen(v->value)))
		return *c->error ? NULL : expand_fail(c, r, "nothing by that name", s);
	return expand_forms(c, r, end, from);
}

static const char *expand_set(struct corpus *c, const struct rule *r, const char *s)
{
	char name[NAME_ROOM];
	size_t from = c->len;
	const char *end = name_read(name, s + 1);
	struct var *v = var_find(c, name);

	if (*end != '=' || (!v && c->var_count == VARS_MAX))
		return expand_fail(c, r, "want {name=text}", s);
	end = expand(c, r, end + 1, "}");
	if (!end || *end != '}' || c->len - from >= PHRASE_MAX)
		return end ? expand_fail(c, r, "no }, or a text too long,", s) : NULL;
	if (!v)
		v = &c->vars[c->var_count++];
	strcpy(v->name, name);
	strcpy(v->value, c->out + from);
	c->out[c->len = from] = '\0';
	return end + 1;
}

/* The / or ] that ends the branch which starts at s, or the end of the text. */
static const char *branch_end(const char *s)
{
	for (int depth = 0; *s && (depth || (*s != '/' && *s != ']')); s++)
		depth += (*s == '[') - (*s == ']');
	return s;
}

static const char *expand_choice(struct corpus *c, const struct rule *r, const char *s)
{
	const char *branch = s + 1, *end = s;
	uint64_t count = 0;

	do {
		end = branch_end(end + 1);
		count++;
	} while (*end == '/');
	if (!*end)
		return expand_fail(c, r, "no ]", s);
	for (uint64_t skip = rng_below(c, count); skip; skip--)
		branch = branch_end(branch) + 1;
	return expand(c, r, branch, "/]") ? end + 1 : NULL;
}

/* Stops at the end of s or at a character of stops. */
static const char *expand(struct corpus *c, const struct rule *r, const char *s, const char *stops)
{
	while (s && *s && !strchr(stops, *s)) {
		if (*s == '@' || *s == '$')
			s = expand_name(c, r, s);
		else if (*s == '{')
			s = expand_set(c, r, s);
		else if (*s == '[')
			s = expand_choice(c, r, s);
		else if (out_add(c, *s == '\\' ? "\n" : s, 1))
			s = expand_fail(c, r, "the piece is too long", s);
		else
			s += *s == '\\' && s[1] == 'n' ? 2 : 1;
	}
	return s;
}

int piece_expand(struct corpus *c)
{
	c->len = c->var_count = 0;
	c->piece++;
	return rule_expand(c, rule_find(c, "piece"));
}
