/* export_gguf.c - --format gguf: the keys and names that llama.cpp reads of a GPT-2. */
#include "runner/export.h"
#include "runner/gguf.h"
#include "runner/tokenizer.h"

void export_letter(unsigned char byte, char out[3])
{
	unsigned letter = byte, before = 0;

	for (unsigned b = 0; b <= byte; b++) { /* bytes that are no visible letter of Latin-1 go from 256 on, in order */
		bool visible = (b > 32 && b < 127) || (b > 160 && b != 173);
		if (b == byte && !visible)
			letter = 256 + before;
		before += !visible;
	}
	if (letter < 128) {
		out[0] = (char)letter;
		out[1] = '\0';
		return;
	}
	out[0] = (char)(0xc0 | letter >> 6);
	out[1] = (char)(0x80 | (letter & 63));
	out[2] = '\0';
}

static void put_sizes(struct gguf_writer *w, const struct gpt2 *g, const char *name)
{
	gguf_string(w, "general.architecture", "gpt2");
	gguf_string(w, "general.name", name);
	gguf_u32(w, "general.alignment", GGUF_ALIGN);
	gguf_u32(w, "general.file_type", 0); /* all f32 */
	gguf_u32(w, "gpt2.context_length", (uint32_t)g->max_seq_len);
	gguf_u32(w, "gpt2.embedding_length", (uint32_t)g->d_model);
	gguf_u32(w, "gpt2.feed_forward_length", (uint32_t)g->ffn_dim);
	gguf_u32(w, "gpt2.block_count", (uint32_t)g->num_layers);
	gguf_u32(w, "gpt2.attention.head_count", (uint32_t)g->num_heads);
	gguf_f32(w, "gpt2.attention.layer_norm_epsilon", (float)g->eps);
}

/* A token a byte: GPT-2's letters for bytes, and no merges.  Tokens from 256 on are never written: [PAD256] ... */
static void put_bytes(struct gguf_writer *w, uint64_t vocab_size)
{
	char text[32];

	gguf_string(w, "tokenizer.ggml.model", "gpt2");
	gguf_string(w, "tokenizer.ggml.pre", "gpt-2");
	gguf_strings(w, "tokenizer.ggml.tokens", vocab_size);
	for (uint64_t i = 0; i < vocab_size; i++) {
		if (i < 256)
			export_letter((unsigned char)i, text);
		else
			snprintf(text, sizeof text, "[PAD%llu]", (unsigned long long)i);
		gguf_item_string(w, text);
	}
	gguf_i32s(w, "tokenizer.ggml.token_type", vocab_size);
	for (uint64_t i = 0; i < vocab_size; i++)
		gguf_item_i32(w, i < 256 ? 1 : 5); /* normal, unused */
	gguf_strings(w, "tokenizer.ggml.merges", 0);
	gguf_u32(w, "tokenizer.ggml.bos_token_id", tokenizer_start(vocab_size));
	gguf_u32(w, "tokenizer.ggml.eos_token_id", 0); /* NUL, which text has not: nothing ends it */
	gguf_bool(w, "tokenizer.ggml.add_bos_token", false);
}

static int put_all(struct export *e, struct gguf_writer *w)
{
	uint32_t n = hlx_graph_param_count(e->graph);
	const float *data;
	char name[64];

	put_sizes(w, &e->gpt2, e->model.conf.name);
	put_bytes(w, e->gpt2.vocab_size);
	for (uint32_t i = 0; i < n; i++) {
		gpt2_gguf_name(&e->param[i], name, sizeof name);
		gguf_declare(w, name, hlx_graph_param(e->graph, i).desc);
	}
	CLI_TRY(gguf_header(w));
	for (uint32_t i = 0; i < n; i++) {
		CLI_TRY(export_read(e, i, false, &data));
		CLI_TRY(gguf_write(w, data, hlx_graph_param(e->graph, i).numel));
	}
	return 0;
}

int export_gguf(struct export *e, const char *path)
{
	struct gguf_writer w;
	int status = gguf_begin(&w, path);

	if (status >= 0)
		status = put_all(e, &w);
	if (status >= 0)
		return gguf_end(&w);
	gguf_abandon(&w);
	return status;
}
