/* outfile.h - a file that appears whole or not at all: written aside, synced, renamed. */
#ifndef RUNNER_OUTFILE_H
#define RUNNER_OUTFILE_H

#include "runner/cli.h"

struct outfile {
	char *path, *aside;
	FILE *f;
};
int outfile_open(const char *path, struct outfile *out);
/* HLX_EOUTPUT, by errno. */
int outfile_failed(const struct outfile *);
/* With a status that is an error, nothing is left of it.  Returns that status, or its own error. */
int outfile_close(struct outfile *, int status);

#endif
