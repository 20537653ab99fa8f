#include "runner/prompt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Pipes have no size: room doubles. */
static int read_all(FILE *f, const char *name, struct prompt *p)
{
	size_t room = 0, n;

	do {
		if (p->size == room) {
			char *grown = realloc(p->bytes, room = room ? 2 * room : 4096);
			if (!grown)
				return hlx_fail(HLX_ENOMEM, "out of memory");
			p->bytes = grown;
		}
		p->size += n = fread(p->bytes + p->size, 1, room - p->size, f);
		if (p->size > PROMPT_MAX)
			return hlx_fail(HLX_EIO, "--prompt-file %s: longer than %u MiB", name, PROMPT_MAX >> 20);
	} while (n);
	return ferror(f) ? hlx_fail(HLX_EIO, "--prompt-file %s: %s", name, strerror(errno)) : 0;
}

static int read_file(const char *name, struct prompt *p)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "rb") : stdin;
	int status;

	if (!f)
		return hlx_fail(HLX_EIO, "--prompt-file %s: %s", name, strerror(errno));
	status = read_all(f, name, p);
	if (f != stdin)
		fclose(f);
	return status;
}

int prompt_read(const struct cli_args *args, struct prompt *p)
{
	*p = (struct prompt){ 0 };
	if (args->prompt && args->prompt_file)
		return hlx_fail(CLI_USAGE, "--prompt and --prompt-file: want one of them");
	if (args->prompt_file)
		return read_file(args->prompt_file, p);
	p->size = args->prompt ? strlen(args->prompt) : 0;
	p->bytes = strdup(args->prompt ? args->prompt : "");
	return p->bytes ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
}

void prompt_free(struct prompt *p)
{
	free(p->bytes);
	*p = (struct prompt){ 0 };
}

const char *prompt_option(const struct cli_args *args)
{
	return args->prompt_file ? "--prompt-file" : "--prompt";
}
