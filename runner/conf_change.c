/* conf_change.c - what a run may go on with another value of: whatever leaves the model, its data and its steps' order alone. */
#include "runner/conf_keys.h"

#include <stdio.h>
#include <string.h>

/* The row of a key; corpus2 is of corpus. */
static const struct conf_key *find_key(const char *section, const char *name)
{
	for (const struct conf_key *k = conf_keys; k->section; k++) {
		size_t n = strlen(k->name);
		if (strcmp(k->section, section) || strncmp(k->name, name, n))
			continue;
		if (!name[n] || (k->type == KEY_FILES && strspn(name + n, "0123456789") == strlen(name + n)))
			return k;
	}
	return NULL;
}

bool conf_may_change(const char *section, const char *name)
{
	const struct conf_key *k = find_key(section, name);

	if (k)
		return k->later;
	return !strcmp(section, "ops") || !strcmp(section, "train"); /* the optimizer's own */
}

int conf_check_later(const struct cli_args *args)
{
	char section[32], name[64], list[512] = "";

	for (const struct conf_key *k = conf_keys; k->section; k++)
		if (k->later && !strcmp(k->section, "train"))
			snprintf(list + strlen(list), sizeof list - strlen(list), "%s, ", k->name);
	for (size_t i = 0; i < args->n_set; i++)
		if (sscanf(args->set[i], " %31[^.= ] . %63[^= ]", section, name) == 2 && !conf_may_change(section, name))
			return hlx_fail(CLI_USAGE, "resume: --set %.60s: a run keeps this to its end; what may change is [ops], "
					"[output] but for dir, numerics.mode, where data.corpus, data.validation and data.tokenizer are, and in "
					"[train] %sand the optimizer's own keys", args->set[i], list);
	return 0;
}

/* ---- two of them ---- */

/* A key that says something else, and what; "not there" where it is not. */
struct change {
	const struct hlx_setting *setting;
	const char *was, *now;
};

/* 0.20 is 0.2, and 4*32 is 128.  The lines that make nodes are compared as they stand. */
static bool is_number(const struct hlx_setting *s)
{
	const struct conf_key *k = find_key(s->section, s->key);

	if (k)
		return k->type == KEY_SIZE || k->type == KEY_INT || k->type == KEY_REAL || k->type == KEY_SHARE;
	return !strcmp(s->section, "model") || !strcmp(s->section, "train");
}

static bool same_value(const struct conf *was, const struct hlx_setting *a, const struct conf *now, const struct hlx_setting *b)
{
	double x, y;
	bool yes, and_yes;

	if (!strcmp(a->value, b->value))
		return true;
	if (!is_number(a))
		return false;
	if (hlx_ini_real(was->ini, a->section, a->key, -1e300, 1e300, &x) >= 0 &&
			hlx_ini_real(now->ini, b->section, b->key, -1e300, 1e300, &y) >= 0)
		return x == y;
	return hlx_ini_bool(was->ini, a->section, a->key, &yes) >= 0 && hlx_ini_bool(now->ini, b->section, b->key, &and_yes) >= 0 &&
		yes == and_yes;
}

/* From *at on, of now's keys and then of those that only was has; false at the end. */
static bool next_change(const struct conf *was, const struct conf *now, size_t *at, struct change *out)
{
	for (; *at < now->ini->count + was->ini->count; ++*at) {
		bool old = *at >= now->ini->count;
		const struct hlx_setting *s = old ? &was->ini->entry[*at - now->ini->count] : &now->ini->entry[*at];
		const struct hlx_setting *other = hlx_ini_find(old ? now->ini : was->ini, s->section, s->key);

		if (other && (old || same_value(was, other, now, s)))
			continue;
		*out = (struct change){ s, old ? s->value : other ? other->value : "not there", old ? "not there" : s->value };
		++*at;
		return true;
	}
	return false;
}

/* The lines that make nodes: from *at on, the next one. */
static const struct hlx_setting *next_node(const struct conf *c, size_t *at)
{
	while (*at < c->ini->count && !conf_is_wiring(&c->ini->entry[*at]))
		++*at;
	return *at < c->ini->count ? &c->ini->entry[(*at)++] : NULL;
}

/* Of two that have the same ones. */
static int check_order(const struct conf *was, const struct conf *now, const char *why)
{
	const struct hlx_setting *a, *b;
	size_t i = 0, k = 0;

	while ((a = next_node(was, &i)) && (b = next_node(now, &k)))
		if (strcmp(a->section, b->section) || strcmp(a->key, b->key))
			return hlx_fail(HLX_EINVAL, "%s: %s.%s: the wiring's lines have another order than in %s: %s", now->path, b->section,
					b->key, was->path, why);
	return 0;
}

int conf_same_model(const struct conf *was, const struct conf *now)
{
	struct change d;

	for (size_t at = 0; next_change(was, now, &at, &d);)
		if (conf_is_wiring(d.setting) || !strcmp(d.setting->section, "model"))
			return hlx_fail(HLX_EINVAL, "%s: %s.%s is %.100s, and was %.100s when the checkpoint was made: that is another model; "
					"%s has what it was", now->path, d.setting->section, d.setting->key, d.now, d.was, was->path);
	return check_order(was, now, "that is another model");
}

/* A value that is the same keeps its spelling, and so conf_fingerprint its. */
static int take_spelling(struct conf *c, const struct conf *from)
{
	for (size_t i = 0; i < from->ini->count; i++) {
		const struct hlx_setting *a = &from->ini->entry[i], *b = hlx_ini_find(c->ini, a->section, a->key);
		if (b && strcmp(a->value, b->value) && same_value(from, a, c, b))
			CLI_TRY(conf_set(c->ini, "%s.%s=%s", a->section, a->key, a->value));
	}
	return 0;
}

int conf_compare(const struct conf *was, struct conf *now, char *said, size_t room)
{
	struct change d;

	*said = '\0';
	for (size_t at = 0; next_change(was, now, &at, &d);) {
		const char *section = d.setting->section, *key = d.setting->key;
		if (!conf_counts(d.setting))
			continue;
		if (!conf_may_change(section, key))
			return hlx_fail(HLX_EINVAL, "%s.%s: is %.100s, and was %.100s: a run keeps this to its end; one with train.init = this "
					"run's folder begins with its weights", section, key, d.now, d.was);
		snprintf(said + strlen(said), room - strlen(said), "%s%s.%s = %.60s (was %.60s)", *said ? ", " : "", section, key,
				d.now, d.was);
	}
	CLI_TRY(check_order(was, now, "a run keeps theirs to its end"));
	return take_spelling(now, was);
}

/* [data] has no other keys that may change: what they name is checked by its fingerprint. */
static bool is_place(const struct hlx_setting *s)
{
	return !strcmp(s->section, "data") && conf_may_change(s->section, s->key);
}

int conf_take_places(struct conf *c, const struct conf *from)
{
	for (size_t i = 0; i < c->ini->count; i++) /* more files then than now */
		if (is_place(&c->ini->entry[i]) && !hlx_ini_find(from->ini, "data", c->ini->entry[i].key))
			CLI_TRY(conf_set(c->ini, "data.%s=", c->ini->entry[i].key));
	for (size_t i = 0; i < from->ini->count; i++)
		if (is_place(&from->ini->entry[i]))
			CLI_TRY(conf_set(c->ini, "data.%s=%s", from->ini->entry[i].key, from->ini->entry[i].value));
	return 0;
}
