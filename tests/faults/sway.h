/* sway.h - y[r] = gain * sum of x[r][c] w[c]: the op that the planted faults are in.  x: (rows, cols), w: (cols), y: (rows) */
#ifndef SWAY_H
#define SWAY_H

#include "hlx/plugin.h"
#include "tests/faults/faults.h"

enum { X, W, Y };
struct sway_attrs {
	double gain;
};
extern const struct hlx_slot sway_slots[];
extern const struct hlx_attr sway_attributes[];
extern const char *const sway_cases[];
int sway_infer(const struct hlx_host *, struct hlx_node *);
int sway_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int sway_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int sway_64(const struct hlx_node *, double *const value[]);

int sway_prepare(const struct hlx_host *, struct hlx_node *);
int sway_record(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *, uint32_t fault, bool backward);

#define SWAY_OP(id, label, ...) \
	static const struct hlx_op id = { .struct_size = sizeof(struct hlx_op), .name = label, .doc = "for tests", \
		.kind = HLX_LAYER, .slots = sway_slots, .attrs = sway_attributes, .attrs_size = sizeof(struct sway_attrs), \
		.infer = sway_infer, .cases = sway_cases, __VA_ARGS__ }

/* An implementation with a fault; ENDLESS is one that no kernel has. */
#define SWAY_IMPL(id, of, wrong, of_tier, before) SWAY_SURE_IMPL(id, of, wrong, of_tier, before, 0)
#define SWAY_SURE_IMPL(id, of, wrong, of_tier, before, sure) \
	static int id##_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec) \
	{ \
		return sway_record(host, node, rec, wrong, false); \
	} \
	static int id##_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec) \
	{ \
		return sway_record(host, node, rec, wrong, true); \
	} \
	static const struct hlx_impl id = { .struct_size = sizeof(struct hlx_impl), .op = of, .name = #id, .doc = "for tests", \
		.tier = of_tier, .prepare = before, .forward = id##_forward, .backward = id##_backward, \
		.accuracy = sure }

#endif
