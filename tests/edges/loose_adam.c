/* loose_adam.c - adam's reference without its thresholds: what edge.h says. */
#include "hlx/math.h"

#define hlx_mul(a, b) ((a) * (b))
#define hlx_store(x) (x)
#define adam_ref_forward loose_adam_forward
#define adam_scalars loose_adam_scalars
#include "plugins/adam/adam_ref.c"
