#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static _Thread_local char message[1024] = "";

const char *hlx_message(void)
{
	return message;
}

void hlx_one_line(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++)
		if (*c < ' ' || *c == 0x7f)
			*c = ' ';
}

int hlx_vfail(int status, const char *fmt, va_list ap)
{
	char line[sizeof(message)]; /* an argument may be the old message */

	vsnprintf(line, sizeof(line), fmt, ap);
	hlx_one_line(line);
	memcpy(message, line, sizeof(line));
	return status;
}

int hlx_fail(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	hlx_vfail(status, fmt, ap);
	va_end(ap);
	return status;
}

int hlx_prefix(int status, const char *fmt, ...)
{
	char front[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(front, sizeof(front), fmt, ap);
	va_end(ap);
	return hlx_fail(status, "%s%s", front, message);
}

int hlx_no_memory(void)
{
	return hlx_fail(HLX_ENOMEM, "out of memory");
}

/* Levenshtein's distance, one row at a time; words here are short. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[65];
	size_t n = strlen(b);

	if (n > 64 || strlen(a) > 64)
		return 99;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
	}
	return row[n];
}

const char *hlx_nearest(const char *word, const char *const *names, size_t count)
{
	const char *best = NULL;
	unsigned limit = (unsigned)strlen(word) / 2 + 1, d;

	for (size_t i = 0; i < count; i++)
		if (names[i] && (d = distance(word, names[i])) <= limit && d < 99) {
			best = names[i];
			limit = d ? d - 1 : 0;
			if (!d)
				break;
		}
	return best;
}

const char *hlx_hint(const char *word, const char *const *names, size_t count)
{
	static _Thread_local char hint[128];
	const char *near = hlx_nearest(word, names, count);

	hint[0] = '\0';
	if (near)
		snprintf(hint, sizeof(hint), " (did you mean %s?)", near);
	return hint;
}

const char *hlx_choices(const char *word, const char *const *names, size_t count)
{
	static _Thread_local char text[512];
	int n = snprintf(text, sizeof(text), "%.60s%s: want ", word, hlx_hint(word, names, count));

	for (size_t i = 0; i < count && n < (int)sizeof(text); i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", !i ? "" : i + 1 < count ? ", " : " or ", names[i]);
	return text;
}
