/* build.h - between build.c (nodes and cells), backward.c (gradients), update.c (reductions, norm, optimizer) and hash.c. */
#ifndef HLX_CORE_BUILD_H
#define HLX_CORE_BUILD_H

#include "core/program.h"

/* A node the graph does not have; its slots' cells and descs are the caller's to set before hlx_build_prepare(). */
int hlx_build_add_node(struct hlx_program *, const struct hlx_op *, const char *path, uint32_t *out);
int hlx_build_slot(const struct hlx_op *, const char *name, uint32_t *out);
/* Chooses the implementation and lets it prepare; cells for its saved and work bytes. */
int hlx_build_prepare(struct hlx_program *, uint32_t node, const char *named);
int hlx_build_record(struct hlx_program *, uint32_t node, bool backward);
/* Infers, prepares, records forward: of a node that [ops] may choose the implementation of. */
int hlx_build_finish(struct hlx_program *, uint32_t node);
int hlx_build_error(const struct hlx_program *, uint32_t node, int status);

int hlx_build_backward(struct hlx_program *);               /* backward.c */
int hlx_build_reduce_loss(struct hlx_program *);            /* update.c, and those below */
int hlx_build_reduce_param(struct hlx_program *, uint32_t param, const struct hlx_use *use, uint32_t n);
int hlx_build_norm(struct hlx_program *);
int hlx_build_optimizer(struct hlx_program *);
int hlx_build_hash(struct hlx_program *);                   /* hash.c */
uint64_t hlx_blocks_offset(const struct hlx_graph *, uint32_t param); /* in squares: elements */

#endif
