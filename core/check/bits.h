/*
 * check/bits.h - node->grads and node->accum, bit by bit: a program of one node, made by hand.  Among them what libhlx does not
 * ask for yet: partial sums of parameters and of the loss that continue from an earlier micro-batch.
 */
#ifndef HLX_CHECK_BITS_H
#define HLX_CHECK_BITS_H

#include "core/check/run.h"

/* One of them, unless an output is a view.  which: the slots whose gradients are wanted, of those that have one, ~0 for all,
 * 0 for a pass without a backward one; accum: those that are added to. */
void hlx_check_bits_run(struct hlx_check *, const struct hlx_check_case *, uint64_t which, uint64_t accum, enum hlx_family);
void hlx_check_bits_case(struct hlx_check *, const struct hlx_check_case *);

#endif
