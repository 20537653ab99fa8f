/* op_grad.h - what references are held to: the same bits with denormals flushed, and gradients that are gradients. */
#ifndef TESTS_OP_GRAD_H
#define TESTS_OP_GRAD_H

#include "tests/op_run.h"

/* Forward and backward with flush-to-zero off and on, all families: equal bits. */
void op_flush_case(struct op_bench *, const struct op_case *);
void op_flush_family(struct op_bench *, const struct op_case *, enum op_mode, enum family);
/* ref_backward against central differences of ref64, on some elements of each input and parameter. */
void op_grad_case(struct op_bench *, const struct op_case *);

#endif
