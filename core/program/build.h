/* build.h - between build.c (nodes and cells), backward.c (gradients), update.c (reductions, norm, optimizer), passes.c
 * (micro-batches) and hash.c. */
#ifndef HLX_CORE_BUILD_H
#define HLX_CORE_BUILD_H

#include "core/program/program.h"

/* A node the graph does not have; its slots' cells and descs are the caller's to set before hlx_build_prepare(). */
int hlx_build_add_node(struct hlx_program *, const struct hlx_op *, const char *path, uint32_t *out);
/* What the graph's node has in a slot, or NULL. */
const struct hlx_tensor *hlx_build_tensor(const struct hlx_program *, uint32_t node, uint32_t slot);
int hlx_build_slot(const struct hlx_op *, const char *name, uint32_t *out);
/* Chooses the implementation and lets it prepare; cells for its saved and work bytes. */
int hlx_build_prepare(struct hlx_program *, uint32_t node, const char *named);
int hlx_build_record(struct hlx_program *, uint32_t node, bool backward);
/* Infers, prepares, records forward: of a node that [ops] may choose the implementation of. */
int hlx_build_finish(struct hlx_program *, uint32_t node);
int hlx_build_error(const struct hlx_program *, uint32_t node, int status);
bool hlx_build_is_whole(const struct hlx_program *, const struct hlx_tensor *); /* all of a storage, as it lies there */
/* What the node makes: its first OUT, or NULL. */
const struct hlx_tensor *hlx_build_output(const struct hlx_program *, uint32_t node);

/* out = or += the tree over the slots of partial. */
struct hlx_reduction {
	const char *path;
	const struct hlx_desc *desc;
	uint32_t partial, out, squares; /* cells */
	uint32_t slots;
	bool first, last;
};
int hlx_build_reduce(struct hlx_program *, const struct hlx_reduction *);
int hlx_build_squares(struct hlx_program *, uint32_t param, uint32_t *out); /* a slice of squares_cell */
int hlx_build_loss_slot(const struct hlx_program *, uint32_t *out); /* the slotted output of the graph's loss */

int hlx_build_backward(struct hlx_program *);               /* backward.c */
int hlx_build_remember(struct hlx_program *, uint32_t storage, const struct hlx_desc *); /* its gradient is written there */
/*
 * fuse.c: sets next and done_by.  Forward: of all nodes, once they are prepared.  Backward: of a node whose grads and accum
 * are set; active: by node, those that a gradient reaches.
 */
int hlx_fuse_forward(struct hlx_program *);
void hlx_fuse_backward(struct hlx_program *, uint32_t node, const bool *active);
void hlx_fuse_show(struct hlx_program *, uint32_t node, bool show); /* in pub.finish, while it records */
/* share.c: lets inputs' gradients be the output's, and takes them out of the node's grads. */
int hlx_build_share(struct hlx_program *, uint32_t node);
/* passes.c: for a program with one pass they do nothing */
int hlx_passes_cells(struct hlx_program *);                 /* after those of storages */
int hlx_passes_input(struct hlx_program *, uint32_t storage);
int hlx_passes_begin(struct hlx_program *);
bool hlx_passes_continue(const struct hlx_program *);       /* a slot's sums go on from those of the pass before */
/* Where the sums of a node's slot are joined with those of the passes before: a slice of the roots. */
int hlx_passes_root(struct hlx_program *, uint32_t node, uint32_t slot, uint32_t *out);
int hlx_passes_reduce(struct hlx_program *, uint32_t node); /* its partial sums into the roots, at the end of a pass */
int hlx_passes_reduce_loss(struct hlx_program *);
int hlx_passes_join(struct hlx_program *);                  /* ends a pass, begins with what comes after the last */
/* Where the final gradient lies in what it is made of: makes room.  partial: moved out of its way. */
int hlx_passes_clear(struct hlx_program *, uint32_t node, uint32_t param, uint32_t *partial);
int hlx_build_reduce_loss(struct hlx_program *);            /* update.c, and those below */
int hlx_build_reduce_param(struct hlx_program *, uint32_t param, const struct hlx_use *use, uint32_t n);
int hlx_build_norm(struct hlx_program *);
int hlx_build_optimizer(struct hlx_program *);
int hlx_build_hash(struct hlx_program *);                   /* hash.c */

#endif
