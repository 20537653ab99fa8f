/*
 * gpt2.h - GPT-2 as others store it: its config.json, what its tensors are called, and which of our models are one.
 */
#ifndef RUNNER_GPT2_H
#define RUNNER_GPT2_H

#include "runner/cli.h"

#include <jansson.h>

struct gpt2 {
	uint64_t vocab_size, d_model, num_layers, num_heads, ffn_dim, max_seq_len;
	double eps;
	double embd_pdrop, attn_pdrop, resid_pdrop; /* dropout in training, of the last layer; gpt2_read_config() has 0 */
	bool tied; /* the head has no weight of its own */
};

/* config.json of the folder; HLX_EIO for what is no GPT-2, or one that computes something else than ours. */
int gpt2_read_config(const char *folder, struct gpt2 *out);
/* What it says of this one; new. */
json_t *gpt2_config(const struct gpt2 *);
/* The INI of the model, with its weights in model.safetensors beside it. */
void gpt2_write_ini(const struct gpt2 *, const char *tokenizer, FILE *);

/* What a parameter is. */
struct gpt2_name {
	const char *hf, *gguf; /* "h.%u.ln_1.weight", "blk.%u.attn_norm.weight"; below "transformer." in Hugging Face's files */
	bool conv;             /* Hugging Face's Conv1D: (in, out), ours are (out, in) */
};
struct gpt2_param {
	const struct gpt2_name *name; /* NULL: none of GPT-2's */
	uint32_t layer;
};
/* Recognizes the wiring, whatever its names are: out and param[i] of parameter i.  HLX_ENOTSUP, naming the first node that
 * is not GPT-2's.  dropout may stand anywhere: where nothing trains it does nothing. */
struct hlx_graph;
int gpt2_match(const struct hlx_graph *, struct gpt2 *out, struct gpt2_param *param);
/* "transformer.h.3.ln_1.weight", with that prefix or "". */
void gpt2_hf_name(const struct gpt2_param *, const char *prefix, char *out, size_t room);
void gpt2_gguf_name(const struct gpt2_param *, char *out, size_t room);
/* Is this one of the constants that old files have beside the parameters: h.%u.attn.bias, h.%u.attn.masked_bias? */
bool gpt2_is_constant(const char *name, const char *prefix);

#endif
