/*
 * check/walk.h - a graph on the host, node after node by its op's reference: what a program's bits are compared with.
 *
 * Written against numerics.md section 4, not after core/program/backward.c: every gradient starts as +0 and every reader adds to it, in
 * reverse INI order; each use of a parameter has S partial sums of its own, added by the slots' tree, then use by use.
 */
#ifndef HLX_CHECK_WALK_H
#define HLX_CHECK_WALK_H

#include "core/graph/graph.h"

struct hlx_walk {
	const struct hlx_graph *graph;
	struct hlx_node *node;                  /* by node: with the tensors' final descs */
	struct hlx_desc (*desc)[HLX_MAX_SLOTS];
	float **value, **grad;                  /* by storage */
	float **param, **final, **squares;      /* by parameter; squares: of each 1,024 elements of final */
	float **partial;                        /* by node * HLX_MAX_SLOTS + slot */
	float loss[2], norm;                    /* loss: sum and count over all slots */
};
int hlx_walk_create(const struct hlx_graph *, struct hlx_walk **out);
void hlx_walk_destroy(struct hlx_walk *);
/* First element of a tensor (of its storage for a view: see offset), its gradient. */
float *hlx_walk_value(const struct hlx_walk *, const char *path);
float *hlx_walk_grad(const struct hlx_walk *, const char *path);
int hlx_walk_forward(struct hlx_walk *, const struct hlx_step *);
/* From the loss; or from seed (that tensor's elements), where there is one. */
int hlx_walk_backward(struct hlx_walk *, const struct hlx_step *, const char *seed_path, const float *seed);

/* The same in double, forward only, by ref64. */
struct hlx_walk64 {
	const struct hlx_graph *graph;
	double **value, **param;
};
int hlx_walk64_create(const struct hlx_walk *values, struct hlx_walk64 **out); /* inputs and parameters from there */
void hlx_walk64_destroy(struct hlx_walk64 *);
double *hlx_walk64_value(const struct hlx_walk64 *, const char *path);
int hlx_walk64_forward(struct hlx_walk64 *, const struct hlx_walk *nodes);

#endif
