/*
 * dash.h - hlxt dash: a page on 127.0.0.1 that follows runs by their files.
 *
 *     /  /page.css  /page.js  /uplot.js  /uplot.css  /uplot.txt    assets.c
 *     /runs                 names, a JSON array                    runs.c
 *     /config?run=A         run.ini as it is
 *     /same?a=A&b=B         {"through": N, "of": M}, by the chains
 *     /events?run=A&run=B   server-sent events                     feed.c
 *
 * The name of a run is that of a folder in DIR, or "." for DIR itself.
 */
#ifndef RUNNER_DASH_H
#define RUNNER_DASH_H

#include "runner/folder.h"

#include <stdatomic.h>
#include <sys/types.h>

enum { DASH_RUNS = 16 }; /* that one page follows at a time */

/* A file of the page, built in; size 0: not built in. */
struct dash_asset {
	const char *path, *type;
	const unsigned char *at;
	size_t size;
};
const struct dash_asset *dash_asset(const char *path);

/* New strings; NULL where there is no such run, or memory is out. */
char *dash_run(const char *dir, const char *name);
char *dash_runs(const char *dir);
char *dash_config(const char *dir, const char *name);
char *dash_same(const char *dir, const char *a, const char *b);

/* What of some runs' files was not sent yet. */
struct feed;
struct feed *feed_create(const char *dir, const atomic_bool *quit);
/* false: too many, or no such run. */
bool feed_add(struct feed *, const char *name);
void feed_destroy(struct feed *);
/* Waits for something to send: bytes, or -1 once *quit. */
ssize_t feed_read(struct feed *, char *out, size_t room);

#endif
