/*
 * gradient.c - the end of a gradient: `slots` adds the batch slots' partial sums, `norm` the squares of all gradients.
 */
#include "gradient.h"

static const struct hlx_op *const ops[] = { &slots_op, &norm_op, NULL };
static const struct hlx_impl *const impls[] = { &slots_texel, &slots_rows, &slots_shared, &norm_chain, NULL };

HLX_PLUGIN(.name = "gradient", .version = "0.1.0", .license = "MIT", .ops = ops, .impls = impls);
