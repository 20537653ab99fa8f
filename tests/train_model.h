/* train_model.h - a transformer small enough to follow on the host, trained through libhlx. */
#ifndef TESTS_TRAIN_MODEL_H
#define TESTS_TRAIN_MODEL_H

#include "core/check/walk.h"

#define MODEL_BATCH 4u
#define MODEL_SEQ   35u /* a block of 32 positions, and a short one */
#define MODEL_VOCAB 13u
#define MODEL_IGNORED 99u /* a target that the wiring's ignore_index may name */
#define MODEL_TOKENS (MODEL_BATCH * MODEL_SEQ)

extern const char pre_ln[], post_ln[], attention_only[], tied_head[], parallel[];

struct model {
	struct hlx_registry *registry;
	struct hlx_device *dev;
	struct hlx_ini *ini;
	struct hlx_graph *graph;
	struct hlx_weights *weights;
	struct hlx_program *program;
	uint32_t n_state;
	bool ignore; /* every fifth target, those of sequence 1, and all but the first two of the last one */
	uint32_t tokens[MODEL_TOKENS], targets[MODEL_TOKENS];
	void (*fill)(struct model *, uint64_t number); /* both, for a step; NULL: counting, by make_tokens() */
};
/* set: assignments "ops.gemm=gemm16", ends with NULL; may be NULL.  slots 0: the default. */
int model_open(struct model *, const char *text, const char *const *set, uint64_t slots);
/* How it is computed; all of it 0: the default. */
struct model_how {
	uint64_t slots, micro;
	bool recompute;
	uint32_t in_flight;
};
int model_open_as(struct model *, const char *text, const char *const *set, struct model_how);
void model_close(struct model *);
struct hlx_step model_step(uint64_t number);
/* The tokens and targets of a step, for the next start. */
int model_load(struct model *, uint64_t number);
/* A step of training, number counting from 1: its own tokens, replayed. */
int model_train(struct model *, uint64_t number, struct hlx_result *);
/* Every parameter and state, one after the other; the caller frees it.  NULL when memory is out or reading fails. */
float *model_bits(struct model *, size_t *count);

/* The same training on the host, by references alone. */
struct host_model {
	struct hlx_walk *walk;
	struct hlx_node adam;
	struct hlx_desc desc[HLX_MAX_SLOTS];
	void *attrs, *value[HLX_MAX_SLOTS];
};
int host_model_open(struct host_model *, struct model *like);
void host_model_close(struct host_model *);
int host_model_train(struct host_model *, struct model *like, uint64_t number);
/* As model_bits. */
float *host_model_bits(struct host_model *, struct model *like, size_t *count);

#endif
