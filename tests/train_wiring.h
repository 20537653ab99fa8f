/* train_wiring.h - what check_fuse and check_share do with a wiring: two steps of training, and the hashes after them. */
#ifndef TRAIN_WIRING_H
#define TRAIN_WIRING_H

#include "tests/toys.h"

#define WIRING_BATCH 2u
#define WIRING_SEQ 5u

/*
 * text: an INI with 20 tokens, its optimizer in [train].  Of go and po the batch, the optimizer and the INI are set here.  hash:
 * as hlx_program_hash() has it.  What look() says of the program, which is gone afterwards.
 */
uint32_t train_wiring(struct hlx_device *, struct hlx_registry *, const char *text, struct hlx_graph_options go,
		struct hlx_program_options po, uint32_t (*look)(const struct hlx_program *), uint64_t *hash);

#endif
