/*
 * graph.h - the model as nodes, tensors, storages and parameters.  No device in sight.
 *
 *   node --slot--> tensor --lives in--> storage      heads q, k, v of qkv: four tensors, one storage
 *   node --slot--> param  (path, uses)               a tied table: one param, two uses
 */
#ifndef HLX_CORE_GRAPH_H
#define HLX_CORE_GRAPH_H

#include "core/error.h"

#define HLX_NONE UINT32_MAX

struct hlx_storage {
	uint64_t elements; /* 0: given up, its tensor lives elsewhere now */
	bool input;        /* the caller writes it */
	bool spanned;      /* holds all positions, at `past` elements of struct hlx_past: span.c */
	uint64_t past;
	bool slotted;
};

struct hlx_tensor {
	char *path;
	struct hlx_desc desc; /* offset: from the storage's first element */
	uint32_t storage, producer, readers;
	bool grad;            /* a parameter stands behind it */
};

struct hlx_use {
	uint32_t node, slot;
};

struct hlx_param {
	char *path;
	struct hlx_desc desc;
	struct hlx_init init;
	bool no_decay, frozen;
	uint64_t offset; /* elements, in the arena */
	struct hlx_use *use; /* in INI order */
	uint32_t n_uses;
};

struct hlx_graph_node {
	struct hlx_node pub;
	struct hlx_desc desc[HLX_MAX_SLOTS];
	struct hlx_init init[HLX_MAX_SLOTS];
	uint32_t tensor[HLX_MAX_SLOTS]; /* or HLX_NONE */
	uint32_t param[HLX_MAX_SLOTS];  /* or HLX_NONE */
	uint32_t layer;                 /* that it was wired in, or HLX_NONE */
	const struct hlx_op *op;
	const char *impl;               /* the named one, or NULL */
	char *where;                    /* "tiny.ini:12" */
	char *path;
	void *attrs;
};

struct hlx_binding_name {
	char *name;
	uint32_t tensor;
};

struct hlx_variable {
	char *name;
	double value;
	bool used; /* an expression or an op has taken it */
};

struct hlx_choice {
	char *op, *impl;
};

struct hlx_graph {
	struct hlx_registry *registry;
	struct hlx_graph_options options;
	struct hlx_graph_node **node; /* pointers: a node does not move */
	struct hlx_tensor *tensor;
	struct hlx_storage *storage;
	struct hlx_param *param;
	struct hlx_binding_name *name; /* the last one of a name counts */
	struct hlx_variable *variable;
	struct hlx_choice *choice;
	uint32_t n_nodes, n_tensors, n_storages, n_params, n_names, n_variables, n_choices;
	uint32_t *by_path, n_by_path; /* node + 1 by its path's hash, 0: none; a power of two, at least twice n_nodes */
	uint32_t loss; /* node or HLX_NONE */
	uint32_t layer; /* of the nodes that are wired now, or HLX_NONE */
	uint64_t past;  /* elements of all storages that are spanned, each padded to HLX_ALIGN bytes */
	uint64_t arena; /* elements of all parameters, each padded to HLX_ALIGN bytes */
	/* options.batch and slots are those of one pass; roots: sums of whole slots, of one or more passes each */
	uint32_t passes, roots;
};

/* span.c: in decoding, the node's SPANS inputs become those of all positions up to the last; and whether it can be. */
int hlx_graph_span(struct hlx_graph *, struct hlx_graph_node *);
int hlx_graph_check_causal(const struct hlx_graph *, const struct hlx_graph_node *);
/* split.c: checks and completes options; from then on batch and slots are those of one pass. */
int hlx_graph_split(struct hlx_graph *);
/* Room for one more element at the end of an array; NULL when memory is out. */
void *hlx_grow(void *array, uint32_t count, size_t size);
struct hlx_scope hlx_graph_scope(const struct hlx_graph *, const char **names, size_t room);
int hlx_graph_find_node(const struct hlx_graph *, const char *path);    /* index or -1 */
int hlx_graph_find_param(const struct hlx_graph *, const char *path);   /* index or -1 */
int hlx_graph_find_tensor(const struct hlx_graph *, const char *path);  /* index or -1 */
int hlx_graph_add_storage(struct hlx_graph *, const struct hlx_desc *, bool slotted, uint32_t *out);
int hlx_graph_add_tensor(struct hlx_graph *, const char *path, const struct hlx_desc *, uint32_t storage,
		uint32_t producer, uint32_t *out);
/* The implementation that [ops] names for op, or NULL. */
const char *hlx_graph_chosen(const struct hlx_graph *, const char *op);
/* The node becomes the graph's last one, and its own where that fails. */
int hlx_graph_add_node(struct hlx_graph *, struct hlx_graph_node *);
int hlx_graph_bind(struct hlx_graph *, const char *name, uint32_t tensor);
/* Dims >= 1, products within 2^40 elements. */
int hlx_desc_check(const struct hlx_desc *, const char *what);
/* "(8, 128, 256)" in a buffer of the thread, four at a time. */
const char *hlx_desc_text(const struct hlx_desc *);

/* attrs.c: a node's attributes */
int hlx_attrs_create(const struct hlx_op *, void **out); /* defaults */
const struct hlx_attr *hlx_attrs_find(const struct hlx_op *, const char *name);
int hlx_attrs_set(const struct hlx_op *, void *attrs, const struct hlx_attr *, const char *text,
		const struct hlx_scope *);
int hlx_attrs_set_int(const struct hlx_op *, void *attrs, const char *name, int64_t value);

/* node.c */
int hlx_graph_node_create(struct hlx_graph *, const struct hlx_op *, const char *path, const char *where,
		struct hlx_graph_node **out);
void hlx_graph_node_destroy(struct hlx_graph_node *);
/* Infers, makes the outputs, parameters and views; the node joins the graph. */
int hlx_graph_node_join(struct hlx_graph *, struct hlx_graph_node *, const char *tied[HLX_MAX_SLOTS]);

#endif
