/*
 * embedding_ref.c - the definition of embedding.
 *
 * tokens: (B, T)   token: (V, D)   position: (P, D), or absent   y, dy: (B, T, D)   t0: step->position
 * dtoken: S runs of (V, D)   dposition: S runs of (P, D)
 *
 *     y[b][t] = store(token[tokens[b][t]] + position[t0 + t]), or token[...] without positions;
 *               a row of NaN where the id is not below V or t0 + t not below P
 *
 * In batch slot s, whose sequences are b = s B/S to (s + 1) B/S - 1:
 *     dtoken[s][v]         = or += for each b, ascending, that has id v: the chain, from +0, over its positions t with
 *                            tokens[b][t] = v, ascending, of dy[b][t]
 *     dposition[s][t]      = or += for each b, ascending: dy[b][t]; a pass with a gradient starts at position 0
 * Not flushed; what has no term is +0, or as it was.
 */
#include "plugins/embedding/embedding.h"

#include "hlx/math.h"

#include <stdlib.h>
#include <string.h>

int embedding_ref_forward(const struct hlx_node *node, void *const value[], const struct hlx_step *step)
{
	const struct hlx_desc *desc = node->desc;
	uint64_t rows = hlx_numel(&desc[TOKENS]), d = desc[TOKEN].dim[1];
	const uint32_t *tokens = value[TOKENS];
	const float *token = value[TOKEN], *position = desc[POSITION].rank ? value[POSITION] : NULL;
	float *y = value[Y];
	for (uint64_t r = 0; r < rows; r++) {
		uint64_t p = step->position + r % desc[TOKENS].dim[1];
		bool bad = tokens[r] >= desc[TOKEN].dim[0] || (position && p >= desc[POSITION].dim[0]);
		for (uint64_t i = 0; i < d; i++)
			y[r * d + i] = bad ? hlx_float(HLX_BITS_NAN) :
					hlx_store(token[tokens[r] * d + i] + (position ? position[p * d + i] : 0.0f));
	}
	return 0;
}

/* One sequence's terms of dtoken; term and seen are scratch of (V, D) and (V). */
static void token_terms(const struct hlx_node *node, const uint32_t *tokens, const float *dy, float *grad, float *term,
		bool *seen)
{
	uint64_t v = node->desc[TOKEN].dim[0], d = node->desc[TOKEN].dim[1];
	memset(term, 0, v * d * sizeof *term);
	memset(seen, 0, v * sizeof *seen);
	for (uint64_t t = 0; t < node->desc[TOKENS].dim[1]; t++) {
		if (tokens[t] >= v)
			continue;
		seen[tokens[t]] = true;
		for (uint64_t i = 0; i < d; i++)
			term[tokens[t] * d + i] += dy[t * d + i];
	}
	for (uint64_t k = 0; k < v * d; k++)
		if (seen[k / d])
			grad[k] += term[k];
}

static int token_backward(const struct hlx_node *node, const uint32_t *tokens, const float *dy, float *grad)
{
	const struct hlx_desc *token = &node->desc[TOKEN];
	uint64_t n = hlx_numel(token), b = node->desc[TOKENS].dim[0], t = node->desc[TOKENS].dim[1];
	float *term = malloc(n * sizeof *term);
	bool *seen = malloc(token->dim[0] * sizeof *seen);
	for (uint64_t s = 0; s < node->slots && term && seen; s++) {
		float *run = grad + s * hlx_slot_stride(token);
		for (uint64_t k = 0; k < n && !(node->accum >> TOKEN & 1); k++)
			run[k] = 0.0f;
		for (uint64_t q = s * (b / node->slots); q < (s + 1) * (b / node->slots); q++)
			token_terms(node, tokens + q * t, dy + q * t * token->dim[1], run, term, seen);
	}
	int status = term && seen ? 0 : HLX_ENOMEM;
	free(seen);
	free(term);
	return status;
}

static void position_backward(const struct hlx_node *node, const float *dy, float *grad)
{
	const struct hlx_desc *position = &node->desc[POSITION];
	uint64_t d = position->dim[1], b = node->desc[TOKENS].dim[0], t = node->desc[TOKENS].dim[1];
	for (uint64_t s = 0; s < node->slots; s++) {
		float *run = grad + s * hlx_slot_stride(position);
		for (uint64_t k = 0; k < hlx_numel(position) && !(node->accum >> POSITION & 1); k++)
			run[k] = 0.0f;
		for (uint64_t q = s * (b / node->slots); q < (s + 1) * (b / node->slots); q++)
			for (uint64_t k = 0; k < t * d; k++)
				run[k] += dy[q * t * d + k];
	}
}

int embedding_ref_backward(const struct hlx_node *node, void *const value[], void *const grad[],
		const struct hlx_step *step)
{
	(void)step;
	int status = node->grads >> TOKEN & 1 ? token_backward(node, value[TOKENS], grad[Y], grad[TOKEN]) : 0;
	if (!status && node->grads >> POSITION & 1 && node->desc[POSITION].rank)
		position_backward(node, grad[Y], grad[POSITION]);
	return status;
}

int embedding_ref64(const struct hlx_node *node, double *const value[])
{
	const struct hlx_desc *desc = node->desc;
	uint64_t d = desc[TOKEN].dim[1];
	for (uint64_t k = 0; k < hlx_numel(&desc[Y]); k++) {
		uint64_t r = k / d, id = (uint64_t)value[TOKENS][r], t = r % desc[TOKENS].dim[1];
		value[Y][k] = value[TOKEN][id * d + k % d] + (desc[POSITION].rank ? value[POSITION][t * d + k % d] : 0);
	}
	return 0;
}
