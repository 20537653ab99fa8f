#include "runner/metrics.h"

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
	n += snprintf(line + n, sizeof line - (size_t)n, ", \"hash\": \"%016" PRIx64 "\"}\n", m->hash);
	return journal_append(j, line, (size_t)n);
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
