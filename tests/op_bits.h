/*
 * op_bits.h - node->grads and node->accum, bit by bit: a program of one node, made by hand.  Among them what libhlx does not
 * ask for yet: partial sums of parameters and of the loss that continue from an earlier micro-batch.
 */
#ifndef TESTS_OP_BITS_H
#define TESTS_OP_BITS_H

#include "tests/op_run.h"

void op_bits_case(struct op_bench *, const struct op_case *);

#endif
