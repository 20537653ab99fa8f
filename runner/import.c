/*
 * import.c - hlxt import DIR --out MODEL: a GPT-2 of Hugging Face's becomes a model's folder.
 *
 * No device is needed: what uploading would make of a value is done here, and counted.
 */
#include "runner/gpt2.h"
#include "runner/out.h"
#include "runner/paths.h"
#include "runner/tokenizer.h"
#include "runner/weights.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct import {
	const char *from;
	struct gpt2 gpt2;
	struct conf conf;
	struct session session;
	struct gpt2_param *param; /* of each of the graph's */
	char *ini;                /* text of model.ini */
	size_t ini_size;
	struct st_file file;
	const char *prefix;       /* of its names */
	const char *tokenizer;    /* for the INI: bytes, tokenizer.json, or . with vocab.json and merges.txt in it */
	float *data, *turned;     /* room for any tensor */
	uint64_t flushed;
};

/* ---- its tokenizer ---- */

static bool has(const struct import *m, const char *name)
{
	char *path = path_join(m->from, name);
	bool there = path && !access(path, F_OK);

	free(path);
	return there;
}

/* What the folder has, if it can be read; up to 256 tokens are bytes, which is what hlxt export makes of those. */
static int find_tokenizer(struct import *m)
{
	struct tokenizer *t;
	char *path;
	int status;

	m->tokenizer = "bytes";
	if (m->gpt2.vocab_size <= 256)
		return 0;
	if (has(m, "tokenizer.json"))
		m->tokenizer = "tokenizer.json";
	else if (has(m, "vocab.json") && has(m, "merges.txt"))
		m->tokenizer = ".";
	else
		return 0;
	if (!(path = path_join(m->from, m->tokenizer)))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	status = tokenizer_open(path, &t);
	if (status >= 0) {
		if (tokenizer_size(t) > m->gpt2.vocab_size)
			status = hlx_fail(HLX_EIO, "%s: its tokenizer has %u tokens, config.json makes that %llu", m->from, tokenizer_size(t),
					(unsigned long long)m->gpt2.vocab_size);
		tokenizer_close(t);
	}
	free(path);
	return status;
}

static int copy_tokenizer(const struct import *m, const char *dir)
{
	if (!strcmp(m->tokenizer, "bytes"))
		return 0;
	if (strcmp(m->tokenizer, "."))
		return out_copy_in(m->from, dir, m->tokenizer);
	CLI_TRY(out_copy_in(m->from, dir, "vocab.json"));
	return out_copy_in(m->from, dir, "merges.txt");
}

/* ---- the model ---- */

/* Its INI and graph, as if the file were there already. */
static int make_model(struct import *m)
{
	const struct cli_args none = { .steps = -1 };
	FILE *f = open_memstream(&m->ini, &m->ini_size);
	struct gpt2 back;

	if (!f)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	gpt2_write_ini(&m->gpt2, m->tokenizer, f);
	if (fclose(f))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	CLI_TRY(conf_parse("model.ini", m->ini, m->ini_size, &none, &m->conf));
	CLI_TRY(session_plugins(&m->session));
	CLI_TRY(conf_read(&m->conf, m->session.registry, &none));
	CLI_TRY(session_graphs(&m->session, &m->conf, SESSION_SAMPLE));
	m->param = calloc(hlx_graph_param_count(session_graph(&m->session)), sizeof *m->param);
	return m->param ? gpt2_match(session_graph(&m->session), &back, m->param) : hlx_fail(HLX_ENOMEM, "out of memory");
}

/* ---- its tensors ---- */

static int open_weights(struct import *m)
{
	static const char *const others[] = { "model.safetensors.index.json", "pytorch_model.bin" };
	char *path = path_join(m->from, "model.safetensors");
	int status = path ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	for (size_t i = 0; status >= 0 && access(path, F_OK) && i < CLI_COUNT(others); i++) {
		char *other = path_join(m->from, others[i]);
		if (other && !access(other, F_OK))
			status = hlx_fail(HLX_EIO, "%s: the weights must be in one file model.safetensors, not in %s (transformers' "
					"save_pretrained(DIR, max_shard_size=\"100GB\") writes it)", m->from, others[i]);
		free(other);
	}
	if (status >= 0)
		status = st_open(path, &m->file);
	free(path);
	return status;
}

static const struct st_tensor *find(const struct import *m, uint32_t i, char *name, size_t room)
{
	gpt2_hf_name(&m->param[i], m->prefix, name, room);
	return st_find(&m->file, name);
}

static int check_shape(const struct import *m, const struct st_tensor *t, uint32_t i)
{
	const struct hlx_desc *d = hlx_graph_param(session_graph(&m->session), i).desc;
	bool conv = m->param[i].name->conv, same = t->rank == d->rank;
	char have[96] = "", want[96] = "";

	for (uint32_t k = 0; k < d->rank; k++) {
		uint64_t dim = d->dim[conv ? d->rank - 1 - k : k];
		same = same && t->dim[k] == dim;
		snprintf(want + strlen(want), sizeof want - strlen(want), "%s%llu", k ? " x " : "", (unsigned long long)dim);
	}
	for (uint32_t k = 0; k < t->rank && strlen(have) < 70; k++)
		snprintf(have + strlen(have), sizeof have - strlen(have), "%s%llu", k ? " x " : "", (unsigned long long)t->dim[k]);
	return same ? 0 : hlx_fail(HLX_EIO, "%s: tensor %s is %s, config.json makes it %s", m->file.path, t->name, have, want);
}

static int check_dtype(const struct import *m, const struct st_tensor *t)
{
	bool known = !strcmp(t->dtype, "F32") || !strcmp(t->dtype, "F16") || !strcmp(t->dtype, "BF16");

	return known ? 0 : hlx_fail(HLX_EIO, "%s: tensor %s: is %s, want F32, F16 or BF16", m->file.path, t->name, t->dtype);
}

/* Nothing may be left over: a tensor that we would drop may be part of what the model computes. */
static int check_others(const struct import *m)
{
	uint32_t n = hlx_graph_param_count(session_graph(&m->session));
	char name[128];

	for (size_t k = 0; k < m->file.count; k++) {
		const char *have = m->file.tensor[k].name;
		bool known = gpt2_is_constant(have, m->prefix) || (m->gpt2.tied && !strcmp(have, "lm_head.weight"));
		for (uint32_t i = 0; i < n && !known; i++) {
			gpt2_hf_name(&m->param[i], m->prefix, name, sizeof name);
			known = !strcmp(have, name);
		}
		if (!known)
			return hlx_fail(HLX_EIO, "%s: tensor %.80s is not one of a GPT-2 of %llu layers", m->file.path, have,
					(unsigned long long)m->gpt2.num_layers);
	}
	return 0;
}

static int check_tensors(struct import *m)
{
	const struct hlx_graph *g = session_graph(&m->session);
	uint64_t most = 1;
	char name[128];

	m->prefix = st_find(&m->file, "transformer.wte.weight") ? "transformer." : "";
	for (uint32_t i = 0; i < hlx_graph_param_count(g); i++) {
		const struct st_tensor *t = find(m, i, name, sizeof name);
		if (!t)
			return hlx_fail(HLX_EIO, "%s: has no tensor %s", m->file.path, name);
		CLI_TRY(check_dtype(m, t));
		CLI_TRY(check_shape(m, t, i));
		most = weights_numel(t) > most ? weights_numel(t) : most;
	}
	CLI_TRY(check_others(m));
	m->data = malloc(most * sizeof(float));
	m->turned = malloc(most * sizeof(float));
	return m->data && m->turned ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
}

/* ---- the folder ---- */

/* Parameter i as the model has it. */
static int convert(struct import *m, uint32_t i, const float **out)
{
	char name[128];
	const struct st_tensor *t = find(m, i, name, sizeof name);

	CLI_TRY(weights_read(&m->file, t, m->data));
	CLI_TRY(weights_flush(&m->file, t, m->data, weights_numel(t), &m->flushed));
	*out = m->data;
	if (m->param[i].name->conv) {
		weights_transpose(m->data, t->dim[0], t->dim[1], m->turned);
		*out = m->turned;
	}
	return 0;
}

static int write_tensors(struct import *m, struct st_writer *w)
{
	const struct hlx_graph *g = session_graph(&m->session);
	uint32_t n = hlx_graph_param_count(g);
	const float *data;

	for (uint32_t i = 0; i < n; i++)
		CLI_TRY(st_declare(w, hlx_graph_param(g, i).path, hlx_graph_param(g, i).desc));
	CLI_TRY(st_header(w));
	for (uint32_t i = 0; i < n; i++) {
		CLI_TRY(convert(m, i, &data));
		CLI_TRY(st_write(w, data, hlx_graph_param(g, i).numel * sizeof(float)));
	}
	return 0;
}

static int write_weights(struct import *m, const char *dir)
{
	char *path = path_join(dir, "model.safetensors");
	struct st_writer w = { 0 };
	int status = path ? st_begin(&w, path) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0)
		status = write_tensors(m, &w);
	status = st_end(&w, status);
	free(path);
	return status;
}

static int write_ini(const struct import *m, const char *dir)
{
	char *path = path_join(dir, "model.ini");
	int status = path ? out_text(path, m->ini, m->ini_size) : hlx_fail(HLX_ENOMEM, "out of memory");

	free(path);
	return status;
}

static int write_model(struct import *m, const char *out)
{
	struct out o;
	int status;

	CLI_TRY(out_new(out, true));
	status = out_folder(out, &o);
	if (status >= 0)
		status = write_weights(m, o.aside);
	if (status >= 0)
		status = write_ini(m, o.aside);
	if (status >= 0)
		status = copy_tokenizer(m, o.aside);
	return out_end(&o, status);
}

static int read_all(struct import *m)
{
	int status;

	CLI_TRY(gpt2_read_config(m->from, &m->gpt2));
	CLI_TRY(find_tokenizer(m));
	status = make_model(m);
	if (status == HLX_EINVAL || status == HLX_ESHAPE || status == HLX_ENOTSUP) /* the model is the input here */
		return hlx_prefix(HLX_EIO, "%s/config.json: ", m->from);
	CLI_TRY(status);
	CLI_TRY(open_weights(m));
	return check_tensors(m);
}

static int import(const struct cli_args *args)
{
	struct import m = { .from = args->operand, .file.fd = -1 };
	char room[96];
	int status = args->out ? read_all(&m) : hlx_fail(CLI_USAGE, "import: --out DIR says where the model goes");

	if (status >= 0)
		status = write_model(&m, args->out);
	if (status >= 0 && !args->quiet)
		printf("%s: %llu parameters in %u tensors, into %s%s\n", m.from, (unsigned long long)session_parameters(&m.session),
				hlx_graph_param_count(session_graph(&m.session)), args->out, weights_said(m.flushed, room));
	free(m.turned);
	free(m.data);
	free(m.param);
	st_close(&m.file);
	session_close(&m.session);
	conf_close(&m.conf);
	free(m.ini);
	return status;
}

const struct command command_import = {
	"import", "DIR", "make a model's folder from a GPT-2 of Hugging Face's",
	"DIR holds config.json and model.safetensors, as Hugging Face's transformers lay them out. The model's "
	"folder holds model.ini and model.safetensors: hlxt sample and hlxt eval take the folder, hlxt run its "
	"INI (with --set data.corpus=FILE).\n\n"
	"No device is needed. Values that memory here does not hold (-0, or closer to 0 than 2^-50) become +0, "
	"and are counted.",
	"hlxt import gpt2 --out my-gpt2\n",
	{ OPT_NEW, OPT_QUIET }, import, NULL
};
