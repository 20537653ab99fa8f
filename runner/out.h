/*
 * out.h - what a command writes: aside first, then synced, then under its name: whole or not there.
 *
 *     PATH.1234.partial --rename--> PATH        1234: a process, so that two that write the same thing do not meet
 */
#ifndef RUNNER_OUT_H
#define RUNNER_OUT_H

#include "runner/cli.h"

struct json_t;

struct out {
	char *path, *aside; /* aside: NULL where there is nothing yet */
	FILE *f;            /* a file's */
};
/* HLX_EOUTPUT where something is at path, but for an empty folder where a folder is to be. */
int out_new(const char *path, bool folder);
/* A file: what was written there before stays until the end.  HLX_EOUTPUT where path is none. */
int out_open(const char *path, struct out *);
/* A folder, to be filled at aside. */
int out_folder(const char *path, struct out *);
/* HLX_EOUTPUT, by errno. */
int out_failed(const struct out *);
/* Synced, renamed; with a status that is an error, removed.  Returns that status, or an error of its own; also after an
 * open that failed. */
int out_end(struct out *, int status);

/* A file with this in it; the JSON, indented, is freed, and out of memory where it is NULL. */
int out_text(const char *path, const char *text, size_t size);
int out_json(const char *dir, const char *name, struct json_t *);
/* The file `from`, and that called name of the folder `from`, into a folder, as name. */
int out_copy(const char *from, const char *to, const char *name);
int out_copy_in(const char *from, const char *to, const char *name);

#endif
