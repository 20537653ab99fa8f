/* embedding.h - what embedding's files share. */
#ifndef EMBEDDING_H
#define EMBEDDING_H

#include "hlx/plugin.h"

enum { TOKENS, TOKEN, POSITION, Y };

struct embedding_attrs {
	int64_t vocab_size, d_model, max_seq_len;
	double std;
	int32_t positions;
};

/* A batch slot's positions, all its sequences one after the other. */
static inline uint64_t embedding_per_slot(const struct hlx_node *node)
{
	return node->desc[TOKENS].dim[0] / node->slots * node->desc[TOKENS].dim[1];
}

int embedding_ref_forward(const struct hlx_node *, void *const value[], const struct hlx_step *);
int embedding_ref_backward(const struct hlx_node *, void *const value[], void *const grad[], const struct hlx_step *);
int embedding_ref64(const struct hlx_node *, double *const value[]);

int embedding_prepare(const struct hlx_host *, struct hlx_node *);
int embedding_forward(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *);
int embedding_backward(const struct hlx_host *, const struct hlx_node *, struct hlx_rec *);

/* embedding_bench.c */
extern const char *const embedding_bench[];
struct hlx_work embedding_work(const struct hlx_node *, bool backward);

#endif
