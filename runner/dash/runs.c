/* runs.c - which runs there are, their configuration, and how far two of them are the same. */
#include "runner/chain.h"
#include "runner/dash/dash.h"
#include "runner/paths.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *dash_run(const char *dir, const char *name)
{
	char *path, *file;

	if (strcmp(name, ".") && (*name == '.' || !*name || strchr(name, '/')))
		return NULL;
	path = strcmp(name, ".") ? path_join(dir, name) : strdup(dir);
	file = path ? path_join(path, "metrics.jsonl") : NULL;
	if (!file || access(file, R_OK)) {
		free(path);
		path = NULL;
	}
	free(file);
	return path;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

char *dash_runs(const char *dir)
{
	json_t *list = json_array();
	struct dirent **entry = NULL;
	int n = scandir(dir, &entry, NULL, by_name);
	char *text;

	for (int i = 0; i < n; i++) {
		char *path = dash_run(dir, entry[i]->d_name);
		if (path) /* a name that is not UTF-8 makes no string, and is left out */
			(void)json_array_append_new(list, json_string(entry[i]->d_name));
		free(path);
		free(entry[i]);
	}
	free(entry);
	text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return text;
}

char *dash_config(const char *dir, const char *name)
{
	struct journal j = { .fd = -1 };
	char *path = dash_run(dir, name), *text = NULL;

	if (path && (journal_view(path, "run.ini", &j) < 0 || journal_text(&j, &text) < 0))
		text = NULL;
	journal_close(&j);
	free(path);
	return text;
}

static int compare(const char *a, const char *b, long long *through, long long *of)
{
	struct chain_line *x = NULL, *y = NULL;
	uint64_t n = 0, k = 0, s = 0;
	int status = chain_read(a, &x, &n);

	if (status >= 0)
		status = chain_read(b, &y, &k);
	if (k < n)
		n = k;
	while (status >= 0 && s < n && x[s].loss_bits == y[s].loss_bits && x[s].state == y[s].state)
		s++;
	*through = (long long)s - 1;
	*of = (long long)n - 1;
	free(x);
	free(y);
	return status;
}

char *dash_same(const char *dir, const char *a, const char *b)
{
	char *x = dash_run(dir, a), *y = dash_run(dir, b), *text = NULL;
	long long through, of;
	json_t *o = NULL;

	if (x && y)
		o = compare(x, y, &through, &of) < 0 ? json_pack("{s:s}", "error", hlx_message())
						     : json_pack("{s:I, s:I}", "through", (json_int_t)through, "of", (json_int_t)of);
	if (o)
		text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	free(x);
	free(y);
	return text;
}
