/*
 * decoder.h - logits of a text's next token, position by position: what came before is kept on the device.
 *
 *   positions  | 0 ... 15 | 16 ... 31 | 32 ...    a program each block of 16, made when a text first reaches it
 *
 * A token runs the program of its block, 16 positions' work whatever came before, and each bit is that of a pass over
 * all of the window (docs/numerics.md).  A model that cannot be had in parts, or that there is no memory for, is
 * sampled with whole passes.  Blocks of 4 and 8 positions take as long as those of 16 (tiny on lavapipe: 7 ms a token).
 */
#ifndef RUNNER_DECODER_H
#define RUNNER_DECODER_H

#include "runner/session.h"

enum { DECODER_BLOCK = 16 };

/* Another text, or other weights. */
void decoder_restart(struct session *);
/* The logits after tokens[last].  tokens: conf.seq_len of them, valid ids beyond last too, those up to last as before.
 * 0; 1 where only a whole pass can tell; or an error. */
int decoder_logits(struct session *, const struct conf *, const uint32_t *tokens, uint64_t last, float *logits);
void decoder_destroy(struct decoder *);

/* Bytes of the device, beside the weights: what is kept of all positions, and each of the programs. */
struct decoder_plan {
	uint64_t kept, block, n_blocks;
};
/* Before anything is allocated; 1 where only whole passes can tell, 0 or an error. */
int decoder_plan(const struct session *, const struct conf *, struct decoder_plan *out);

#endif
