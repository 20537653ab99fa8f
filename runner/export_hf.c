/* export_hf.c - --format hf: a folder that transformers loads: config.json, model.safetensors, tokenizer.json. */
#include "runner/export.h"
#include "runner/out.h"
#include "runner/paths.h"
#include "runner/tokenizer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- weights ---- */

static int declare_weights(struct export *e, struct st_writer *w)
{
	uint32_t n = hlx_graph_param_count(e->graph);
	char name[128];

	for (uint32_t i = 0; i < n; i++) {
		struct hlx_desc d = *hlx_graph_param(e->graph, i).desc;
		if (e->param[i].name->conv) {
			uint64_t rows = d.dim[0];
			d.dim[0] = d.dim[1];
			d.dim[1] = rows;
		}
		gpt2_hf_name(&e->param[i], "transformer.", name, sizeof name);
		CLI_TRY(st_declare(w, name, &d));
	}
	return st_describe(w, "format", "pt"); /* transformers asks for it */
}

/* ---- tokenizer ---- */

/* A token a byte: their letters, and no merges. */
static json_t *tokenizer_json(uint64_t vocab_size)
{
	json_t *vocab = json_object();
	char letter[3];

	for (unsigned i = 0; i < 256 && i < vocab_size; i++) {
		bpe_to_chars(&(char){ (char)i }, 1, letter);
		json_object_set_new(vocab, letter, json_integer((json_int_t)i));
	}
	return json_pack("{s:s, s:n, s:n, s:[], s:n, s:{s:s, s:b, s:b, s:b}, s:n, s:{s:s, s:b, s:b, s:b},"
			" s:{s:s, s:n, s:n, s:n, s:n, s:b, s:b, s:o, s:[]}}",
			"version", "1.0", "truncation", "padding", "added_tokens", "normalizer",
			"pre_tokenizer", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1, "use_regex", 1,
			"post_processor", "decoder", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1, "use_regex", 1,
			"model", "type", "BPE", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
			"fuse_unk", 0, "byte_fallback", 0, "vocab", vocab, "merges");
}

/* What ends a text, or null: left out it would be 50256, which a smaller vocabulary has not. */
static json_t *end_id(const struct export *e)
{
	const struct bpe *b = tokenizer_bpe(e->model.conf.tokenizer);
	uint32_t id = b ? bpe_find(b, BPE_END_OF_TEXT, strlen(BPE_END_OF_TEXT)) : BPE_NONE;

	return id == BPE_NONE ? json_null() : json_integer(id);
}

static json_t *config_json(const struct export *e)
{
	json_t *j = gpt2_config(&e->gpt2);

	json_object_set_new(j, "bos_token_id", end_id(e));
	json_object_set_new(j, "eos_token_id", end_id(e));
	return j;
}

static json_t *tokenizer_config_json(const struct export *e, const char *class)
{
	json_t *j = json_pack("{s:s, s:I}", "tokenizer_class", class, "model_max_length", (json_int_t)e->gpt2.max_seq_len), *id = end_id(e);

	if (json_is_integer(id)) {
		json_object_set_new(j, "bos_token", json_string(BPE_END_OF_TEXT));
		json_object_set_new(j, "eos_token", json_string(BPE_END_OF_TEXT));
	}
	json_decref(id);
	return j;
}

/* The files that the model's own was read from, or that of bytes. */
static int put_tokenizer(const struct export *e, const char *dir)
{
	const char *from = e->model.conf.tokenizer_path;
	bool parts = false;
	struct stat st;
	int status;

	if (!from) {
		status = out_json(dir, "tokenizer.json", tokenizer_json(e->gpt2.vocab_size));
	} else if ((parts = !stat(from, &st) && S_ISDIR(st.st_mode))) {
		status = out_copy_in(from, dir, "vocab.json");
		if (status >= 0)
			status = out_copy_in(from, dir, "merges.txt");
	} else {
		status = out_copy(from, dir, "tokenizer.json");
	}
	CLI_TRY(status);
	return out_json(dir, "tokenizer_config.json", tokenizer_config_json(e, parts ? "GPT2Tokenizer" : "PreTrainedTokenizerFast"));
}

int export_hf(struct export *e, const char *dir)
{
	char *path = path_join(dir, "model.safetensors");
	int status = path ? export_tensors(e, path, declare_weights, true) : hlx_fail(HLX_ENOMEM, "out of memory");

	free(path);
	CLI_TRY(status);
	CLI_TRY(out_json(dir, "config.json", config_json(e)));
	return put_tokenizer(e, dir);
}
