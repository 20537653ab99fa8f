/* out.h - what a command writes: aside first, then under its name, whole or not there. */
#ifndef RUNNER_OUT_H
#define RUNNER_OUT_H

#include "runner/cli.h"

/* HLX_EOUTPUT where path is there and is no empty folder.  *aside: path and ".partial", for the caller to make (a folder is
 * made); new, freed by out_end. */
int out_begin(const char *path, bool folder, char **aside);
/* status >= 0: synced, renamed; else removed.  Returns status, or what went wrong. */
int out_end(const char *path, char *aside, int status);

/* The file `from`, and that called name of the folder `from`, into a folder, as name, which is not there yet. */
int out_copy(const char *from, const char *to, const char *name);
int out_copy_in(const char *from, const char *to, const char *name);

#endif
