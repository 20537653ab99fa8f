/*
 * token_file.h - files of tokens.
 *
 *   llm.c     256 int32: magic, version, count, zeros | count tokens    magic 20240520, version 1: uint16
 *                                                                       magic 20240801, version 7: uint32
 *   bare      tokens from the first byte, uint16 (nanoGPT's train.bin) or uint32
 *   text      a token is a byte
 *
 * All little endian.
 */
#ifndef RUNNER_TOKEN_FILE_H
#define RUNNER_TOKEN_FILE_H

#include "runner/out.h"

enum token_format { FORMAT_AUTO = 1, FORMAT_TEXT, FORMAT_LLMC, FORMAT_UINT16, FORMAT_UINT32, FORMAT_COUNT };
/* By format - 1, ending with NULL. */
extern const char *const token_formats[];

#define TOKEN_HEADER 1024 /* bytes */

struct token_layout {
	enum token_format format; /* not auto */
	uint32_t width;           /* bytes a token */
	uint64_t offset, count;   /* of the first token, in bytes; tokens */
};

/*
 * What a file of size bytes is: head has its first n, TOKEN_HEADER where there are so many.  Auto: llm.c's by its magic
 * number, else uint16 where the name ends with .bin, else text.  HLX_EIO for one that is not what it says.
 */
int token_layout(const char *path, const uint8_t *head, size_t n, uint64_t size, enum token_format, struct token_layout *out);

/* A token of 1 to 4 bytes. */
static inline uint32_t token_at(const uint8_t *b, uint32_t width)
{
	uint32_t v = b[0];

	for (uint32_t i = 1; i < width; i++)
		v |= (uint32_t)b[i] << 8 * i;
	return v;
}

/* A new file of llm.c's format, uint16 where vocab_size lets it, which appears whole or not at all. */
struct token_writer {
	struct out out;
	uint32_t width;
	uint64_t count;
};
int token_writer_open(const char *path, uint64_t vocab_size, struct token_writer *out);
int token_writer_put(struct token_writer *, const uint32_t *tokens, size_t n);
/* Ends it: with a status that is an error, nothing is left of it.  Returns that status, or its own error. */
int token_writer_close(struct token_writer *, int status);

#endif
