/*
 * gguf.h - writing GGUF 3, the format of llama.cpp.
 *
 *     "GGUF" | version | tensors | keys | key values | name, dims, type, offset of each tensor | 0 .. | tensor | 0 .. | tensor ...
 *
 * All little-endian; dims fastest first; each tensor's data begins at a multiple of GGUF_ALIGN after the first one's start.
 */
#ifndef RUNNER_GGUF_H
#define RUNNER_GGUF_H

#include "runner/out.h"

#define GGUF_ALIGN 32u

struct gguf_writer {
	struct out out;
	FILE *keys, *infos; /* in memory */
	char *key_bytes, *info_bytes;
	size_t key_size, info_size;
	uint64_t n_keys, n_tensors, offset;
};
/* In this order: begin; keys and declare; header; write of each declared tensor; end, also after an error. */
int gguf_begin(struct gguf_writer *, const char *path);
void gguf_string(struct gguf_writer *, const char *key, const char *text);
void gguf_u32(struct gguf_writer *, const char *key, uint32_t value);
void gguf_f32(struct gguf_writer *, const char *key, float value);
void gguf_bool(struct gguf_writer *, const char *key, bool value);
/* count of gguf_item_* follow. */
void gguf_strings(struct gguf_writer *, const char *key, uint64_t count);
void gguf_item_string(struct gguf_writer *, const char *text);
void gguf_i32s(struct gguf_writer *, const char *key, uint64_t count);
void gguf_item_i32(struct gguf_writer *, int32_t value);
/* A tensor of f32. */
void gguf_declare(struct gguf_writer *, const char *name, const struct hlx_desc *);
int gguf_header(struct gguf_writer *);
int gguf_write(struct gguf_writer *, const float *data, uint64_t numel);
int gguf_end(struct gguf_writer *, int status);

#endif
