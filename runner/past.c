#include "runner/past.h"
#include "runner/checkpoint_files.h"
#include "runner/paths.h"
#include "runner/safetensors.h"

#include "core/numerics.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The run may be going on: checkpoints are listed first, then chain is read, then tensors is opened, in the reverse of the
 * order in which they grow.  So what is there at all is whole in those that come after.
 */
int past_open(const char *path, struct past *p)
{
	*p = (struct past){ .path = path, .tensors.file.fd = -1 };
	p->n_checkpoints = checkpoint_list(path, &p->checkpoint);
	if (!p->n_checkpoints) {
		CLI_TRY(path_folder(path));
		return folder_without(path);
	}
	CLI_TRY(chain_read(path, &p->line, &p->steps));
	CLI_TRY(tensors_view(path, &p->tensors));
	if (p->checkpoint[p->n_checkpoints - 1] >= p->steps)
		return hlx_fail(HLX_EIO, "%s/chain: is cut short: it has %llu steps, and there is checkpoint step-%llu", path,
				(unsigned long long)p->steps, (unsigned long long)p->checkpoint[p->n_checkpoints - 1]);
	if (p->tensors.steps < p->steps)
		return hlx_fail(HLX_EIO, "%s: is cut short: it has %llu steps, chain %llu", p->tensors.file.path,
				(unsigned long long)p->tensors.steps, (unsigned long long)p->steps);
	return 0;
}

void past_close(struct past *p)
{
	tensors_close(&p->tensors);
	free(p->line);
	free(p->checkpoint);
	*p = (struct past){ .tensors.file.fd = -1 };
}

bool past_has_checkpoint(const struct past *p, uint64_t step)
{
	for (size_t i = 0; i < p->n_checkpoints; i++)
		if (p->checkpoint[i] == step)
			return true;
	return false;
}

int past_sums(const struct past *p, uint64_t step, uint64_t *sums)
{
	uint64_t state;

	CLI_TRY(tensors_read(&p->tensors, step, sums));
	state = tensors_state(sums, p->tensors.count);
	if (state != p->line[step].state)
		return hlx_fail(HLX_EIO, "%s: is damaged: step %llu adds up to %016llx, chain says %016llx", p->tensors.file.path,
				(unsigned long long)step, (unsigned long long)state, (unsigned long long)p->line[step].state);
	return 0;
}

int past_check(const struct past *p, uint64_t from, uint64_t to)
{
	uint64_t *sums = calloc(p->tensors.count + 1, sizeof(*sums));
	int status = sums ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	for (uint64_t s = from; s <= to && status >= 0; s++)
		status = past_sums(p, s, sums);
	free(sums);
	return status;
}

/* ---- a checkpoint's files ---- */

struct files {
	struct st_file model, optimizer;
};

static int open_one(const struct past *p, uint64_t step, const char *file, struct st_file *out)
{
	char path[4096];
	int n = snprintf(path, sizeof path, "%s/checkpoints/step-%llu/%s", p->path, (unsigned long long)step, file);

	return n < (int)sizeof path ? st_open(path, out) : hlx_fail(HLX_EIO, "%.80s...: the path is too long", path);
}

static int open_files(const struct past *p, uint64_t step, struct files *f)
{
	*f = (struct files){ .model.fd = -1, .optimizer.fd = -1 };
	CLI_TRY(open_one(p, step, "model.safetensors", &f->model));
	return open_one(p, step, "optimizer.safetensors", &f->optimizer);
}

static void close_files(struct files *f)
{
	st_close(&f->model);
	st_close(&f->optimizer);
}

static int read_array(const struct files *f, const char *name, uint32_t **out, uint64_t *count)
{
	const struct st_file *file = &f->model;
	const struct st_tensor *t = st_find(file, name);

	*out = NULL;
	if (!t)
		t = st_find(file = &f->optimizer, name);
	if (!t)
		return hlx_fail(HLX_EIO, "%s: has no tensor %s", f->model.path, name);
	if (strcmp(t->dtype, "F32"))
		return hlx_fail(HLX_EIO, "%s: tensor %s is not F32", file->path, name);
	*count = (t->end - t->begin) / 4;
	if (!(*out = malloc(t->end - t->begin + 4)))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	return st_read(file, t, 0, t->end - t->begin, *out);
}

int past_array(const struct past *p, uint64_t step, const char *name, uint32_t **out, uint64_t *count)
{
	struct files f;
	int status = open_files(p, step, &f);

	*out = NULL;
	if (status >= 0)
		status = read_array(&f, name, out, count);
	close_files(&f);
	return status;
}

static int hash_files(const struct past *p, const struct files *f, uint64_t *sums)
{
	const struct tensors *t = &p->tensors;

	if (f->model.count + f->optimizer.count != t->count)
		return hlx_fail(HLX_EIO, "%s: has not the tensors of %s", f->model.path, t->file.path);
	for (size_t i = 0; i < t->count; i++) {
		uint32_t *bits;
		uint64_t n;
		int status = read_array(f, t->name[i], &bits, &n);
		if (status >= 0)
			sums[i] = hlx_hash_words(hlx_hash_key(t->name[i]), 0, bits, n);
		free(bits);
		CLI_TRY(status);
	}
	return 0;
}

int past_checkpoint_sums(const struct past *p, uint64_t step, uint64_t *sums)
{
	struct files f;
	int status = open_files(p, step, &f);

	if (status >= 0)
		status = hash_files(p, &f, sums);
	close_files(&f);
	return status;
}

/* ---- comparing ---- */

struct past_differs past_compare(const uint64_t *a, const uint64_t *b, size_t n)
{
	struct past_differs d = { 0, 0 };

	for (size_t i = n; i-- > 0;)
		if (a[i] != b[i])
			d = (struct past_differs){ i, d.count + 1 };
	return d;
}

void past_describe(const uint32_t *a, const char *in_a, const uint32_t *b, const char *in_b, uint64_t count, char *out,
		size_t room)
{
	uint64_t first = count, n = 0;

	for (uint64_t i = count; i-- > 0;)
		if (a[i] != b[i]) {
			first = i;
			n++;
		}
	if (!n)
		snprintf(out, room, "no element differs");
	else
		snprintf(out, room, "%llu of %llu elements differ, the first is [%llu]: %08x %s, %08x %s", (unsigned long long)n,
				(unsigned long long)count, (unsigned long long)first, a[first], in_a, b[first], in_b);
}
