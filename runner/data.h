/*
 * data.h - the corpus as one long run of tokens, and which sequence of it is the g-th of a run.
 *
 *     files, in order:  | a.txt      | b.txt   | c.txt        |
 *     tokens:           | training part                |valid.|      split: the last tenth, say
 *     windows:          ...|w0 |w1 |w2 |w3 | ... |w(n-1)|..          each seq_len long, moved by the epoch's offset
 *
 * Sequence g is window permute(seed, epoch)(g mod n) of epoch g / n: a pure function of (seed, g).  Its targets
 * are the tokens one further on.
 *
 * Threads: one at a time for the whole process (a file that shrinks is noticed by a signal handler).
 */
#ifndef RUNNER_DATA_H
#define RUNNER_DATA_H

#include "runner/cli.h"

struct data_file {
	char *path;
	int fd;
	const uint8_t *map;
	uint64_t size, first; /* first: where it begins among all tokens */
};

struct data {
	struct data_file *file;
	size_t n_files;
	uint64_t size, train_size; /* tokens */
	uint64_t seq_len, seed, vocab_size;
	uint64_t windows, slack;   /* of the training part */
	uint64_t valid_windows;    /* 0 where the validation part is too short for one */
	uint64_t fingerprint;      /* XXH64 of all bytes */
};

/* Maps the files and reads them once: each token below vocab_size, at least one sequence in the training part. */
int data_open(char *const *paths, size_t n, uint64_t vocab_size, struct data *out);
/* The other half, which needs no file. */
int data_split(struct data *, double split, uint64_t seq_len, uint64_t seed);
void data_close(struct data *);

/* Where sequence g of the run starts. */
uint64_t data_start(const struct data *, uint64_t g);
/* Where validation sequence i of count starts: spread evenly over the validation part, the same ones each time. */
uint64_t data_valid_start(const struct data *, uint64_t i, uint64_t count);
/* seq_len tokens from start, and those one further on. */
int data_sequence(const struct data *, uint64_t start, uint32_t *tokens, uint32_t *targets);

#endif
