#include "runner/chain.h"

#include "core/numerics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int head_text(char line[32], bool device)
{
	return snprintf(line, 32, "numerics = %d%s\n", NUMERICS, device ? " device" : "");
}

static int head(struct chain *c)
{
	char line[32];
	int n = head_text(line, c->device);

	c->steps = c->hash = 0;
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

	if (step + 1 == c->steps)
		return 0;
	if (step != c->steps)
		return hlx_fail(HLX_EOUTPUT, "%s: step %" PRIu64 " after %" PRIu64 " lines", c->file.path, step, c->steps);
	CLI_TRY(journal_append(&c->file, line, (size_t)n));
	c->hash = hash;
	c->steps++;
	return 0;
}

/* ---- reading ---- */

static int check_head(const char *path, const char *text, bool *device)
{
	static const char key[] = "numerics = ";
	char *end;
	unsigned long version;

	if (strncmp(text, key, sizeof key - 1))
		return hlx_fail(HLX_EIO, "%s: does not begin with numerics = %d", path, NUMERICS);
	version = strtoul(text + sizeof key - 1, &end, 10);
	*device = !strncmp(end, " device\n", 8);
	if (*end != '\n' && !*device)
		return hlx_fail(HLX_EIO, "%s: line 1 is damaged", path);
	if (version != NUMERICS)
		return hlx_fail(HLX_EIO, "%s: made with numerics %lu, this hlxt computes numerics %d", path, version, NUMERICS);
	return 0;
}

/* What the numbers of the line would make is what it must be, to the byte. */
static bool parse(const char *at, const char *end, uint64_t step, uint64_t *hash, struct chain_line *out)
{
	char line[96], *p;
	int n;

	(void)strtoull(at, &p, 10);
	out->loss_bits = (uint32_t)strtoul(p, &p, 16);
	out->state = strtoull(p, &p, 16);
	n = format(line, hash, step, out->loss_bits, out->state);
	out->hash = *hash;
	return n == end + 1 - at && !memcmp(line, at, (size_t)n);
}

/* Lines 0 to upto, as far as they go; *end is where the last one ends.  A last line without its end is not one. */
static int parse_all(const char *path, const char *text, uint64_t upto, bool *device, struct chain_line **out,
		uint64_t *steps, size_t *end)
{
	const char *at = strchr(text, '\n'), *eol;
	uint64_t hash = 0, room = 0;

	*out = NULL;
	*steps = 0;
	CLI_TRY(check_head(path, text, device));
	for (at++; *steps <= upto && (eol = strchr(at, '\n')); at = eol + 1, ++*steps) {
		if (*steps == room) {
			struct chain_line *grown = realloc(*out, (room = 2 * room + 64) * sizeof(*grown));
			if (!grown)
				return hlx_fail(HLX_ENOMEM, "out of memory");
			*out = grown;
		}
		if (!parse(at, eol, *steps, &hash, *out + *steps))
			return hlx_fail(HLX_EIO, "%s: line %" PRIu64 " is damaged", path, *steps + 2);
	}
	*end = (size_t)(at - text);
	return 0;
}

/* The same lines behind a first one that says device; the file is replaced whole, so it is opened anew. */
static int say_device(const struct folder *f, struct chain *c, const char *text, size_t end)
{
	const char *lines = strchr(text, '\n') + 1;
	size_t n = (size_t)(text + end - lines);
	char *made = malloc(n + 32);
	int status, head;

	if (!made)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	head = head_text(made, true);
	memcpy(made + head, lines, n);
	journal_close(&c->file);
	status = folder_write(f, "chain", made, (size_t)head + n);
	free(made);
	CLI_TRY(status);
	return journal_open(f, "chain", &c->file);
}

int chain_reopen(const struct folder *f, uint64_t step, struct chain *c)
{
	struct chain_line *line = NULL;
	char *text = NULL;
	size_t end = 0;
	bool was = false;
	int status = journal_open(f, "chain", &c->file);

	c->steps = c->hash = 0;
	if (status >= 0)
		status = journal_text(&c->file, &text);
	if (status >= 0)
		status = parse_all(c->file.path, text, step, &was, &line, &c->steps, &end);
	if (status >= 0 && c->steps != step + 1)
		status = hlx_fail(HLX_EIO, "%s: has %" PRIu64 " steps, the checkpoint is of step %" PRIu64, c->file.path, c->steps,
				step);
	if (status >= 0) {
		c->hash = line[step].hash;
		status = journal_cut(&c->file, end);
	}
	if (status >= 0 && c->device && !was)
		status = say_device(f, c, text, end);
	c->device |= was;
	free(line);
	free(text);
	return status;
}

/* The lines up to that of step `last`, new; the journal is the caller's to close, whatever comes of it. */
static int view(const char *folder, uint64_t last, struct journal *j, struct chain_line **out, uint64_t *steps)
{
	char *text = NULL;
	size_t end;
	bool device;
	int status = journal_view(folder, "chain", j);

	*out = NULL;
	*steps = 0;
	if (status >= 0)
		status = journal_text(j, &text);
	if (status >= 0)
		status = parse_all(j->path, text, last, &device, out, steps, &end);
	free(text);
	return status;
}

int chain_check(const char *folder, uint64_t step, uint64_t hash)
{
	struct chain_line *line;
	struct journal j;
	uint64_t steps;
	int status = view(folder, step, &j, &line, &steps);

	if (status >= 0 && steps <= step)
		status = hlx_fail(HLX_EIO, "%s: is cut short: it has no line of step %" PRIu64 ", which there is a checkpoint of",
				j.path, step);
	else if (status >= 0 && line[step].hash != hash)
		status = hlx_fail(HLX_EIO, "%s: is not the chain that checkpoint step-%" PRIu64 " belongs to", j.path, step);
	free(line);
	journal_close(&j);
	return status;
}

int chain_read(const char *folder, struct chain_line **out, uint64_t *steps)
{
	struct journal j;
	int status = view(folder, UINT64_MAX - 1, &j, out, steps);

	if (status >= 0 && !*steps)
		status = hlx_fail(HLX_EIO, "%s: has no line", j.path);
	journal_close(&j);
	return status;
}
