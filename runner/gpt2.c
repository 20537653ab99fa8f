/* gpt2.c - config.json, and names. */
#include "runner/gpt2.h"
#include "runner/paths.h"

#include "core/file.h"
#include "core/numerics.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ---- */

static int load(const char *path, json_t **out)
{
	json_error_t error;
	struct stat st;
	int fd = -1;
	const char *wrong = hlx_file_open(path, O_RDONLY, &fd, &st);

	if (!wrong && st.st_size > 1 << 20)
		wrong = "is larger than 1 MiB";
	*out = wrong ? NULL : json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
	if (fd >= 0)
		close(fd);
	if (!*out)
		return hlx_fail(HLX_EIO, "%s: %.120s", path, wrong ? wrong : error.text);
	return json_is_object(*out) ? 0 : hlx_fail(HLX_EIO, "%s: is no JSON object", path);
}

/* A whole number from 1 up, or def where it is absent or null; def 0: it must be there. */
static int get_size(const json_t *j, const char *key, uint64_t def, uint64_t *out)
{
	const json_t *v = json_object_get(j, key);

	*out = def;
	if ((!v || json_is_null(v)) && def)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > 1 << 30)
		return hlx_fail(HLX_EIO, "%s: want a whole number from 1 to 2^30", key);
	*out = (uint64_t)json_integer_value(v);
	return 0;
}

static int get_bool(const json_t *j, const char *key, bool def, bool *out)
{
	const json_t *v = json_object_get(j, key);

	*out = v ? json_is_true(v) : def;
	return !v || json_is_boolean(v) ? 0 : hlx_fail(HLX_EIO, "%s: want true or false", key);
}

/* Switches of transformers that make it another computation. */
static int check_switches(const json_t *j)
{
	static const struct {
		const char *key;
		bool want;
	} switches[] = {
		{ "scale_attn_weights", true }, { "scale_attn_by_inverse_layer_idx", false }, { "add_cross_attention", false },
	};
	const json_t *act = json_object_get(j, "activation_function"), *type = json_object_get(j, "model_type");
	bool value;

	if (!type || !json_is_string(type) || strcmp(json_string_value(type), "gpt2"))
		return hlx_fail(HLX_EIO, "model_type is %.40s, want gpt2", json_is_string(type) ? json_string_value(type) : "missing");
	if (act && (!json_is_string(act) || (strcmp(json_string_value(act), "gelu_new") &&
			strcmp(json_string_value(act), "gelu_pytorch_tanh"))))
		return hlx_fail(HLX_EIO, "activation_function is %.40s, want gelu_new",
				json_is_string(act) ? json_string_value(act) : "no word");
	for (size_t i = 0; i < CLI_COUNT(switches); i++) {
		CLI_TRY(get_bool(j, switches[i].key, switches[i].want, &value));
		if (value != switches[i].want)
			return hlx_fail(HLX_EIO, "%s is %s, which no model here computes", switches[i].key, value ? "true" : "false");
	}
	if (json_object_get(j, "quantization_config"))
		return hlx_fail(HLX_EIO, "its weights are quantized (quantization_config): want F32, F16 or BF16");
	return 0;
}

/* What is absent has the value that transformers' GPT2Config gives it. */
static int read_config(const json_t *j, struct gpt2 *g)
{
	const json_t *eps = json_object_get(j, "layer_norm_epsilon");

	CLI_TRY(check_switches(j));
	CLI_TRY(get_size(j, "vocab_size", 50257, &g->vocab_size));
	CLI_TRY(get_size(j, "n_positions", 1024, &g->max_seq_len));
	CLI_TRY(get_size(j, "n_embd", 768, &g->d_model));
	CLI_TRY(get_size(j, "n_layer", 12, &g->num_layers));
	CLI_TRY(get_size(j, "n_head", 12, &g->num_heads));
	CLI_TRY(get_size(j, "n_inner", 4 * g->d_model, &g->ffn_dim));
	CLI_TRY(get_bool(j, "tie_word_embeddings", true, &g->tied));
	g->eps = eps ? json_number_value(eps) : 1e-5;
	if ((eps && !json_is_number(eps)) || !(g->eps >= 0x1p-40 && g->eps <= 1e3))
		return hlx_fail(HLX_EIO, "layer_norm_epsilon: want a number from 2^-40 to 1000");
	if (g->d_model % g->num_heads)
		return hlx_fail(HLX_EIO, "n_embd = %llu is not divisible by n_head = %llu", (unsigned long long)g->d_model,
				(unsigned long long)g->num_heads);
	return 0;
}

int gpt2_read_config(const char *folder, struct gpt2 *out)
{
	char *path = path_join(folder, "config.json");
	json_t *j = NULL;
	int status = path ? load(path, &j) : hlx_fail(HLX_ENOMEM, "out of memory");

	*out = (struct gpt2){ 0 };
	if (status >= 0) {
		status = read_config(j, out);
		if (status < 0)
			hlx_prefix(status, "%s: ", path);
	}
	json_decref(j);
	free(path);
	return status;
}

/* ---- writing ---- */

json_t *gpt2_config(const struct gpt2 *g)
{
	return json_pack("{s:[s], s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:b, s:f, s:f, s:f, s:f, s:s}",
			"architectures", "GPT2LMHeadModel", "model_type", "gpt2", "vocab_size", (json_int_t)g->vocab_size,
			"n_positions", (json_int_t)g->max_seq_len, "n_ctx", (json_int_t)g->max_seq_len,
			"n_embd", (json_int_t)g->d_model, "n_layer", (json_int_t)g->num_layers,
			"n_head", (json_int_t)g->num_heads, "n_inner", (json_int_t)g->ffn_dim,
			"activation_function", "gelu_new", "layer_norm_epsilon", g->eps, "tie_word_embeddings", (int)g->tied,
			"embd_pdrop", g->embd_pdrop, "attn_pdrop", g->attn_pdrop, "resid_pdrop", g->resid_pdrop, "initializer_range", 0.02,
			"torch_dtype", "float32");
}

void gpt2_write_ini(const struct gpt2 *g, const char *tokenizer, FILE *f)
{
	char eps[40];

	hlx_format_double(eps, sizeof eps, g->eps);
	fprintf(f, "; model.ini - a GPT-2 that hlxt import made; its weights are in model.safetensors beside this file.\n"
			"; hlxt run model.ini --set data.corpus=FILE trains it further; docs/ini.md explains every key.\n\n"
			"[model]\nvocab_size = %llu\nd_model = %llu\nnum_layers = %llu\nnum_heads = %llu\nffn_dim = %llu\n"
			"max_seq_len = %llu\neps = %s               ; of the norms\n\n", (unsigned long long)g->vocab_size,
			(unsigned long long)g->d_model, (unsigned long long)g->num_layers, (unsigned long long)g->num_heads,
			(unsigned long long)g->ffn_dim, (unsigned long long)g->max_seq_len, eps);
	fputs("[embed]\nx = embedding tokens\n\n"
			"[layer]\nn1 = layernorm x\nqkv = gemm n1 out=3*d_model bias=yes\n"
			"q = heads qkv part=0\nk = heads qkv part=1\nv = heads qkv part=2\n"
			"score = gemm q k transpose_b=yes\nprob = softmax score causal=yes scale=rsqrt(d_model/num_heads)\n"
			"ctx = gemm prob v\nflat = unheads ctx\n"
			"proj = gemm flat out=d_model bias=yes std=0.02*rsqrt(2*num_layers)\nx1 = add x proj\n"
			"n2 = layernorm x1\nfc = gemm n2 out=ffn_dim bias=yes\nact = gelu fc\n"
			"mlp = gemm act out=d_model bias=yes std=0.02*rsqrt(2*num_layers)\nx = add x1 mlp\n\n"
			"[head]\nn = layernorm x\n", f);
	fprintf(f, "logits = gemm n out=vocab_size%s\nloss = xent logits targets\n\n", g->tied ? " weight=@embed.x.token" : "");
	fputs("[train]\ninit = model.safetensors\nepochs = 1\nlr = 3e-5\nwarmup = 20\nweight_decay = 0.1\ngrad_clip = 1.0\n\n"
			"[data]                   ; corpus = FILE, here or with --set data.corpus=FILE\n", f);
	fprintf(f, "tokenizer = %s\n\n[output]\ncheckpoint_every = 100\nsample_tokens = 0\n", tokenizer);
}
