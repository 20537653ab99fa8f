/* right.c - sway without a fault. */
#include "tests/faults/sway.h"

SWAY_OP(sway, "sway", .ref_forward = sway_forward, .ref_backward = sway_backward, .ref64 = sway_64);
SWAY_IMPL(right, "sway", RIGHT, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(unproven, "sway", RIGHT, HLX_DEVICE, sway_prepare);

static const struct hlx_op *const ops[] = { &sway, NULL };
static const struct hlx_impl *const impls[] = { &right, &unproven, NULL };
HLX_PLUGIN(.name = "right", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
