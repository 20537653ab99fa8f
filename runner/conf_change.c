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

static bool may_change(const char *section, const char *name)
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
		if (sscanf(args->set[i], " %31[^.= ] . %63[^= ]", section, name) == 2 && !may_change(section, name))
			return hlx_fail(CLI_USAGE, "resume: --set %.60s: a run keeps this to its end; what may change is [ops], "
					"[output] but for dir, numerics.mode, where data.corpus, data.validation and data.tokenizer are, and in "
					"[train] %sand the optimizer's own keys", args->set[i], list);
	return 0;
}

/* One key as it was and is; NULL where it is not there. */
static int compare_key(const struct hlx_setting *was, const struct hlx_setting *now, char *said, size_t room)
{
	const struct hlx_setting *s = now ? now : was;
	const char *a = was ? was->value : "not there", *b = now ? now->value : "not there";

	if (!conf_counts(s) || !strcmp(a, b))
		return 0;
	if (!may_change(s->section, s->key))
		return hlx_fail(HLX_EINVAL, "%s.%s: is %.100s, and was %.100s: a run keeps this to its end; one with train.init = this "
				"run's folder begins with its weights", s->section, s->key, b, a);
	snprintf(said + strlen(said), room - strlen(said), "%s%s.%s = %.60s (was %.60s)", *said ? ", " : "", s->section, s->key, b, a);
	return 0;
}

int conf_compare(const struct conf *was, const struct conf *now, char *said, size_t room)
{
	*said = '\0';
	for (size_t i = 0; i < now->ini->count; i++) {
		const struct hlx_setting *s = &now->ini->entry[i];
		CLI_TRY(compare_key(hlx_ini_find(was->ini, s->section, s->key), s, said, room));
	}
	for (size_t i = 0; i < was->ini->count; i++) {
		const struct hlx_setting *s = &was->ini->entry[i];
		if (!hlx_ini_find(now->ini, s->section, s->key))
			CLI_TRY(compare_key(s, NULL, said, room));
	}
	if (!*said && conf_fingerprint(was) != conf_fingerprint(now))
		return hlx_fail(HLX_EINVAL, "%s: the wiring's lines have another order: a run keeps theirs to its end", now->path);
	return 0;
}

/* [data] has no other keys that may change: what they name is checked by its fingerprint. */
static bool is_place(const struct hlx_setting *s)
{
	return !strcmp(s->section, "data") && may_change(s->section, s->key);
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
