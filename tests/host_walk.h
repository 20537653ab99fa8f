/*
 * host_walk.h - a graph on the host, node after node by its op's reference: what a program's bits are compared with.
 *
 * Written against numerics.md section 4, not after core/backward.c: every gradient starts as +0 and every reader adds to it, in
 * reverse INI order; each use of a parameter has S partial sums of its own, added by the slots' tree, then use by use.
 */
#ifndef TESTS_HOST_WALK_H
#define TESTS_HOST_WALK_H

#include "core/graph.h"

struct walk {
	const struct hlx_graph *graph;
	struct hlx_node *node;                  /* by node: with the tensors' final descs */
	struct hlx_desc (*desc)[HLX_MAX_SLOTS];
	float **value, **grad;                  /* by storage */
	float **param, **final, **squares;      /* by parameter; squares: of each 1,024 elements of final */
	float **partial;                        /* by node * HLX_MAX_SLOTS + slot */
	float loss[2], norm;                    /* loss: sum and count over all slots */
};
int walk_create(const struct hlx_graph *, struct walk **out);
void walk_destroy(struct walk *);
/* First element of a tensor (of its storage for a view: see offset), its gradient. */
float *walk_value(const struct walk *, const char *path);
float *walk_grad(const struct walk *, const char *path);
int walk_forward(struct walk *, const struct hlx_step *);
/* From the loss; or from seed (that tensor's elements), where there is one. */
int walk_backward(struct walk *, const struct hlx_step *, const char *seed_path, const float *seed);

/* The same in double, forward only, by ref64. */
struct walk64 {
	const struct hlx_graph *graph;
	double **value, **param;
};
int walk64_create(const struct walk *values, struct walk64 **out); /* inputs and parameters from there */
void walk64_destroy(struct walk64 *);
double *walk64_value(const struct walk64 *, const char *path);
int walk64_forward(struct walk64 *, const struct walk *nodes);

#endif
