/*
 * help_complete.c - hlxt help --complete WORD...: what may stand in place of the last of the words that follow hlxt, for the shells'
 * own few lines in completions/.
 *
 * A line a candidate: the whole word, a tab, what it is.  ":files" and ":folders" stand for those whose names begin as what
 * follows the word's last '=' does.  What cannot be found out (no plugins, no such INI) is left out.
 */
#include "runner/conf_keys.h"
#include "runner/paths.h"
#include "runner/session.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* The word that is to be completed; its first `from` bytes stand as they are: "--set=", "train.schedule=". */
struct want {
	const char *word;
	size_t from;
	const struct hlx_registry *ops;
	const struct command *command;
	const char *operand; /* its first, or NULL */
};

static const char *begun(const struct want *w)
{
	return w->word + w->from;
}

/* before and name make it; its explanation ends with the line. */
static void offer(const struct want *w, const char *before, const char *name, const char *after, const char *doc)
{
	char text[256];

	snprintf(text, sizeof text, "%s%s%s", before, name, after);
	if (!strncmp(text, begun(w), strlen(begun(w))))
		printf("%.*s%s\t%.*s\n", (int)w->from, w->word, text, doc ? (int)strcspn(doc, "\n") : 0, doc ? doc : "");
}

static void offer_all(const struct want *w, const char *const *names)
{
	for (; *names; names++)
		offer(w, "", *names, "", NULL);
}

/* ---- ops ---- */

/* Implementations of an op; of all where op is NULL, as OP/IMPL. */
static void offer_impls(const struct want *w, const char *op)
{
	const struct hlx_impl *impl;

	for (size_t i = 0; (impl = hlx_registry_impl_at(w->ops, i, NULL)); i++) {
		char before[64] = "";
		if (!op)
			snprintf(before, sizeof before, "%s/", impl->op);
		if (!op || !strcmp(op, impl->op))
			offer(w, before, impl->name, "", impl->doc);
	}
}

/* kind 0: of any. */
static void offer_ops(const struct want *w, const char *before, enum hlx_kind kind, const char *after)
{
	const struct hlx_op *op;

	for (size_t i = 0; (op = hlx_registry_op_at(w->ops, i, NULL)); i++)
		if (!kind || op->kind == kind)
			offer(w, before, op->name, after, op->doc);
}

/* ---- keys of an INI ---- */

static const char *const switches[] = { "no", "yes", NULL };

/* Does the command's --set take it? */
static bool may_set(const struct want *w, const char *section, const char *key)
{
	const char *const *sets = w->command->sets;
	char name[96];

	if (w->command == &command_resume)
		return conf_may_change(section, key);
	snprintf(name, sizeof name, "%s.%s", section, key);
	while (sets && *sets && strncmp(name, *sets, strlen(*sets)))
		sets++;
	return !sets || *sets;
}

static void offer_key(const struct want *w, const char *section, const char *key, const char *doc)
{
	char before[40];

	snprintf(before, sizeof before, "%s.", section);
	if (may_set(w, section, key))
		offer(w, before, key, "=", doc);
}

/* Any optimizer's attribute of that name (NULL: offers them all). */
static const struct hlx_attr *optimizer_attr(const struct want *w, const char *name)
{
	const struct hlx_op *op;

	for (size_t i = 0; (op = hlx_registry_op_at(w->ops, i, NULL)); i++)
		for (const struct hlx_attr *a = op->kind == HLX_OPTIMIZER ? op->attrs : NULL; a && a->name; a++) {
			if (!name)
				offer_key(w, "train", a->name, a->help);
			else if (!strcmp(a->name, name))
				return a;
		}
	return NULL;
}

/* [model] of the INI at hand has names of its own. */
static void offer_model(const struct want *w)
{
	struct hlx_ini *ini = NULL;
	char *path = NULL;

	if (w->operand && path_find(w->operand, NULL, NULL, &path) >= 0 && hlx_ini_read(path, &ini) >= 0)
		for (size_t i = 0; i < ini->count; i++)
			if (!strcmp(ini->entry[i].section, "model"))
				offer_key(w, "model", ini->entry[i].key, NULL);
	hlx_ini_destroy(ini);
	free(path);
}

static void offer_value(const struct want *w, const char *section, const char *key)
{
	const struct hlx_attr *a = strcmp(section, "train") ? NULL : optimizer_attr(w, key);

	for (const struct conf_key *k = conf_keys; k->section; k++) {
		if (strcmp(k->section, section) || strcmp(k->name, key))
			continue;
		if (k->choices)
			offer_all(w, k->choices);
		if (k->type == KEY_FILES || k->type == KEY_PATH)
			printf(":files\n");
	}
	if (!strcmp(section, "ops"))
		offer_impls(w, key);
	else if (!strcmp(section, "train") && !strcmp(key, "optimizer"))
		offer_ops(w, "", HLX_OPTIMIZER, "");
	else if (a && a->type == HLX_ENUM)
		offer_all(w, a->names);
	else if (a && a->type == HLX_BOOL)
		offer_all(w, switches);
}

/* First the sections, then a section's keys, then a key's values. */
static void offer_keys(struct want *w)
{
	const char *equals = strchr(begun(w), '='), *dot = strchr(begun(w), '.');
	char section[32], key[64], last[32] = "";

	if (equals && dot && dot < equals) {
		snprintf(section, sizeof section, "%.*s", (int)(dot - begun(w)), begun(w));
		snprintf(key, sizeof key, "%.*s", (int)(equals - dot - 1), dot + 1);
		w->from = (size_t)(equals + 1 - w->word);
		offer_value(w, section, key);
		return;
	}
	for (const struct conf_key *k = conf_keys; k->section; k++) {
		if (dot && strcmp(k->section, "model"))
			offer_key(w, k->section, k->name, k->help);
		if (dot || !strcmp(last, k->section) || !may_set(w, k->section, k->name))
			continue;
		snprintf(last, sizeof last, "%s", k->section);
		offer(w, last, ".", "", NULL);
	}
	if (may_set(w, "ops", "") && dot)
		offer_ops(w, "ops.", 0, "=");
	else if (may_set(w, "ops", ""))
		offer(w, "ops.", "", "", NULL);
	if (!dot)
		return;
	optimizer_attr(w, NULL);
	offer_model(w);
}

/* ---- words ---- */

static void offer_models(const struct want *w)
{
	const char *dir[2];
	struct dirent *e;

	path_models(dir);
	for (size_t i = 0; i < CLI_COUNT(dir) && dir[i]; i++) {
		DIR *d = opendir(dir[i]);
		while (d && (e = readdir(d)))
			if (strlen(e->d_name) > 4 && !strcmp(e->d_name + strlen(e->d_name) - 4, ".ini"))
				offer(w, "", e->d_name, "", "comes with hlx");
		if (d)
			closedir(d);
	}
}

static void offer_option_value(struct want *w, const struct option_info *o)
{
	static const char *const formats[] = { "hf", "gguf", "safetensors", NULL };

	switch (o->value) {
	case VALUE_FILE: printf(":files\n"); return;
	case VALUE_KEY: offer_keys(w); return;
	case VALUE_FORMAT: offer_all(w, formats); return;
	case VALUE_ANY: return;
	}
}

static const struct option_info *find_option(const struct command *c, const char *word)
{
	const struct option_info *o;
	size_t n = strcspn(word, "=");

	for (size_t i = 0; (o = options_at(c, i)); i++)
		if (strlen(o->name) + 2 == n && !strncmp(word + 2, o->name, n - 2))
			return o;
	return NULL;
}

static void offer_options(const struct want *w, const struct command *c)
{
	const struct option_info *o;

	for (size_t i = 0; (o = options_at(c, i)); i++)
		offer(w, "--", o->name, "", o->help);
}

static void offer_commands(const struct want *w)
{
	for (size_t i = 0; cli_commands[i]; i++)
		offer(w, "", cli_commands[i]->name, "", cli_commands[i]->doc);
}

/* The operand at a place, from 0: what is allowed there is in its name. */
static void offer_operand(const struct want *w, const struct command *c, int place)
{
	const char *names = c->operand ? c->operand : "";

	if (place && !strstr(names, "..."))
		names = *names != '[' && strchr(names, ' ') && place == 1 ? strchr(names, ' ') : "";
	else if (place && strchr(names, ' '))
		names = strchr(names, ' ');
	if (strstr(names, "INI"))
		offer_models(w);
	if (strstr(names, "OP")) {
		offer_ops(w, "", 0, "");
		if (strchr(w->word, '/'))
			offer_impls(w, NULL);
	}
	if (c == &command_tokenize && !place)
		offer(w, "", "train", "", "learn a vocabulary");
	if (strstr(names, "DIR") || strstr(names, "RUN"))
		printf(":folders\n");
	if (strstr(names, "INI") || strstr(names, "TEXT") || strstr(names, "FILE"))
		printf(":files\n");
}

static void complete(struct want *w, const struct command *c, int n, char **words)
{
	const struct option_info *o = NULL; /* that the word before waits with for its value */
	int operands = 0;

	for (int i = 0; i < n; i++) {
		if (o)
			o = NULL;
		else if (!strncmp(words[i], "--", 2))
			o = strchr(words[i], '=') ? NULL : find_option(c, words[i]);
		else if (*words[i] != '-' && !operands++)
			w->operand = words[i];
		o = o && o->arg ? o : NULL;
	}
	if (!o && !strncmp(w->word, "--", 2) && strchr(w->word, '=')) {
		o = find_option(c, w->word);
		w->from = strcspn(w->word, "=") + 1;
	}
	if (o)
		offer_option_value(w, o);
	else if (*w->word == '-')
		offer_options(w, c);
	else
		offer_operand(w, c, operands);
}

int help_complete(int n, char **words)
{
	const struct command *c = NULL;
	struct session s;
	struct want w = { .word = n > 0 ? words[n - 1] : "" };

	session_plugins(&s); /* though one of them be broken, the others are there */
	w.ops = s.registry;
	if (n < 2 || (n == 2 && !strcmp(words[0], "help"))) {
		offer_commands(&w);
		if (n == 2)
			offer(&w, "", "ini", "", "the keys of an INI");
		else
			offer(&w, "", "help", "", "what a command takes");
		if (n < 2 && *w.word == '-') {
			offer(&w, "--", "help", "", "list the commands");
			offer(&w, "--", "version", "", "print the version");
		}
	} else if (cli_find_command(words[0], &c) >= 0 && w.ops) {
		w.command = c;
		complete(&w, c, n - 2, words + 1);
	}
	session_close(&s);
	return 0;
}
