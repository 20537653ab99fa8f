/* check/unwired.h - ops that no INI wires (reduction, norm, optimizer): a program of that one node, made by hand. */
#ifndef HLX_CHECK_UNWIRED_H
#define HLX_CHECK_UNWIRED_H

#include "core/check/run.h"

bool hlx_check_slotted(const struct hlx_op *); /* has it partial sums among its slots? */
/* b->impl on a case, for three steps. */
void hlx_check_update_run(struct hlx_check *, const struct hlx_check_case *, uint64_t slots, enum hlx_family);
/* All families; with 1, 2, 8 and 64 batch slots where the op has slotted inputs. */
void hlx_check_update_case(struct hlx_check *, const struct hlx_check_case *);
/* Further sizes of the op's kind. */
void hlx_check_update_more(struct hlx_check *, const struct hlx_op *);
/* The reference with flush-to-zero off and on. */
void hlx_check_flush_update(struct hlx_check *, const struct hlx_check_case *);

#endif
