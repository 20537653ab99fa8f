/* adam.h - what adam.c and its reference share. */
#ifndef ADAM_H
#define ADAM_H

#include "hlx/plugin.h"

enum { PARAM, GRAD, FLAGS, LOSS, NORM, M, V };

#define ADAM_SEGMENT 64u  /* elements of the arena that share a word of flags */
#define ADAM_NODECAY 1u   /* bit 0 of it */
#define ADAM_FROZEN 2u

struct adam_attrs {
	double lr, beta1, beta2, eps, weight_decay, grad_clip;
};

/* A step's scalars as the kernel's uniform block has them; rest is 1 - beta, bias 1 / (1 - beta^t), eps 2^32 times eps. */
struct adam_scalars {
	float beta1, rest1, beta2, rest2;
	float bias1, bias2, eps, weight_decay;
	float grad_clip;
};

struct adam_scalars adam_scalars(const struct hlx_node *, const struct hlx_step *);
int adam_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);

/* adam_bench.c */
extern const char *const adam_bench[];
struct hlx_work adam_work(const struct hlx_node *, bool backward);

#endif
