/* compile.c - the pipelines of a program, built side by side: a GPU's compiler takes 20 to 200 ms for each. */
#include "core/program/program.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_THREADS 16

struct work {
	struct hlx_pipelines *pipelines;
	struct hlx_pipeline **list; /* each once */
	uint32_t n;
	atomic_uint next;
	pthread_mutex_t lock;       /* of the two below: the first error */
	int status;
	char said[512];
};

static void *build_some(void *arg)
{
	struct work *w = arg;
	uint32_t i;
	int status;

	while ((i = atomic_fetch_add(&w->next, 1)) < w->n) {
		if ((status = hlx_pipeline_build(w->pipelines, w->list[i])) >= 0)
			continue;
		pthread_mutex_lock(&w->lock);
		if (w->status >= 0)
			snprintf(w->said, sizeof(w->said), "%s", hlx_message()); /* each thread has its own */
		w->status = w->status < 0 ? w->status : status;
		pthread_mutex_unlock(&w->lock);
		atomic_store(&w->next, w->n);
	}
	return NULL;
}

static unsigned count_threads(uint32_t jobs)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long n = cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : cores;

	return (unsigned)(n < (long)jobs ? n : (long)jobs);
}

static int build_all(struct hlx_pipelines *ps, struct hlx_pipeline **list, uint32_t n)
{
	struct work w = { .pipelines = ps, .list = list, .n = n, .lock = PTHREAD_MUTEX_INITIALIZER };
	unsigned threads = count_threads(n), started = 0;
	pthread_t thread[MAX_THREADS];

	while (started + 1 < threads && !pthread_create(&thread[started], NULL, build_some, &w))
		started++; /* what does not start, the others do */
	build_some(&w);
	for (unsigned i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	pthread_mutex_destroy(&w.lock);
	return w.status < 0 ? hlx_fail(w.status, "%s", w.said) : 0;
}

static bool is_listed(struct hlx_pipeline *const *list, uint32_t n, const struct hlx_pipeline *p)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i] == p)
			return true;
	return false;
}

int hlx_program_compile(struct hlx_program *p)
{
	struct hlx_pipeline **list = calloc(p->n_steps + 1, sizeof(*list));
	uint32_t n = 0;
	int status;

	if (!list)
		return hlx_no_memory();
	for (uint32_t i = 0; i < p->n_steps; i++)
		if (p->step[i].kind == HLX_DISPATCH && !p->step[i].pipeline->vk && !is_listed(list, n, p->step[i].pipeline))
			list[n++] = p->step[i].pipeline;
	status = build_all(p->dev->host.pipelines, list, n);
	free(list);
	return status;
}
