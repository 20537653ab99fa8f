#include "runner/sampler.h"
#include "runner/decoder.h"

#include "core/numerics.h"
#include "hlx/math.h"

#include <stdlib.h>
#include <string.h>

enum { DRAW = 4 }; /* purpose of random numbers, after those of data.c */

/* Largest first; equals by id.  Finite floats, so that their order is total. */
static int by_logit(const void *a, const void *b, void *ctx)
{
	const float *logits = ctx;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

	if (logits[i] != logits[j])
		return logits[i] > logits[j] ? -1 : 1;
	return i < j ? -1 : 1;
}

/* e^((logit - max) / temperature); +0 far below. */
static float weight(const float *logits, uint32_t i, float max, float temperature)
{
	return hlx_exp(hlx_div(logits[i] - max, temperature));
}

uint32_t sampler_pick(const float *logits, uint32_t n, const struct sampling *s, uint64_t index, uint32_t *order)
{
	double sum = 0, kept = 0, at = 0, goal;
	uint32_t r[4], count = 0, most = s->top_k && s->top_k < n ? s->top_k : n;
	float max;

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof *order, by_logit, (void *)logits);
	if (s->temperature < 0x1p-20f)
		return order[0];
	max = logits[order[0]];
	for (uint32_t i = 0; i < most; i++)
		sum += weight(logits, order[i], max, s->temperature);
	while (count < most && (!count || kept < (double)s->top_p * sum))
		kept += weight(logits, order[count++], max, s->temperature);
	hlx_philox(s->seed, hlx_stream(DRAW, "sample"), index, r);
	goal = (double)r[0] * 0x1p-32 * kept;
	for (uint32_t i = 0; i < count; i++) {
		at += weight(logits, order[i], max, s->temperature);
		if (at > goal)
			return order[i];
	}
	return order[count - 1];
}

/* ---- text ---- */

struct generator {
	struct session *s;
	const struct conf *conf;
	const struct sampling *how;
	uint64_t seq_len, length;  /* length: tokens in window */
	uint32_t *window, *order;  /* window: the last tokens, from its start, at most seq_len */
	float *logits;
};

/*
 * A full window loses its oldest quarter.  What is left moves to other positions, so nothing that was kept of it holds, and
 * it is computed again: once in seq_len / 4 tokens, a fifth more for each; losing one token a time, tiny takes four times
 * as long beyond its 128.  A prompt goes the same way, so that a text goes on as it would have.
 */
static void push(struct generator *g, uint32_t token)
{
	uint64_t gone = (g->seq_len + 3) / 4;

	if (g->length == g->seq_len) {
		memmove(g->window, g->window + gone, (g->seq_len - gone) * sizeof *g->window);
		g->length -= gone;
		decoder_restart(g->s);
	}
	g->window[g->length++] = token;
}

/* One pass over the window; the logits of its last token. */
static int whole_pass(struct generator *g, const char *path)
{
	uint64_t last = g->length - 1, n = g->s->vocab_size;
	const struct hlx_step step = { .size = sizeof step, .step = 1, .n_seq = 1 };

	CLI_TRY(hlx_program_write(g->s->sample, "tokens", HLX_VALUE, 0, g->seq_len, g->window));
	/* Nobody asks for a loss here, but its input should hold tokens. */
	CLI_TRY(hlx_program_write(g->s->sample, "targets", HLX_VALUE, 0, g->seq_len, g->window));
	CLI_TRY(hlx_program_run(g->s->sample, &step));
	return hlx_program_read(g->s->sample, path, HLX_VALUE, last * n, n, g->logits);
}

static int next(struct generator *g, uint64_t index, uint32_t *token)
{
	const char *path = hlx_graph_logits(g->s->sample_graph);
	uint64_t n = g->s->vocab_size;
	int status = decoder_logits(g->s, g->conf, g->window, g->length - 1, g->logits);

	if (status > 0)
		status = whole_pass(g, path);
	CLI_TRY(status);
	for (uint64_t i = 0; i < n; i++)
		if (!hlx_is_finite(g->logits[i]))
			return hlx_fail(HLX_ENUMERIC, "%s: the logits of a sample are not finite", path);
	*token = sampler_pick(g->logits, (uint32_t)n, g->how, index, g->order);
	return 0;
}

static int start(struct generator *g, const char *prompt, size_t size)
{
	struct tokenizer *t = g->how->tokenizer;
	struct bpe_tokens tokens = { 0 };
	size_t used;
	int status = tokenizer_check(t, prompt, size, g->s->vocab_size);

	if (status >= 0)
		status = tokenizer_encode(t, prompt, size, true, &used, &tokens);
	for (size_t i = 0; i < tokens.count && status >= 0; i++)
		push(g, tokens.id[i]);
	if (!tokens.count)
		push(g, tokenizer_start(t, g->s->vocab_size));
	free(tokens.id);
	return status;
}

static int generate(struct generator *g, uint64_t count, sampler_take take, void *ctx)
{
	for (uint64_t i = 0; i < count; i++) {
		uint32_t token = 0;
		const char *bytes;
		size_t n;
		CLI_TRY(next(g, i, &token));
		bytes = tokenizer_decode(g->how->tokenizer, token, &n);
		CLI_TRY(take(ctx, bytes, n));
		push(g, token);
	}
	return 0;
}

int sampler_text(struct session *s, const struct conf *c, const char *prompt, size_t prompt_size, uint64_t count,
		const struct sampling *how, sampler_take take, void *ctx)
{
	const size_t seq_len = (size_t)c->seq_len;
	struct generator g = {
		.s = s, .conf = c, .how = how, .seq_len = seq_len, .window = calloc(seq_len, sizeof(*g.window)),
		.order = calloc(s->vocab_size, sizeof(*g.order)), .logits = calloc(s->vocab_size, sizeof(*g.logits)),
	};
	int status = g.window && g.order && g.logits ? start(&g, prompt, prompt_size) : hlx_fail(HLX_ENOMEM, "out of memory");

	decoder_restart(s);
	if (status >= 0)
		status = generate(&g, count, take, ctx);
	free(g.logits);
	free(g.order);
	free(g.window);
	return status;
}
