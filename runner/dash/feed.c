/*
 * feed.c - server-sent events from files that grow: "reset" (a run's name) before anything of it, and where its file was
 * cut; "metrics" and "samples" (the name, then lines as they are in metrics.jsonl and samples.txt).
 */
#include "runner/dash/dash.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { METRICS, SAMPLES, FILES };
static const char *const file_name[FILES] = { "metrics.jsonl", "samples.txt" };
static const char *const event_name[FILES] = { "metrics", "samples" };

enum {
	PART = 1 << 18,  /* bytes of a file at a time */
	NAP = 200,       /* ms between looks */
	HEARTBEAT = 2000 /* ms of nothing, after which a reader that has gone is found out */
};

struct tail {
	char *name, *path;
	bool begun;
	uint64_t sent[FILES];
};

struct feed {
	const char *dir;
	const atomic_bool *quit;
	struct tail tail[DASH_RUNS];
	size_t tails;
	char *text; /* of it, [at, size) waits to be sent */
	size_t at, size;
};

struct feed *feed_create(const char *dir, const atomic_bool *quit)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (f) {
		f->dir = dir;
		f->quit = quit;
	}
	return f;
}

bool feed_add(struct feed *f, const char *name)
{
	struct tail *t = &f->tail[f->tails];

	if (f->tails == DASH_RUNS || strpbrk(name, "\r\n"))
		return false;
	*t = (struct tail){ .name = strdup(name), .path = dash_run(f->dir, name) };
	f->tails++;
	return t->name && t->path;
}

void feed_destroy(struct feed *f)
{
	for (size_t i = 0; f && i < f->tails; i++) {
		free(f->tail[i].name);
		free(f->tail[i].path);
	}
	if (f)
		free(f->text);
	free(f);
}

static void write_event(FILE *out, const char *event, const char *name, const char *text, size_t size)
{
	fprintf(out, "event: %s\ndata: %s\n", event, name);
	for (size_t i = 0; i < size; i++) {
		if (!i || text[i - 1] == '\n')
			fputs("data: ", out);
		fputc(text[i] == '\r' ? ' ' : text[i], out); /* \r would end the line */
	}
	fputs("\n", out);
}

/* The whole lines that are new. */
static void look_into(FILE *out, struct tail *t, int which)
{
	struct journal j;
	char *part = NULL, last = '\n';
	uint64_t n = 0;

	if (journal_view(t->path, file_name[which], &j) >= 0) {
		if (t->sent[which] && (j.size < t->sent[which] || journal_read(&j, t->sent[which] - 1, 1, &last) < 0 || last != '\n'))
			*t = (struct tail){ .name = t->name, .path = t->path };
		n = j.size - t->sent[which] < PART ? j.size - t->sent[which] : PART;
		part = malloc(n + 1);
	}
	if (!t->begun)
		write_event(out, "reset", t->name, "", 0);
	t->begun = true;
	if (part && n && journal_read(&j, t->sent[which], n, part) >= 0) {
		char *end = memrchr(part, '\n', n);
		n = end ? (uint64_t)(end + 1 - part) : 0;
		if (n)
			write_event(out, event_name[which], t->name, part, n);
		t->sent[which] += n;
	}
	free(part);
	journal_close(&j);
}

static bool look(struct feed *f)
{
	FILE *out;

	free(f->text);
	f->text = NULL;
	f->at = f->size = 0;
	out = open_memstream(&f->text, &f->size);
	for (size_t i = 0; out && i < f->tails; i++)
		for (int which = 0; which < FILES; which++)
			look_into(out, &f->tail[i], which);
	return out && !fclose(out) && f->size;
}

ssize_t feed_read(struct feed *f, char *out, size_t room)
{
	static const char beat[] = ": still here\n\n";
	const struct timespec nap = { .tv_nsec = NAP * 1000000l };
	int waited = 0;

	while (f->at == f->size && !look(f)) {
		if (*f->quit)
			return -1;
		nanosleep(&nap, NULL);
		waited += NAP;
		if (waited >= HEARTBEAT && room >= sizeof beat - 1) {
			memcpy(out, beat, sizeof beat - 1);
			return (ssize_t)(sizeof beat - 1);
		}
	}
	if (*f->quit)
		return -1;
	if (room > f->size - f->at)
		room = f->size - f->at;
	memcpy(out, f->text + f->at, room);
	f->at += room;
	return (ssize_t)room;
}
