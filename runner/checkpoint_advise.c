/* checkpoint_advise.c - the newest checkpoint is damaged: which older one can be gone on from. */
#include "runner/checkpoint_files.h"
#include "runner/paths.h"

#include <stdlib.h>

int checkpoint_hash_file(const struct st_file *f, uint64_t *hash)
{
	int status = 0;

	for (size_t i = 0; i < f->count && status >= 0; i++) {
		const struct st_tensor *t = &f->tensor[i];
		uint64_t bytes = t->end - t->begin;
		float *data = malloc(bytes + 1);
		status = data ? st_read(f, t, 0, bytes, data) : hlx_fail(HLX_ENOMEM, "out of memory");
		if (status >= 0)
			*hash = hlx_hash_add(*hash, checkpoint_hash_array(t->name, data, bytes / sizeof(float)));
		free(data);
	}
	return status;
}

static int add_hashes(const char *dir, const char *name, uint64_t *hash)
{
	char *path = path_join(dir, name);
	struct st_file f;
	int status = path ? st_open(path, &f) : hlx_fail(HLX_ENOMEM, "out of memory");

	free(path);
	CLI_TRY(status);
	status = checkpoint_hash_file(&f, hash);
	st_close(&f);
	return status;
}

static bool is_whole(const char *folder, uint64_t step)
{
	struct checkpoint c;
	uint64_t hash = 0;
	char *dir = NULL;
	bool whole;

	if (asprintf(&dir, "%s/checkpoints/step-%llu", folder, (unsigned long long)step) < 0)
		return false;
	whole = checkpoint_at(folder, step, &c) >= 0 && chain_check(folder, step, c.chain) >= 0 &&
		add_hashes(dir, "model.safetensors", &hash) >= 0 && hash == c.model &&
		add_hashes(dir, "optimizer.safetensors", &hash) >= 0 && hash == c.hash;
	free(dir);
	return whole;
}

int checkpoint_advise(const char *folder, uint64_t step, int status)
{
	char why[512];
	uint64_t *there;
	size_t n;

	if (status != HLX_EIO)
		return status;
	snprintf(why, sizeof why, "%s", hlx_message());
	n = checkpoint_list(folder, &there);
	if (!n || is_whole(folder, step)) { /* it is something else: a run.ini of another model, say */
		free(there);
		return hlx_fail(status, "%s", why);
	}
	while (n && (there[n - 1] >= step || !is_whole(folder, there[n - 1])))
		n--;
	if (n)
		hlx_fail(status, "%s; step-%llu is whole: remove those after it from %s/checkpoints to go on from there", why,
				(unsigned long long)there[n - 1], folder);
	else
		hlx_fail(status, "%s; no older checkpoint is whole: hlxt run %s/run.ini --out FOLDER trains anew", why, folder);
	free(there);
	return status;
}
