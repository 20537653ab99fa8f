/* checkpoint_files.c - state.json, and reading the arrays back. */
#include "runner/checkpoint_files.h"
#include "runner/paths.h"
#include "runner/safetensors.h"
#include "runner/tokenizer.h"

#include "core/file.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Hashes are hexadecimal text: JSON's numbers do not hold 64 bits everywhere. */
static json_t *hex(uint64_t v, int digits)
{
	return json_sprintf("%0*llx", digits, (unsigned long long)v);
}

static json_t *state_json(const struct checkpoint *c)
{
	return json_pack("{s:i, s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:{s:I, s:o}, s:o, s:o, s:I, s:{s:I, s:o, s:I}}", "numerics", NUMERICS,
			"step", (json_int_t)c->step, "seed", (json_int_t)c->seed, "loss", hex(c->loss_bits, 8),
			"hash", hex(c->hash, 16), "model", hex(c->model, 16), "chain", hex(c->chain, 16),
			"samples", (json_int_t)c->samples,
			"corpus", "bytes", (json_int_t)c->corpus_size, "xxh64", hex(c->corpus_hash, 16),
			"tokenizer", hex(c->tokenizer, 16), "config", hex(c->config, 16), "since", (json_int_t)c->since,
			"validation", "best", (json_int_t)c->best, "loss", hex(c->best_bits, 8), "stale", (json_int_t)c->stale);
}

int checkpoint_write_state(const char *dir, const struct checkpoint *c)
{
	return out_json(dir, "state.json", state_json(c));
}

static bool get_int(const json_t *j, const char *key, uint64_t *out)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*out = (uint64_t)json_integer_value(v);
	return true;
}

static bool get_hex(const json_t *j, const char *key, size_t digits, uint64_t *out)
{
	const char *text = json_string_value(json_object_get(j, key));

	if (!text || strlen(text) != digits || strspn(text, "0123456789abcdef") != digits)
		return false;
	*out = strtoull(text, NULL, 16);
	return true;
}

static int load_json(const char *dir, json_t **out)
{
	char *path = path_join(dir, "state.json");
	json_error_t error;
	struct stat st;
	int fd = -1;
	const char *wrong = path ? hlx_file_open(path, O_RDONLY, &fd, &st) : "out of memory";

	*out = wrong ? NULL : json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
	if (fd >= 0)
		close(fd);
	free(path);
	return *out ? 0 : hlx_fail(HLX_EIO, "%s/state.json: %.120s", dir, wrong ? wrong : error.text);
}

int checkpoint_read_state(const char *dir, struct checkpoint *c)
{
	json_t *j;
	const json_t *corpus, *validation;
	uint64_t numerics = 0, loss = 0, best = 0;
	int status;

	*c = (struct checkpoint){ 0 };
	status = load_json(dir, &j);
	corpus = json_object_get(j, "corpus");
	validation = json_object_get(j, "validation");
	if (!j)
		return status;
	c->said = json_object_get(j, "tokenizer");
	if (!get_int(j, "numerics", &numerics) || !get_int(j, "step", &c->step) || !get_int(j, "seed", &c->seed) ||
			!get_hex(j, "loss", 8, &loss) || !get_hex(j, "hash", 16, &c->hash) ||
			!get_hex(j, "model", 16, &c->model) || !get_hex(j, "chain", 16, &c->chain) ||
			!get_int(j, "samples", &c->samples) || !get_int(corpus, "bytes", &c->corpus_size) ||
			!get_hex(corpus, "xxh64", 16, &c->corpus_hash) || !get_hex(j, "config", 16, &c->config) ||
			!get_int(j, "since", &c->since) || (c->said && !get_hex(j, "tokenizer", 16, &c->tokenizer)) || (validation && (!get_int(validation, "best", &c->best) ||
			!get_hex(validation, "loss", 8, &best) || !get_int(validation, "stale", &c->stale))))
		status = hlx_fail(HLX_EIO, "%s/state.json: a value is missing or wrong", dir);
	else if (numerics != NUMERICS)
		status = hlx_fail(HLX_EIO, "%s: made with numerics %llu, this hlxt computes numerics %d", dir,
				(unsigned long long)numerics, NUMERICS);
	c->loss_bits = (uint32_t)loss;
	c->best_bits = (uint32_t)best;
	json_decref(j);
	return status;
}

int checkpoint_tokenizer(struct checkpoint *c, struct conf *conf)
{
	uint64_t digest;

	CLI_TRY(conf_open_tokenizer(conf));
	digest = tokenizer_digest(conf->tokenizer);
	if (!c->said)
		c->tokenizer = digest;
	c->said = true;
	return digest == c->tokenizer ? 0 : hlx_fail(HLX_EIO, "tokenizer %s: is not the one that this run was trained with",
			conf->tokenizer_path ? conf->tokenizer_path : conf->tokenizer_name);
}

/* ---- arrays ---- */

static int check_shape(const struct st_file *f, const struct st_tensor *t, const struct hlx_desc *d)
{
	bool same = !strcmp(t->dtype, "F32") && t->rank == d->rank;

	for (uint32_t i = 0; same && i < d->rank; i++)
		same = t->dim[i] == d->dim[i];
	return same ? 0 : hlx_fail(HLX_EIO, "%s: tensor %s has another shape or type than the model", f->path, t->name);
}

/* One array into the device; adds to *hash and to *flushed. */
static int load_array(const struct st_file *f, const struct session *s, uint32_t param, uint32_t state, float *data,
		uint64_t *hash)
{
	struct hlx_param_info p = hlx_graph_param(session_graph(s), param);
	char name[CHECKPOINT_NAME];
	const struct st_tensor *t;

	checkpoint_name(s, param, state, name, sizeof name);
	if (!(t = st_find(f, name)))
		return hlx_fail(HLX_EIO, "%s: has no tensor %s", f->path, name);
	CLI_TRY(check_shape(f, t, p.desc));
	CLI_TRY(st_read(f, t, 0, p.numel * sizeof(float), data));
	*hash = hlx_hash_add(*hash, checkpoint_hash_array(name, data, p.numel));
	return hlx_weights_write(s->weights, param, state, data, NULL);
}

/* States [from, to] of every parameter, and nothing else. */
static int load_arrays(const char *dir, const char *file, const struct session *s, uint32_t from, uint32_t to,
		uint64_t *hash)
{
	uint32_t n = hlx_graph_param_count(session_graph(s));
	float *data = malloc(session_room(s));
	char *path = path_join(dir, file);
	struct st_file f;
	int status = data && path ? st_open(path, &f) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0) {
		if (f.count != (uint64_t)n * (to + 1 - from))
			status = hlx_fail(HLX_EIO, "%s: has %zu tensors, the model %llu", path, f.count,
					(unsigned long long)n * (to + 1 - from));
		for (uint32_t i = 0; i < n && status >= 0; i++)
			for (uint32_t state = from; state <= to && status >= 0; state++)
				status = load_array(&f, s, i, state, data, hash);
		st_close(&f);
	}
	free(path);
	free(data);
	return status;
}

int checkpoint_load_files(const char *dir, const struct session *s, const struct checkpoint *c)
{
	uint64_t hash = 0;

	CLI_TRY(load_arrays(dir, "model.safetensors", s, 0, 0, &hash));
	if (hash != c->model)
		return hlx_fail(HLX_EIO, "%s: model.safetensors is damaged: its hash is %016llx, state.json says %016llx", dir,
				(unsigned long long)hash, (unsigned long long)c->model);
	if (!s->train_graph)
		return 0;
	CLI_TRY(load_arrays(dir, "optimizer.safetensors", s, 1, s->n_state, &hash));
	if (hash != c->hash)
		return hlx_fail(HLX_EIO, "%s: optimizer.safetensors is damaged: the state's hash is %016llx, state.json says %016llx",
				dir, (unsigned long long)hash, (unsigned long long)c->hash);
	return 0;
}
