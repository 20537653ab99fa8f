/* op_update.h - ops that no INI wires (reduction, norm, optimizer): a program of that one node, made by hand. */
#ifndef TESTS_OP_UPDATE_H
#define TESTS_OP_UPDATE_H

#include "tests/op_run.h"

/* b->impl on a case, with 1, 2, 8 and 64 batch slots where the op has slotted inputs. */
void op_update_case(struct op_bench *, const struct op_case *);
/* Further sizes of the op's kind. */
void op_update_more(struct op_bench *, const struct hlx_op *);
/* The reference with flush-to-zero off and on. */
void op_flush_update(struct op_bench *, const struct op_case *);

#endif
