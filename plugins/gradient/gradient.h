/* gradient.h - what the ops slots and norm share with their references. */
#ifndef GRADIENT_H
#define GRADIENT_H

#include "hlx/math.h"
#include "hlx/plugin.h"

enum { PARTIAL, OUT, SQUARES };                          /* of slots */
enum { NORM_SQUARES, NORM_TABLE, NORM_LOSS, NORM_OUT }; /* of norm */

struct slots_attrs {
	int32_t first, last;
};

#define GRADIENT_BLOCK 1024u /* elements that share one sum of squares */

extern const struct hlx_op slots_op, norm_op;
extern const struct hlx_impl slots_texel, slots_rows, slots_shared, norm_chain;

int slots_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int norm_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);

/* gradient_bench.c */
extern const char *const slots_bench[];
struct hlx_work slots_work(const struct hlx_node *, bool backward);
extern const char *const norm_bench[];
struct hlx_work norm_work(const struct hlx_node *, bool backward);

#endif
