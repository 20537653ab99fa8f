/* check/grad.h - what references are held to: the same bits with denormals flushed, and gradients that are gradients. */
#ifndef HLX_CHECK_GRAD_H
#define HLX_CHECK_GRAD_H

#include "core/check/run.h"

/* Forward and backward with flush-to-zero off and on, all families: equal bits. */
void hlx_check_flush_case(struct hlx_check *, const struct hlx_check_case *);
void hlx_check_flush_family(struct hlx_check *, const struct hlx_check_case *, enum hlx_check_mode, enum hlx_family);
/* ref_backward against central differences of ref64, on some elements of each input and parameter. */
void hlx_check_grad_case(struct hlx_check *, const struct hlx_check_case *);

#endif
