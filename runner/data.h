/*
 * data.h - the corpus as one long run of tokens, and which sequence of it is the g-th of a run.
 *
 *     files, in order:  | a.bin      | b.bin   | c.bin        |
 *     tokens:           | training part                |valid.|      split: the last tenth, say; or the files for it
 *     windows:          ...|w0 |w1 |w2 |w3 | ... |w(n-1)|..          each seq_len long, moved by the epoch's offset
 *
 * Sequence g is window permute(seed, epoch)(g mod n) of epoch g / n: a pure function of (seed, g).  Its targets
 * are the tokens one further on.
 *
 * Files are mapped, and may be larger than memory.
 * Threads: one at a time for the whole process (a file that shrinks is noticed by a signal handler).
 */
#ifndef RUNNER_DATA_H
#define RUNNER_DATA_H

#include "runner/token_file.h"

#define DATA_WHOLE (256ull << 20) /* bytes: what is larger is not read whole before it is used */

struct data_file {
	char *path;
	int fd;
	const uint8_t *map;
	uint64_t bytes, offset; /* of the file, of its first token */
	uint64_t size, first;   /* tokens; where it begins among all */
	uint32_t width;         /* bytes a token */
};

struct data {
	struct data_file *file;
	size_t n_files, n_train;   /* those of the corpus, before those for validation */
	uint64_t size, train_size; /* tokens */
	uint64_t seq_len, seed, vocab_size;
	uint64_t windows, slack;   /* of the training part */
	uint64_t valid_windows;    /* 0 where the validation part is too short for one */
	uint64_t fingerprint;
};

/*
 * Maps n_train files of the corpus and n - n_train for validation.  Up to DATA_WHOLE they are read once, each token must be
 * below vocab_size, and fingerprint is the XXH64 of all tokens' bytes; of more, it is that of every file's length and of
 * 16 KiB blocks, 1024 of them spread evenly and at least both ends of a file, and a token is looked at when it is used.
 */
int data_open(char *const *paths, size_t n_train, size_t n, enum token_format, uint64_t vocab_size, struct data *out);
/* The other half, which needs no file.  split: the share for validation, where no files are. */
int data_split(struct data *, double split, uint64_t seq_len, uint64_t seed);
void data_close(struct data *);

/* Where sequence g of the run starts. */
uint64_t data_start(const struct data *, uint64_t g);
/* Where validation sequence i of count starts: spread evenly over the validation part, the same ones each time. */
uint64_t data_valid_start(const struct data *, uint64_t i, uint64_t count);
/* seq_len tokens from start, and those one further on. */
int data_sequence(const struct data *, uint64_t start, uint32_t *tokens, uint32_t *targets);

/*
 * fn over count tokens of a file from its token number at; what fn returned, or HLX_EIO where the file has been cut short,
 * removed or replaced.
 */
typedef int (*data_take)(void *ctx, const uint8_t *bytes, uint64_t count);
int data_read(const struct data_file *, uint64_t at, uint64_t count, data_take fn, void *ctx);
/* HLX_EIO, of a token that vocab_size does not reach. */
int data_blame(const struct data_file *, uint64_t at, uint32_t token, uint64_t vocab_size);

#endif
