/* checkpoint.c - saving, and which there are. */
#include "runner/checkpoint.h"
#include "runner/checkpoint_files.h"
#include "runner/paths.h"
#include "runner/safetensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTIAL "checkpoints/.partial"

void checkpoint_name(const struct session *s, uint32_t param, uint32_t state, char *out, size_t room)
{
	const char *path = hlx_graph_param(session_graph(s), param).path;

	if (state)
		snprintf(out, room, "%s.%s", path, s->state_name[state - 1]);
	else
		snprintf(out, room, "%s", path);
}

uint64_t checkpoint_hash_array(const char *name, const float *data, uint64_t numel)
{
	return hlx_hash_words(hlx_hash_key(name), 0, (const uint32_t *)(const void *)data, numel);
}

uint32_t checkpoint_arrays(const struct session *s)
{
	return hlx_graph_param_count(session_graph(s)) * (1 + s->n_state);
}

void checkpoint_free_names(char **names, uint32_t count)
{
	for (uint32_t i = 0; names && i < count; i++)
		free(names[i]);
	free(names);
}

int checkpoint_names(const struct session *s, char ***out)
{
	uint32_t n = checkpoint_arrays(s);
	char name[CHECKPOINT_NAME], **names = calloc(n + 1, sizeof(*names));

	*out = names;
	for (uint32_t i = 0; names && i < n; i++) {
		checkpoint_name(s, i / (1 + s->n_state), i % (1 + s->n_state), name, sizeof name);
		if (!(names[i] = strdup(name)))
			return hlx_fail(HLX_ENOMEM, "out of memory");
	}
	return names ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
}

int checkpoint_hash(const struct session *s, uint64_t *sums)
{
	uint32_t n = checkpoint_arrays(s), arrays = 1 + s->n_state;
	float *data = malloc(session_room(s));
	char name[CHECKPOINT_NAME];
	int status = data ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	for (uint32_t i = 0; i < n && status >= 0; i++) {
		status = hlx_weights_read(s->weights, i / arrays, i % arrays, data);
		checkpoint_name(s, i / arrays, i % arrays, name, sizeof name);
		sums[i] = checkpoint_hash_array(name, data, hlx_graph_param(session_graph(s), i / arrays).numel);
	}
	free(data);
	return status;
}

void checkpoint_sum(const struct session *s, const uint64_t *sums, struct checkpoint *c)
{
	c->model = c->hash = 0;
	for (uint32_t i = 0; i < checkpoint_arrays(s); i++) {
		c->hash = hlx_hash_add(c->hash, sums[i]);
		if (i % (1 + s->n_state) == 0)
			c->model = hlx_hash_add(c->model, sums[i]);
	}
}

/* States [from, to] of every parameter; adds to *hash. */
static int write_arrays(struct st_writer *w, const struct session *s, uint32_t from, uint32_t to, float *data, uint64_t *hash)
{
	const struct hlx_graph *g = session_graph(s);
	uint32_t n = hlx_graph_param_count(g);
	char name[CHECKPOINT_NAME];

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t state = from; state <= to; state++) {
			checkpoint_name(s, i, state, name, sizeof name);
			CLI_TRY(st_declare(w, name, hlx_graph_param(g, i).desc));
		}
	CLI_TRY(st_header(w));
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t state = from; state <= to; state++) {
			checkpoint_name(s, i, state, name, sizeof name);
			CLI_TRY(hlx_weights_read(s->weights, i, state, data));
			*hash = hlx_hash_add(*hash, checkpoint_hash_array(name, data, hlx_graph_param(g, i).numel));
			CLI_TRY(st_write(w, data, hlx_graph_param(g, i).numel * sizeof(float)));
		}
	return 0;
}

static int save_arrays(const char *dir, const char *file, const struct session *s, uint32_t from, uint32_t to,
		uint64_t *hash)
{
	float *data = malloc(session_room(s));
	char *path = path_join(dir, file);
	struct st_writer w = { 0 };
	int status = data && path ? st_begin(&w, path) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0)
		status = write_arrays(&w, s, from, to, data, hash);
	status = st_end(&w, status);
	free(path);
	free(data);
	return status;
}

static int save_into(const char *dir, const struct session *s, const struct checkpoint *c)
{
	uint64_t hash = 0;

	if (mkdir(dir, 0777))
		return hlx_fail(HLX_EOUTPUT, "%s: %s", dir, strerror(errno));
	CLI_TRY(save_arrays(dir, "model.safetensors", s, 0, 0, &hash));
	CLI_TRY(save_arrays(dir, "optimizer.safetensors", s, 1, s->n_state, &hash));
	if (hash != c->hash)
		return hlx_fail(HLX_EDEVICE, "step %llu: the state read back hashes to %016llx, the device says %016llx",
				(unsigned long long)c->step, (unsigned long long)hash, (unsigned long long)c->hash);
	CLI_TRY(checkpoint_write_state(dir, c));
	return folder_sync(dir);
}

static char *step_path(const char *folder, uint64_t step)
{
	char *out;

	return asprintf(&out, "%s/checkpoints/step-%llu", folder, (unsigned long long)step) < 0 ? NULL : out;
}

int checkpoint_save(const struct folder *f, const struct session *s, const struct checkpoint *c)
{
	char *aside = path_join(f->path, PARTIAL), *to = step_path(f->path, c->step), *all = path_join(f->path, "checkpoints");
	int status = aside && to && all ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0) {
		folder_remove(aside); /* what a crash has left */
		status = save_into(aside, s, c);
		if (status >= 0 && rename(aside, to))
			status = hlx_fail(HLX_EOUTPUT, "%s: %s", to, strerror(errno));
		if (status < 0)
			folder_remove(aside);
		else
			status = folder_sync(all);
	}
	free(all);
	free(to);
	free(aside);
	return status;
}

/* ---- which there are ---- */

size_t checkpoint_list(const char *folder, uint64_t **out)
{
	char *path = path_join(folder, "checkpoints");
	size_t n = path ? folder_numbers(path, "step-", "", out) : 0;

	free(path);
	return n;
}

static bool is_kept(uint64_t step, const struct checkpoint_kept *kept, size_t n)
{
	size_t i = n - 1;

	if (kept[i].every && step % (uint64_t)kept[i].every == 0)
		return true;
	while (i && kept[i].since >= step)
		i--;
	return kept[i].every && step % (uint64_t)kept[i].every == 0;
}

void checkpoint_prune(const struct folder *f, int64_t keep, const struct checkpoint_kept *kept, size_t n_kept, uint64_t best)
{
	uint64_t *step;
	size_t n = checkpoint_list(f->path, &step);

	for (size_t i = 0; i + (size_t)keep < n; i++) {
		bool stays = !step[i] || step[i] == best || is_kept(step[i], kept, n_kept);
		char *path = stays ? NULL : step_path(f->path, step[i]);
		char *aside = path_join(f->path, PARTIAL);
		if (path && aside && !rename(path, aside)) /* never a step-N that is half gone */
			folder_remove(aside);
		free(aside);
		free(path);
	}
	free(step);
}

int checkpoint_at(const char *folder, uint64_t step, struct checkpoint *out)
{
	char *dir = step_path(folder, step);
	int status = dir ? checkpoint_read_state(dir, out) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0 && out->step != step)
		status = hlx_fail(HLX_EIO, "%s/state.json: says step %llu", dir, (unsigned long long)out->step);
	out->step = step;
	free(dir);
	return status;
}

int checkpoint_latest(const char *folder, struct checkpoint *out)
{
	uint64_t *step;
	size_t n = checkpoint_list(folder, &step);
	int status = n ? checkpoint_at(folder, step[n - 1], out) : folder_without(folder);

	free(step);
	return status;
}

int checkpoint_load(const char *folder, const struct session *s, const struct checkpoint *c)
{
	char *dir = step_path(folder, c->step);
	int status = dir ? checkpoint_load_files(dir, s, c) : hlx_fail(HLX_ENOMEM, "out of memory");

	free(dir);
	return status;
}
