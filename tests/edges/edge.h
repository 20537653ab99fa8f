/* edge.h - ops at the edges of what memory holds: their results on the host, and on the device. */
#ifndef EDGE_H
#define EDGE_H

#include "core/check/case.h"

struct hlx_check;

/* One case of an op.  fill: a tensor ("x", "t.y.gamma"; "seed", the result's gradient) as a caller of libhlx has it, who
 * has not stored it; index: element i of what is integers. */
struct edge {
	const char *name, *op, *text; /* text: as check/case.h has it */
	void (*fill)(float *x, uint64_t n, const char *path);
	uint32_t (*index)(uint64_t i);
};

/* What a run leaves: named parts, one after the other. */
#define EDGE_PARTS 16
struct edge_bits {
	float *x;
	uint64_t n;
	struct {
		char what[64];
		uint64_t first;
	} part[EDGE_PARTS];
	unsigned parts;
};
int edge_bits_add(struct edge_bits *, const char *what, const char *path, const float *, uint64_t n);
void edge_bits_free(struct edge_bits *);
bool edge_bits_finite(const struct edge_bits *);
uint64_t edge_bits_hash(const struct edge_bits *);
/* "" where they are equal, else the first element that is not, in a buffer of the thread. */
const char *edge_bits_differ(const struct edge_bits *got, const struct edge_bits *want);

/* Forward and backward.  planted: its references instead of the op's; may be NULL.  flush: with denormals flushed. */
int edge_host(struct hlx_check *, const struct edge *, const struct hlx_op *planted, bool flush, struct edge_bits *out);
/* By b->impl; 1: it does not support this here. */
int edge_device(struct hlx_check *b, const struct edge *, struct edge_bits *out);

/*
 * adam over EDGE_ADAM_STEPS steps: in the first 3, gradients of 2^-50 to 1e30, each element its own magnitude; 0 from then
 * on.  So m and v fall below what memory holds, each at its time, and beta1^t and beta2^t below 2^-50.
 */
#define EDGE_ADAM_STEPS 35000u
struct edge_adam;
int edge_adam_create(struct hlx_check *, const char *attrs, struct edge_adam **out);
void edge_adam_destroy(struct edge_adam *);
/* The next step: by the references (planted's, where it is one), or by b->impl. */
int edge_adam_host(struct edge_adam *, const struct hlx_op *planted, bool flush);
int edge_adam_device(struct edge_adam *);
int edge_adam_bits(struct edge_adam *, bool device, struct edge_bits *out);

/* References without their thresholds: a product is a * b, and what is stored is what was computed. */
int loose_layernorm_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int loose_layernorm_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int loose_adam_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);

#endif
