/* check/grad.h - what references are held to besides themselves: the same mathematics in double. */
#ifndef HLX_CHECK_GRAD_H
#define HLX_CHECK_GRAD_H

#include "core/check/run.h"

/* The result against ref64's, and ref_backward against its central differences, on some elements of each input and parameter;
 * in all modes of case.h; brief: of fewer elements, in the first mode that the case has.  Both to 1e-4 of the largest element. */
void hlx_check_grad_case(struct hlx_check *, const struct hlx_check_case *, bool brief);

#endif
