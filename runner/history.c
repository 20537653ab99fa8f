#include "runner/history.h"
#include "runner/paths.h"
#include "runner/train.h"

#include <stdlib.h>
#include <unistd.h>

int history_read(const char *folder, struct history *h)
{
	*h = (struct history){ .folder = folder };
	h->count = folder_numbers(folder, "run-", ".ini", &h->since);
	if (h->count && !h->since[0])
		return 0;
	return hlx_fail(HLX_EIO, "%s/run-0.ini: is missing: nothing else says how the first steps were made", folder);
}

void history_free(struct history *h)
{
	free(h->since);
	*h = (struct history){ 0 };
}

size_t history_of(const struct history *h, uint64_t step)
{
	size_t i = h->count;

	while (--i && h->since[i] >= step)
		;
	return i;
}

static int open_since(const char *folder, uint64_t since, const struct cli_args *args, struct conf *c)
{
	char name[48];

	snprintf(name, sizeof name, "run-%llu.ini", (unsigned long long)since);
	return conf_open(folder, name, args, c);
}

int history_open(const struct history *h, size_t i, const struct cli_args *args, struct conf *c)
{
	struct conf now = { 0 };
	int status = open_since(h->folder, h->since[i], args, c);

	if (status >= 0)
		status = conf_open(h->folder, "run.ini", args, &now);
	if (status >= 0)
		status = conf_take_places(c, &now);
	conf_close(&now);
	return status;
}

/* As it was written, and as the checkpoint says; that of step 0 is made before any step, and may go on with anything. */
static int open_of(const char *folder, const struct checkpoint *at, struct conf *c)
{
	const struct cli_args as_it_was = { .steps = -1 };

	if (open_since(folder, at->since, &as_it_was, c) < 0)
		return hlx_fail(HLX_EIO, "%s", hlx_message());
	if (!at->step || conf_fingerprint(c) == at->config)
		return 0;
	return hlx_fail(HLX_EIO, "%s: is not what checkpoint step-%llu was made with: it was changed after the run", c->path,
			(unsigned long long)at->step);
}

int history_number(const char *folder, uint64_t since, const char *section, const char *key, int64_t *out)
{
	const struct cli_args as_it_was = { .steps = -1 };
	struct conf c = { 0 };
	int status = open_since(folder, since, &as_it_was, &c);

	*out = 0;
	if (status >= 0)
		status = hlx_ini_int(c.ini, section, key, 0, 1ll << 53, out);
	conf_close(&c);
	return status < 0 ? hlx_fail(HLX_EIO, "%s", hlx_message()) : 0;
}

int history_kept(const char *folder, struct checkpoint_kept **out, size_t *count)
{
	uint64_t *since;
	size_t n = folder_numbers(folder, "run-", ".ini", &since);
	int status = 0;

	*count = n;
	*out = calloc(n + 1, sizeof(**out));
	if (!*out)
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	for (size_t i = 0; i < n && status >= 0; i++) {
		(*out)[i].since = since[i];
		status = history_number(folder, since[i], "output", "keep_every", &(*out)[i].every);
	}
	free(since);
	return status;
}

int history_check(const struct history *h, size_t i, uint64_t from, uint64_t to)
{
	uint64_t *step;
	size_t n = checkpoint_list(h->folder, &step);
	int status = 0;

	for (size_t k = 0; k < n && status >= 0; k++) {
		struct checkpoint at;
		struct conf c = { 0 };
		if (step[k] < from || step[k] > to)
			continue;
		status = checkpoint_at(h->folder, step[k], &at);
		if (status >= 0 && at.since == h->since[i])
			status = open_of(h->folder, &at, &c);
		conf_close(&c);
	}
	free(step);
	return status;
}

int history_compare(const char *folder, const struct checkpoint *at, struct conf *c, char *said)
{
	struct conf was = { 0 };
	int status = open_of(folder, at, &was);

	if (status >= 0)
		status = conf_compare(&was, c, said, 512);
	conf_close(&was);
	return status;
}

int history_same_model(const char *folder, const struct checkpoint *at, const struct conf *c)
{
	struct conf was = { 0 };
	int status;

	if (conf_fingerprint(c) == at->config)
		return 0;
	status = open_of(folder, at, &was);
	if (status >= 0)
		status = conf_same_model(&was, c);
	conf_close(&was);
	return status;
}

/* Those of steps that are to be made again. */
static void forget(const char *folder, uint64_t since)
{
	uint64_t *all;
	size_t n = folder_numbers(folder, "run-", ".ini", &all);

	for (size_t i = 0; i < n; i++) {
		char name[48], *path;
		if (all[i] <= since)
			continue;
		snprintf(name, sizeof name, "run-%llu.ini", (unsigned long long)all[i]);
		path = path_join(folder, name);
		if (path)
			unlink(path);
		free(path);
	}
	free(all);
}

int history_go_on(const struct folder *f, struct checkpoint *at, struct conf *c, bool other)
{
	char name[48];

	forget(f->path, at->since);
	at->config = conf_fingerprint(c);
	if (other) {
		at->since = at->step;
		snprintf(name, sizeof name, "run-%llu.ini", (unsigned long long)at->step);
		CLI_TRY(run_ini_write(c, f, name));
	}
	return run_ini_write(c, f, "run.ini");
}
