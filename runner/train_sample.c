/* train_sample.c - a sample of the model while it learns. */
#include "runner/sampler.h"
#include "runner/train.h"

#include <stdlib.h>
#include <string.h>

struct text {
	char *bytes;
	size_t size, room;
};

static int add(struct text *t, const char *bytes, size_t n)
{
	if (t->size + n > t->room) {
		size_t room = 2 * t->room + n + 1024;
		char *more = realloc(t->bytes, room);
		if (!more)
			return hlx_fail(HLX_ENOMEM, "out of memory");
		t->bytes = more;
		t->room = room;
	}
	memcpy(t->bytes + t->size, bytes, n);
	t->size += n;
	return 0;
}

static int take(void *ctx, const char *bytes, size_t n)
{
	CLI_TRY(add(ctx, bytes, n));
	return train_stopping() ? CLI_STOPPED : 0;
}

static int write_down(struct train *t, const char *title, const struct text *text)
{
	char head[64];
	int n = snprintf(head, sizeof head, "----- %s -----\n", title);

	CLI_TRY(journal_append(&t->samples, head, (size_t)n));
	CLI_TRY(journal_append(&t->samples, text->bytes, text->size));
	return journal_append(&t->samples, "\n", 1);
}

int train_sample(struct train *t)
{
	const struct conf *c = t->conf;
	const struct sampling how = {
		.tokenizer = c->tokenizer, .seed = (uint64_t)c->seed, .temperature = (float)c->sample_temperature,
		.top_k = (uint32_t)c->sample_top_k, .top_p = (float)c->sample_top_p
	};
	size_t prompt = strlen(c->sample_prompt);
	struct text text = { 0 };
	char title[48];
	int status = add(&text, c->sample_prompt, prompt);

	if (status >= 0)
		status = sampler_text(t->session, c, c->sample_prompt, prompt, (uint64_t)c->sample_tokens, &how, take, &text);
	snprintf(title, sizeof title, "sample, step %llu", (unsigned long long)t->at.step);
	if (status >= 0)
		status = write_down(t, title, &text);
	if (status >= 0)
		status = progress_text(&t->progress, title, text.bytes, text.size);
	free(text.bytes);
	return status;
}
