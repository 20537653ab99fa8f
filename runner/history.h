/*
 * history.h - which configuration made which steps of a run.
 *
 *   steps      | 1 ...           12 | 13 ...       31 | 32 ...
 *   resolved   | run-0.ini          | run-12.ini      | run-31.ini, and run.ini
 *
 * A checkpoint says in state.json which of them it was made with, and its hash (conf_fingerprint).  resume adds one where it
 * goes on with other settings; verify replays each step with its own.
 */
#ifndef RUNNER_HISTORY_H
#define RUNNER_HISTORY_H

#include "runner/checkpoint.h"

struct history {
	const char *folder;
	uint64_t *since; /* ascending */
	size_t count;
};

/* HLX_EIO where it is of no step 1. */
int history_read(const char *folder, struct history *out);
void history_free(struct history *);
/* Which one the step was made with; step > 0. */
size_t history_of(const struct history *, uint64_t step);
/* Reads one, with args->set on top; where its data lies, run.ini says. */
int history_open(const struct history *, size_t i, const struct cli_args *, struct conf *);
/* HLX_EIO where it is not what the run's checkpoints from `from` to `to` were made with. */
int history_check(const struct history *, size_t i, uint64_t from, uint64_t to);

/* A number of run-<since>.ini, of one that it has resolved; 0 where it has none. */
int history_number(const char *folder, uint64_t since, const char *section, const char *key, int64_t *out);
/* keep_every by steps; *out is new. */
int history_kept(const char *folder, struct checkpoint_kept **out, size_t *count);

/*
 * The state at goes on with c, resolved.  Refuses what would make another run; *said (room 512) names what has changed since, and
 * is "" where nothing has that counts.
 */
int history_compare(const char *folder, const struct checkpoint *at, struct conf *c, char *said);
/* HLX_EINVAL where c, of the run's run.ini as it is now, describes another model than the one that at holds. */
int history_same_model(const char *folder, const struct checkpoint *at, const struct conf *c);
/* Writes run.ini and, where other is set, begins with at->step and sets at's; what came after at goes. */
int history_go_on(const struct folder *, struct checkpoint *at, struct conf *c, bool other);

#endif
