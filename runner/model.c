#include "runner/model.h"
#include "runner/checkpoint_files.h"
#include "runner/history.h"
#include "runner/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "step-8, step-16": the newest, oldest first. */
static void list_steps(const char *run, char *out, size_t room)
{
	enum { MOST = 8 };
	uint64_t *step = NULL;
	size_t n = checkpoint_list(run, &step), used = 0;

	*out = '\0';
	for (size_t i = n > MOST ? n - MOST : 0; i < n && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%sstep-%llu", used ? ", " : "", !used && i ? "..., " : "",
				(unsigned long long)step[i]);
	free(step);
}

/* Where it would be a run's checkpoint, which may have been pruned: those that are there. */
static int no_folder(const char *folder)
{
	char steps[256] = "", *run, *name;

	if (!(run = malloc(strlen(folder) + sizeof "./..")))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	strcpy(run, folder);
	for (size_t n = strlen(run); n > 1 && run[n - 1] == '/';)
		run[--n] = '\0';
	name = strrchr(run, '/') ? strrchr(run, '/') + 1 : run;
	if (!strncmp(name, "step-", 5)) {
		strcpy(name, name == run ? "./.." : "..");
		list_steps(run, steps, sizeof steps);
	}
	free(run);
	return *steps ? hlx_fail(HLX_EIO, "%s: no such folder; the run has %s", folder, steps) : path_folder(folder);
}

/* run.ini or model.ini in the folder, or the run.ini of a checkpoint's. */
static int find_ini(const char *folder, const char **out)
{
	static const char *const names[] = { "run.ini", "model.ini", "../../run.ini" };

	for (size_t i = 0; i < CLI_COUNT(names); i++) {
		char *path = path_join(folder, names[i]);
		bool there = path && !access(path, F_OK);
		if (!path)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		free(path);
		if ((*out = there ? names[i] : NULL))
			return 0;
	}
	CLI_TRY(access(folder, F_OK) ? no_folder(folder) : path_folder(folder));
	return hlx_fail(HLX_EIO, "%s: not a run's, a model's or a checkpoint's folder (it has neither run.ini nor model.ini)", folder);
}

/*
 * The state.json of a checkpoint's folder or of a run's newest; a model's folder has none.  ini: what find_ini() found.
 * *run: the run's folder, new, or NULL; a checkpoint with an INI of its own has been copied out of it.
 */
static int read_state(const char *folder, const char *ini, struct checkpoint *at, char **run)
{
	char *state = path_join(folder, "state.json"), *all = path_join(folder, "checkpoints");
	bool one = state && !access(state, F_OK), newest = !one && all && !access(all, F_OK);
	bool apart = one && strncmp(ini, "../../", 6);
	int status = state && all ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	*run = apart ? NULL : one ? path_join(folder, "../..") : newest ? strdup(folder) : NULL;
	if (status >= 0 && (one || newest))
		status = !*run && !apart ? hlx_fail(HLX_ENOMEM, "out of memory") : one ? checkpoint_read_state(folder, at) : checkpoint_latest(folder, at);
	free(all);
	free(state);
	return status;
}

int model_open(const char *folder, const struct cli_args *args, struct model *m)
{
	const char *name;
	char *run = NULL;
	int status;

	*m = (struct model){ .folder = folder };
	CLI_TRY(find_ini(folder, &name));
	CLI_TRY(session_open(&m->session, &m->conf, folder, name, args));
	status = read_state(folder, name, &m->at, &run);
	if (status >= 0 && run)
		status = history_same_model(run, &m->at, &m->conf);
	free(run);
	return status;
}

int model_tokenizer(struct model *m)
{
	return checkpoint_tokenizer(&m->at, &m->conf);
}

int model_weights(const struct model *m, const struct hlx_graph *g, struct st_file *out)
{
	uint32_t n = hlx_graph_param_count(g);

	CLI_TRY(weights_open(m->folder, g, out));
	if (out->count == n)
		return 0;
	hlx_fail(HLX_EIO, "%s: has %zu tensors, and %s makes %u parameters: it describes another model", out->path, out->count,
			m->conf.path, n);
	st_close(out);
	return HLX_EIO;
}

int model_load(struct model *m, int parts, const char *device)
{
	uint64_t flushed = 0; /* none: what hlxt has written, memory can hold; of other files nobody promised */
	struct st_file f;
	int status;

	CLI_TRY(session_graphs(&m->session, &m->conf, parts));
	CLI_TRY(model_weights(m, session_graph(&m->session), &f));
	status = session_device(&m->session, device);
	if (status >= 0)
		status = session_programs(&m->session, &m->conf);
	if (status >= 0)
		status = weights_load(&f, &m->session, &flushed);
	st_close(&f);
	return status;
}

void model_close(struct model *m)
{
	session_close(&m->session);
	conf_close(&m->conf);
}
