#include "runner/metrics.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t metrics_line(const struct metrics *m, char out[METRICS_LINE])
{
	int n = snprintf(out, METRICS_LINE, "{\"step\": %" PRIu64 ", \"loss\": %.9g, \"lr\": %.9g, \"grad_norm\": %.9g, "
			"\"ms\": %.2f, \"tokens_per_s\": %.1f, \"memory\": %" PRIu64, m->step, (double)m->loss, (double)m->lr,
			(double)m->grad_norm, m->ms, m->tokens_per_s, m->memory);

	/* JSON has no infinity; the other numbers are finite, or the run would have ended. */
	if (m->has_valid && !isfinite(m->valid_loss))
		n += snprintf(out + n, METRICS_LINE - (size_t)n, ", \"val_loss\": null");
	else if (m->has_valid)
		n += snprintf(out + n, METRICS_LINE - (size_t)n, ", \"val_loss\": %.9g", (double)m->valid_loss);
	if (m->ended)
		n += snprintf(out + n, METRICS_LINE - (size_t)n, ", \"ended\": \"early_stop\"");
	n += snprintf(out + n, METRICS_LINE - (size_t)n, ", \"hash\": \"%016" PRIx64 "\"}\n", m->hash);
	return (size_t)n;
}

int metrics_append(struct journal *j, const struct metrics *m)
{
	char line[METRICS_LINE];
	size_t n = metrics_line(m, line);

	return journal_append(j, line, n);
}

int metrics_cut(struct journal *j, uint64_t step)
{
	char *text, *at, *end;
	int status = journal_text(j, &text);
	static const char key[] = "{\"step\": ";

	if (status < 0)
		return status;
	for (at = text; (end = strchr(at, '\n')); at = end + 1)
		if (strncmp(at, key, sizeof key - 1) || strtoull(at + sizeof key - 1, NULL, 10) > step || end[-1] != '}')
			break;
	status = journal_cut(j, (uint64_t)(at - text));
	free(text);
	return status;
}

/* ---- reading ---- */

static bool parse(const char *line, size_t size, struct metrics *m)
{
	json_t *o = json_loadb(line, size, 0, NULL);
	const json_t *valid = json_object_get(o, "val_loss");
	double step, loss, lr, grad_norm, memory = 0;
	bool good = o && !json_unpack(o, "{s:F, s:F, s:F, s:F, s:F, s:F, s?F}", "step", &step, "loss", &loss, "lr", &lr, "grad_norm",
			&grad_norm, "ms", &m->ms, "tokens_per_s", &m->tokens_per_s, "memory", &memory) && (!valid || json_is_number(valid) || json_is_null(valid)) && step >= 1 && step <= 4294967295.0;

	if (good) {
		m->step = (uint64_t)step;
		m->loss = (float)loss;
		m->lr = (float)lr;
		m->grad_norm = (float)grad_norm;
		m->memory = (uint64_t)memory;
		m->has_valid = valid;
		m->valid_loss = json_is_null(valid) ? NAN : (float)json_number_value(valid);
	}
	json_decref(o);
	return good;
}

static int parse_all(const char *path, const char *text, struct metrics **out, size_t *count)
{
	size_t room = 0;
	const char *end;

	for (const char *at = text; (end = strchr(at, '\n')); at = end + 1) {
		if (*count == room) {
			struct metrics *grown = realloc(*out, (room = 2 * room + 64) * sizeof(*grown));
			if (!grown)
				return hlx_fail(HLX_ENOMEM, "out of memory");
			*out = grown;
		}
		(*out)[*count] = (struct metrics){ 0 };
		if (!parse(at, (size_t)(end - at), *out + *count) || (*count && (*out)[*count].step <= (*out)[*count - 1].step))
			return hlx_fail(HLX_EIO, "%s: line %zu is damaged", path, *count + 1);
		++*count;
	}
	return 0;
}

int metrics_read(const char *folder, struct metrics **out, size_t *count)
{
	struct journal j;
	char *text = NULL;
	int status = journal_view(folder, "metrics.jsonl", &j);

	*out = NULL;
	*count = 0;
	if (status >= 0)
		status = journal_text(&j, &text);
	if (status >= 0)
		status = parse_all(j.path, text, out, count);
	if (status < 0) {
		free(*out);
		*out = NULL;
	}
	free(text);
	journal_close(&j);
	return status;
}
