/* bare.c - an op without a reference: of its implementations all can be told but whether they are right. */
#include "tests/faults/sway.h"

SWAY_OP(bare, "bare", .ref64 = NULL);
SWAY_IMPL(plain, "bare", RIGHT, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(lost, "bare", LOST, HLX_PORTABLE, sway_prepare);
SWAY_IMPL(stride, "bare", STRIDE, HLX_PORTABLE, sway_prepare);

static const struct hlx_op *const ops[] = { &bare, NULL };
static const struct hlx_impl *const impls[] = { &plain, &lost, &stride, NULL };
HLX_PLUGIN(.name = "bare", .version = "1", .license = "MIT", .ops = ops, .impls = impls);
