/*
 * sampler.h - a token from logits, and text from a model.  The same seed gives the same text: the arithmetic is that of
 * hlx/math.h, the random number of token i is philox(seed, i), equal odds go by the smaller id.
 */
#ifndef RUNNER_SAMPLER_H
#define RUNNER_SAMPLER_H

#include "runner/session.h"
#include "runner/tokenizer.h"

struct sampling {
	struct tokenizer *tokenizer;
	uint64_t seed;
	float temperature, top_p; /* temperature 0: the likeliest */
	uint32_t top_k;           /* 0: all */
};

/* Draws from the top_k likeliest, and of these from the likeliest that make up top_p of their odds.  order: room for n. */
uint32_t sampler_pick(const float *logits, uint32_t n, const struct sampling *, uint64_t index, uint32_t *order);

/* Takes the text as it comes; a negative status ends it. */
typedef int (*sampler_take)(void *ctx, const char *bytes, size_t n);
/* Continues prompt by count tokens; what take returned, or an error. */
int sampler_text(struct session *, const struct conf *, const char *prompt, size_t prompt_size, uint64_t count,
		const struct sampling *, sampler_take take, void *ctx);

#endif
