#include "runner/metrics.h"

#include "core/numerics.h"
#include "runner/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int metrics_append(struct journal *j, const struct metrics *m)
{
	char line[512];
	int n = snprintf(line, sizeof line, "{\"step\": %" PRIu64 ", \"loss\": %.9g, \"lr\": %.9g, \"grad_norm\": %.9g, "
			"\"ms\": %.2f, \"tokens_per_s\": %.1f", m->step, (double)m->loss, (double)m->lr,
			(double)m->grad_norm, m->ms, m->tokens_per_s);

	if (m->has_valid)
		n += snprintf(line + n, sizeof line - (size_t)n, ", \"val_loss\": %.9g", (double)m->valid_loss);
	if (m->has_hash)
		n += snprintf(line + n, sizeof line - (size_t)n, ", \"hash\": \"%016" PRIx64 "\"", m->hash);
	n += snprintf(line + n, sizeof line - (size_t)n, "}\n");
	return journal_append(j, line, (size_t)n);
}

int metrics_cut(struct journal *j, uint64_t step)
{
	char *text, *at, *end;
	int status = journal_text(j, &text);
	uint64_t s;

	if (status < 0)
		return status;
	for (at = text; (end = strchr(at, '\n')); at = end + 1)
		if (sscanf(at, "{\"step\": %" SCNu64, &s) != 1 || s > step || end[-1] != '}')
			break;
	status = journal_cut(j, (uint64_t)(at - text));
	free(text);
	return status;
}

/* ---- chain ---- */

bool chain_has(const struct chain *c, uint64_t step)
{
	return !step || step == c->last || (c->every && step % c->every == 0);
}

static int head_text(char line[32], const struct chain *c)
{
	return snprintf(line, 32, "numerics = %d%s\n", NUMERICS, c->device ? " device" : "");
}

static bool read_head(const char *text, bool *device)
{
	char line[32];

	for (int d = 0; d < 2; d++) {
		int n = head_text(line, &(const struct chain){ .device = d });
		*device = d;
		if (!strncmp(text, line, (size_t)n))
			return true;
	}
	return false;
}

static int head(struct chain *c)
{
	char line[32];
	int n = head_text(line, c);

	c->hash = 0;
	c->end = UINT64_MAX;
	return journal_append(&c->file, line, (size_t)n);
}

int chain_create(const struct folder *f, struct chain *c)
{
	CLI_TRY(journal_open(f, "chain", &c->file));
	CLI_TRY(journal_cut(&c->file, 0));
	return head(c);
}

static int format(char line[96], uint64_t *hash, uint64_t step, uint32_t loss_bits, uint64_t state)
{
	*hash = hlx_chain(*hash, step, loss_bits, state);
	return snprintf(line, 96, "%" PRIu64 " %08" PRIx32 " %016" PRIx64 " %016" PRIx64 "\n", step, loss_bits, state, *hash);
}

int chain_append(struct chain *c, uint64_t step, uint32_t loss_bits, uint64_t state)
{
	char line[96];
	uint64_t hash = c->hash;
	int n = format(line, &hash, step, loss_bits, state);

	if (c->end == step)
		return 0;
	CLI_TRY(journal_append(&c->file, line, (size_t)n));
	c->hash = hash;
	c->end = step;
	return journal_sync(&c->file);
}

/* The lines to keep, chained anew, go to kept; end and hash are those of the last. */
static int filter(struct chain *c, const char *text, uint64_t upto, char *kept)
{
	const char *at = strchr(text, '\n'), *end;
	uint64_t step, state, hash, was = 0;
	uint32_t loss;
	unsigned number = 2;
	bool device;
	char line[96];

	if (!read_head(text, &device))
		return hlx_fail(HLX_EIO, "%s: does not begin with numerics = %d", c->file.path, NUMERICS);
	c->device |= device;
	kept += head_text(kept, c);
	for (at++; (end = strchr(at, '\n')); at = end + 1, number++) {
		if (sscanf(at, "%" SCNu64 " %8" SCNx32 " %16" SCNx64 " %16" SCNx64, &step, &loss, &state, &hash) != 4 ||
				(format(line, &was, step, loss, state), was != hash))
			return hlx_fail(HLX_EIO, "%s: line %u is damaged", c->file.path, number);
		if (step <= upto && chain_has(c, step)) {
			kept += format(kept, &c->hash, step, loss, state);
			c->end = step;
		}
	}
	return 0;
}

int chain_reopen(const struct folder *f, uint64_t step, struct chain *c)
{
	char *text = NULL, *kept = NULL;
	int status = journal_open(f, "chain", &c->file);

	if (status >= 0)
		status = journal_text(&c->file, &text);
	if (status >= 0 && !(kept = malloc(strlen(text) + 192)))
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	c->hash = 0;
	c->end = UINT64_MAX;
	if (status >= 0)
		status = filter(c, text, step, kept);
	if (status >= 0 && strcmp(kept, text)) { /* the file is replaced whole, so it is opened anew */
		journal_close(&c->file);
		status = folder_write(f, "chain", kept, strlen(kept));
		if (status >= 0)
			status = journal_open(f, "chain", &c->file);
	}
	free(text);
	free(kept);
	return status;
}
