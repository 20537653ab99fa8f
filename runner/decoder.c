#include "runner/decoder.h"

#include "core/graph/graph.h"

#include <stdlib.h>

struct block {
	struct hlx_graph *graph;
	struct hlx_program *program; /* NULL: not made yet */
	uint64_t length;
};

struct decoder {
	struct block *block;
	struct hlx_past *past;
	uint64_t n_blocks, done; /* done: blocks whose positions all are in the past */
	bool refused;
};

static uint64_t count_blocks(const struct conf *c)
{
	return ((uint64_t)c->seq_len + DECODER_BLOCK - 1) / DECODER_BLOCK;
}

static int open_decoder(struct session *s, const struct conf *c)
{
	struct decoder *d = calloc(1, sizeof *d);

	if (!d)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	d->n_blocks = count_blocks(c);
	d->refused = d->n_blocks == 1; /* it is the whole window */
	d->block = calloc(d->n_blocks, sizeof *d->block);
	if (!d->block) {
		free(d);
		return hlx_fail(HLX_ENOMEM, "out of memory");
	}
	s->decoder = d;
	return 0;
}

/* The same wiring as a whole is there: whatever is wrong with it now, it is not to be had in parts. */
static int build(const struct session *s, const struct conf *c, uint64_t index, struct block *b)
{
	struct hlx_graph_options o = { .batch = 1, .positions = (uint64_t)c->seq_len, .first = index * DECODER_BLOCK };

	o.seq_len = b->length = o.positions - o.first < DECODER_BLOCK ? o.positions - o.first : DECODER_BLOCK;
	return b->graph || hlx_graph_build(s->registry, c->ini, &o, &b->graph) >= 0 ? 0 : HLX_ENOTSUP;
}

static int make(struct session *s, const struct conf *c, uint64_t index)
{
	struct decoder *d = s->decoder;
	struct block *b = &d->block[index];
	const char *keep[2] = { NULL, NULL };
	struct hlx_program_options options = { .keep = keep };

	CLI_TRY(build(s, c, index, b));
	if (!d->past)
		CLI_TRY(hlx_past_create(s->device, b->graph, &d->past));
	keep[0] = hlx_graph_logits(b->graph);
	options.past = d->past;
	return hlx_program_create(s->device, b->graph, s->weights, &options, &b->program);
}

static int run(struct session *s, const struct conf *c, const uint32_t *tokens, uint64_t index)
{
	const struct hlx_step step = { .size = sizeof step, .step = 1, .n_seq = 1, .position = (uint32_t)index * DECODER_BLOCK };
	struct block *b = &s->decoder->block[index];

	if (!b->program)
		CLI_TRY(make(s, c, index));
	CLI_TRY(hlx_program_write(b->program, "tokens", HLX_VALUE, 0, b->length, tokens + step.position));
	/* Nobody asks for a loss here, but its input should hold tokens. */
	CLI_TRY(hlx_program_write(b->program, "targets", HLX_VALUE, 0, b->length, tokens + step.position));
	return hlx_program_run(b->program, &step);
}

/* The second block is made first: what can be in its way can't be in that of the first. */
static int catch_up(struct session *s, const struct conf *c, const uint32_t *tokens, uint64_t last)
{
	struct decoder *d = s->decoder;

	if (!d->block[1].program)
		CLI_TRY(make(s, c, 1));
	for (; d->done < last / DECODER_BLOCK; d->done++)
		CLI_TRY(run(s, c, tokens, d->done));
	return run(s, c, tokens, d->done);
}

/* From now on by whole passes, with the memory for them. */
static int refuse(struct decoder *d)
{
	for (uint64_t i = 0; i < d->n_blocks; i++) {
		hlx_program_destroy(d->block[i].program);
		hlx_graph_destroy(d->block[i].graph);
		d->block[i] = (struct block){ 0 };
	}
	hlx_past_destroy(d->past);
	d->past = NULL;
	d->refused = true;
	return 1;
}

int decoder_logits(struct session *s, const struct conf *c, const uint32_t *tokens, uint64_t last, float *logits)
{
	struct block *b;
	int status = s->decoder ? 0 : open_decoder(s, c);

	if (status >= 0 && s->decoder->refused)
		return 1;
	if (status >= 0)
		status = catch_up(s, c, tokens, last);
	if (s->decoder && (status == HLX_ENOTSUP || status == HLX_ENOMEM))
		return refuse(s->decoder);
	CLI_TRY(status);
	b = &s->decoder->block[last / DECODER_BLOCK];
	return hlx_program_read(b->program, hlx_graph_logits(b->graph), HLX_VALUE, last % DECODER_BLOCK * s->vocab_size,
			s->vocab_size, logits);
}

void decoder_restart(struct session *s)
{
	if (s->decoder)
		s->decoder->done = 0;
}

void decoder_destroy(struct decoder *d)
{
	if (!d)
		return;
	refuse(d);
	free(d->block);
	free(d);
}

/* Of the second block, which is whole in every sequence of more than two, and takes what any other takes. */
int decoder_plan(const struct session *s, const struct conf *c, struct decoder_plan *out)
{
	const char *keep[2] = { NULL, NULL };
	const struct hlx_program_options options = { .keep = keep };
	struct block b = { 0 };
	struct hlx_plan_info i;
	int status;

	*out = (struct decoder_plan){ .n_blocks = count_blocks(c) };
	if (out->n_blocks == 1 || build(s, c, 1, &b) < 0)
		return 1;
	keep[0] = hlx_graph_logits(b.graph);
	status = hlx_program_create(s->device, b.graph, NULL, &options, &b.program);
	if (status >= 0) {
		i = hlx_program_plan(b.program);
		out->kept = b.graph->past * sizeof(float);
		out->block = i.total - i.weights;
	}
	hlx_program_destroy(b.program);
	hlx_graph_destroy(b.graph);
	return status == HLX_ENOTSUP ? 1 : status;
}
