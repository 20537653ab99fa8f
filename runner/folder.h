/*
 * folder.h - a run's folder: who may use it, and files in it that are whole or not there.
 *
 *     run.ini  run-N.ini  metrics.jsonl  chain  tensors  samples.txt  lock  checkpoints/step-N/
 */
#ifndef RUNNER_FOLDER_H
#define RUNNER_FOLDER_H

#include "runner/cli.h"

struct folder {
	char *path;
	int lock;         /* the lock ends with the process, or when this is closed */
	size_t made_from; /* folder_discard removes path and its parents down to this length; SIZE_MAX: nothing */
};

/* HLX_EOUTPUT where path holds a run or is none of ours; touches nothing. */
int folder_check(const char *path);
/* Makes it, with what it lies in, and locks it. */
int folder_create(const char *path, struct folder *out);
/* Locks an existing run's folder, and removes the INI files that a killed run has left half written. */
int folder_open(const char *path, struct folder *out);
/* HLX_EIO: the folder has no checkpoint, and what it is therefore. */
int folder_without(const char *path);
void folder_close(struct folder *);
/* Undoes folder_create, with everything of a run that is in it. */
void folder_discard(struct folder *);

/* Written aside, synced, renamed. */
int folder_write(const struct folder *, const char *name, const char *text, size_t size);
/* The entries of a folder are on the disk. */
int folder_sync(const char *path);
/* The numbers N of entries <before>N<after>, ascending; *out is new. */
size_t folder_numbers(const char *path, const char *before, const char *after, uint64_t **out);
/* A folder with the files in it; quiet. */
void folder_remove(const char *path);

/* A file that only grows, by whole lines or records. */
struct journal {
	char *path;
	int fd;
	uint64_t size;
};
int journal_open(const struct folder *, const char *name, struct journal *out);
/* To read only. */
int journal_view(const char *folder, const char *name, struct journal *out);
/* All of text, or nothing of it. */
int journal_append(struct journal *, const char *text, size_t size);
int journal_cut(struct journal *, uint64_t size);
int journal_sync(struct journal *);
/* Bytes [offset, offset + size). */
int journal_read(const struct journal *, uint64_t offset, uint64_t size, char *out);
/* All of it, ending with NUL; new. */
int journal_text(const struct journal *, char **out);
void journal_close(struct journal *);

#endif
