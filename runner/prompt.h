/* prompt.h - what a sample begins with: bytes of the command line, a file or standard input. */
#ifndef RUNNER_PROMPT_H
#define RUNNER_PROMPT_H

#include "runner/cli.h"

/* More than any window holds: a corpus given for a prompt is a mistake that should not take all memory. */
#define PROMPT_MAX (16u << 20)

struct prompt {
	char *bytes;
	size_t size;
};

/* Of --prompt or --prompt-file, which exclude each other; empty where neither is given. */
int prompt_read(const struct cli_args *, struct prompt *);
void prompt_free(struct prompt *);
/* In front of a message about the prompt: which option it came by. */
const char *prompt_option(const struct cli_args *);

#endif
