/* export_gguf.c - --format gguf: the keys and names that llama.cpp reads of a GPT-2. */
#include "runner/export.h"
#include "runner/gguf.h"
#include "runner/tokenizer.h"

#include <stdlib.h>
#include <string.h>

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

/* Tokens that text never gives: beyond the tokenizer's, to the size of the model's table. */
static const char *padding(uint64_t id, char room[32])
{
	snprintf(room, 32, "[PAD%llu]", (unsigned long long)id);
	return room;
}

enum { NORMAL = 1, CONTROL = 3, UNUSED = 5 }; /* types of tokens */

static bool is_added(const struct bpe *b, uint32_t id)
{
	for (size_t i = 0; i < b->n_added; i++)
		if (b->added[i] == id)
			return true;
	return false;
}

/* A token's letters, as vocab.json has them; added ones are text as they are. */
static int put_token(struct gguf_writer *w, const struct tokenizer *t, uint64_t id)
{
	const struct bpe *b = tokenizer_bpe(t);
	char room[32], *text;
	size_t n = 0;
	const char *bytes = id <= UINT32_MAX ? tokenizer_decode(t, (uint32_t)id, &n) : "";

	if (!n) {
		gguf_item_string(w, padding(id, room));
		return 0;
	}
	if (!(text = malloc(2 * n + 1)))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	if (b && is_added(b, (uint32_t)id)) {
		memcpy(text, bytes, n);
		text[n] = '\0';
	} else {
		bpe_to_chars(bytes, n, text);
	}
	gguf_item_string(w, text);
	free(text);
	return 0;
}

static int32_t type_of(const struct tokenizer *t, uint64_t id)
{
	const struct bpe *b = tokenizer_bpe(t);
	size_t n = 0;

	if (id <= UINT32_MAX)
		tokenizer_decode(t, (uint32_t)id, &n);
	return !n ? UNUSED : b && is_added(b, (uint32_t)id) ? CONTROL : NORMAL;
}

static int by_rank(const void *a, const void *b)
{
	const struct bpe_merge *x = *(const struct bpe_merge *const *)a, *y = *(const struct bpe_merge *const *)b;

	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int put_merge(struct gguf_writer *w, const struct bpe *b, const struct bpe_merge *m)
{
	size_t left, right;
	const char *x = bpe_bytes(b, m->left, &left), *y = bpe_bytes(b, m->right, &right);
	char *text = malloc(2 * (left + right) + 2);

	if (!text)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	bpe_to_chars(x, left, text);
	strcat(text, " ");
	bpe_to_chars(y, right, text + strlen(text));
	gguf_item_string(w, text);
	free(text);
	return 0;
}

static int put_merges(struct gguf_writer *w, const struct bpe *b)
{
	const struct bpe_merge **sorted = calloc(b->n_merges + 1, sizeof(*sorted));
	uint64_t n = 0;
	int status = sorted ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	for (uint64_t i = 0; sorted && i <= b->merge_mask && n < b->n_merges; i++)
		if (b->merge[i].left != BPE_NONE)
			sorted[n++] = &b->merge[i];
	if (sorted)
		qsort(sorted, n, sizeof(*sorted), by_rank);
	gguf_strings(w, "tokenizer.ggml.merges", n);
	for (uint64_t i = 0; i < n && status >= 0; i++)
		status = put_merge(w, b, sorted[i]);
	free(sorted);
	return status;
}

/* Of bytes: GPT-2's letters for them and no merges, and what ends a text is NUL, which text has not. */
static int put_tokenizer(struct gguf_writer *w, const struct tokenizer *t, uint64_t vocab_size)
{
	const struct bpe *b = tokenizer_bpe(t);
	uint32_t end = b ? bpe_find(b, BPE_END_OF_TEXT, strlen(BPE_END_OF_TEXT)) : 0;

	gguf_string(w, "tokenizer.ggml.model", "gpt2");
	gguf_string(w, "tokenizer.ggml.pre", "gpt-2");
	gguf_strings(w, "tokenizer.ggml.tokens", vocab_size);
	for (uint64_t i = 0; i < vocab_size; i++)
		CLI_TRY(put_token(w, t, i));
	gguf_i32s(w, "tokenizer.ggml.token_type", vocab_size);
	for (uint64_t i = 0; i < vocab_size; i++)
		gguf_item_i32(w, type_of(t, i));
	if (b)
		CLI_TRY(put_merges(w, b));
	else
		gguf_strings(w, "tokenizer.ggml.merges", 0);
	gguf_u32(w, "tokenizer.ggml.bos_token_id", tokenizer_start(t, vocab_size));
	gguf_u32(w, "tokenizer.ggml.eos_token_id", end == BPE_NONE ? 0 : end);
	gguf_bool(w, "tokenizer.ggml.add_bos_token", false);
	return 0;
}

static int put_all(struct export *e, struct gguf_writer *w)
{
	uint32_t n = hlx_graph_param_count(e->graph);
	const float *data;
	char name[64];

	put_sizes(w, &e->gpt2, e->model.conf.name);
	CLI_TRY(put_tokenizer(w, e->model.conf.tokenizer, e->gpt2.vocab_size));
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
	return gguf_end(&w, status);
}
