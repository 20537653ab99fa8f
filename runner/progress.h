/* progress.h - what a person sees of a run: a line now and then; on a terminal a live line with a bar and the time left. */
#ifndef RUNNER_PROGRESS_H
#define RUNNER_PROGRESS_H

#include "runner/metrics.h"

struct progress {
	bool quiet, live, color, drawn;
	bool json; /* lines of metrics.jsonl, whatever quiet says */
	uint64_t first, total, log_every;
	double begin, drawn_at; /* seconds */
};

double progress_now(void);
void progress_begin(struct progress *, bool quiet, uint64_t first, uint64_t total, uint64_t log_every);
/* Each returns HLX_EOUTPUT where standard output takes no more. */
int progress_say(struct progress *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int progress_step(struct progress *, const struct metrics *);
int progress_text(struct progress *, const char *title, const char *bytes, size_t n);
/* Takes the live line away. */
int progress_end(struct progress *);
/* "1 h 02 m", "3 m 20 s", "12 s". */
void progress_time(double seconds, char out[32]);

#endif
