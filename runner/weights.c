#include "runner/weights.h"
#include "runner/checkpoint_files.h"
#include "runner/paths.h"

#include "core/numerics.h"
#include "hlx/math.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one tensor ---- */

uint64_t weights_numel(const struct st_tensor *t)
{
	uint64_t n = 1;

	for (uint32_t i = 0; i < t->rank; i++)
		n *= t->dim[i];
	return n;
}

/* In squares of 32 x 32, so that both sides stay in the cache: GPT-2's largest are 1,600 x 6,400. */
void weights_transpose(const float *in, uint64_t rows, uint64_t columns, float *out)
{
	for (uint64_t r = 0; r < rows; r += 32)
		for (uint64_t c = 0; c < columns; c += 32)
			for (uint64_t i = r; i < r + 32 && i < rows; i++)
				for (uint64_t k = c; k < c + 32 && k < columns; k++)
					out[k * rows + i] = in[i * columns + k];
}

/* IEEE binary16: every value is one of binary32. */
static float from_half(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000u) << 16, e = h >> 10 & 31u, m = h & 1023u;

	if (!e) /* m * 2^-24, denormals included */
		return hlx_float(sign | hlx_bits((float)m * 0x1p-24f));
	return hlx_float(sign | (e == 31 ? 0x7f800000u : (e + 112) << 23) | m << 13);
}

/* n values of 16 bits in the upper half of out become floats, from the first on: none is overwritten before it is read. */
static void widen(float *out, uint64_t n, bool brain)
{
	const char *half = (const char *)out + n * 2;

	for (uint64_t i = 0; i < n; i++) {
		uint16_t h;
		memcpy(&h, half + i * 2, 2);
		out[i] = brain ? hlx_float((uint32_t)h << 16) : from_half(h);
	}
}

int weights_read(const struct st_file *f, const struct st_tensor *t, float *out)
{
	bool half = !strcmp(t->dtype, "F16"), brain = !strcmp(t->dtype, "BF16");
	uint64_t n = weights_numel(t);

	if (!strcmp(t->dtype, "F32"))
		return st_read(f, t, 0, n * 4, out);
	if (!half && !brain)
		return hlx_fail(HLX_EIO, "%s: tensor %s: is %s, want F32, F16 or BF16", f->path, t->name, t->dtype);
	CLI_TRY(st_read(f, t, 0, n * 2, (char *)out + n * 2));
	widen(out, n, brain);
	return 0;
}

int weights_flush(const struct st_file *f, const struct st_tensor *t, float *values, uint64_t n, uint64_t *flushed)
{
	for (uint64_t i = 0; i < n; i++) {
		float x = hlx_store(values[i]);
		if (!hlx_is_finite(values[i]))
			return hlx_fail(HLX_EIO, "%s: tensor %s: element %llu is not finite", f->path, t->name, (unsigned long long)i);
		*flushed += hlx_bits(x) != hlx_bits(values[i]);
		values[i] = x;
	}
	return 0;
}

const char *weights_said(uint64_t flushed, char room[96])
{
	*room = '\0';
	if (flushed)
		snprintf(room, 96, "; %llu value%s of it, -0 or closer to 0 than 2^-50, %s +0 here", (unsigned long long)flushed,
				flushed == 1 ? "" : "s", flushed == 1 ? "is" : "are");
	return room;
}

/* ---- all of a model ---- */

static int check_tensor(const struct st_file *f, const struct hlx_param_info *p)
{
	const struct st_tensor *t = st_find(f, p->path);
	bool same = t && t->rank == p->desc->rank;

	if (!t)
		return hlx_fail(HLX_EIO, "%s: has no tensor %s, which the model wants", f->path, p->path);
	for (uint32_t i = 0; same && i < t->rank; i++)
		same = t->dim[i] == p->desc->dim[i];
	return same ? 0 : hlx_fail(HLX_EIO, "%s: tensor %s has another shape than the model's", f->path, p->path);
}

/* Where the file is of a checkpoint, that says what it hashes to. */
static int check_hash(const struct st_file *f)
{
	char *dir = path_parent(f->path), *state = dir ? path_join(dir, "state.json") : NULL;
	struct checkpoint c;
	uint64_t hash = 0;
	int status = state ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0 && !access(state, F_OK)) {
		status = checkpoint_read_state(dir, &c);
		if (status >= 0)
			status = checkpoint_hash_file(f, &hash);
		if (status >= 0 && hash != c.model)
			status = hlx_fail(HLX_EIO, "%s is damaged: its hash is %016llx, state.json says %016llx", f->path,
					(unsigned long long)hash, (unsigned long long)c.model);
	}
	free(state);
	free(dir);
	return status;
}

static int open_file(const char *path, const struct hlx_graph *g, struct st_file *out)
{
	int status = st_open(path, out);

	for (uint32_t i = 0; status >= 0 && i < hlx_graph_param_count(g); i++) {
		const struct hlx_param_info p = hlx_graph_param(g, i);
		status = check_tensor(out, &p);
	}
	if (status >= 0)
		status = check_hash(out);
	if (status < 0)
		st_close(out);
	return status;
}

/* The run may be going on, and take a checkpoint away between our finding it and opening it; then there is a newer one. */
static int open_newest(const char *folder, const struct hlx_graph *g, struct st_file *out)
{
	struct checkpoint at = { 0 };
	char *path;
	uint64_t before;
	int status;

	do {
		before = at.step;
		status = checkpoint_latest(folder, &at);
		if (status < 0)
			continue;
		if (asprintf(&path, "%s/checkpoints/step-%llu/model.safetensors", folder, (unsigned long long)at.step) < 0)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		status = open_file(path, g, out);
		free(path);
	} while (status == HLX_EIO && at.step > before);
	return checkpoint_advise(folder, at.step, status);
}

int weights_open(const char *path, const struct hlx_graph *g, struct st_file *out)
{
	char *inside = path_join(path, "model.safetensors"), *runs = path_join(path, "checkpoints");
	struct stat st;
	int status;

	*out = (struct st_file){ .fd = -1 };
	if (!inside || !runs)
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	else if (stat(path, &st) || !S_ISDIR(st.st_mode))
		status = open_file(path, g, out);
	else if (!access(inside, F_OK))
		status = open_file(inside, g, out);
	else if (!access(runs, F_OK))
		status = open_newest(path, g, out);
	else
		status = hlx_fail(HLX_EIO, "%s: holds neither model.safetensors nor a run's checkpoints", path);
	free(runs);
	free(inside);
	return status;
}

int weights_load(const struct st_file *f, const struct session *s, uint64_t *flushed)
{
	const struct hlx_graph *g = session_graph(s);
	float *data = malloc(session_room(s));
	int status = data ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	for (uint32_t i = 0; i < hlx_graph_param_count(g) && status >= 0; i++) {
		const struct st_tensor *t = st_find(f, hlx_graph_param(g, i).path);
		status = weights_read(f, t, data);
		if (status >= 0)
			status = weights_flush(f, t, data, weights_numel(t), flushed);
		if (status >= 0)
			status = hlx_weights_write(s->weights, i, 0, data, NULL);
	}
	free(data);
	return status;
}
