#include "runner/check_jobs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 8u /* at a time: each has a device of its own, and its memory */

/* A result is smaller than a pipe, so that nobody waits to be read. */
static void write_result(int fd, const struct check_result *r)
{
	const char *at = (const char *)r;
	size_t left = sizeof(*r);

	while (left) {
		ssize_t n = write(fd, at, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			_exit(1);
		at += n;
		left -= (size_t)n;
	}
}

static int start(struct check_job *j, void (*work)(void *ctx, struct check_job *), void *ctx)
{
	pid_t parent = getpid();
	int ends[2];

	fflush(NULL); /* or both would write what is left */
	if (pipe(ends))
		return hlx_fail(HLX_ENOMEM, "check: no pipe: %s", strerror(errno));
	j->pid = fork();
	if (j->pid < 0) {
		j->pid = 0;
		close(ends[0]);
		close(ends[1]);
		return hlx_fail(HLX_ENOMEM, "check: no further process: %s", strerror(errno));
	}
	if (!j->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody would read the row */
		if (getppid() != parent)
			_exit(1);
		close(ends[0]);
		work(ctx, j);
		fflush(NULL);
		write_result(ends[1], &j->result);
		_exit(0);
	}
	close(ends[1]);
	j->fd = ends[0];
	return 0;
}

/* Its process ended without a result: a failure of the first check that the row shows. */
static void blame(struct check_job *j, int how)
{
	struct hlx_suite_row *r = &j->result.row;
	struct hlx_verdict *v = &r->check[j->impl ? HLX_CHECK_BUILD : HLX_CHECK_WRITTEN];

	memset(&j->result, 0, sizeof(j->result));
	*r = (struct hlx_suite_row){ .op = j->op, .impl = j->impl, .reference = j->op->ref_forward != NULL };
	v->ran = v->failed = 1;
	if (WIFSIGNALED(how))
		snprintf(v->first, sizeof(v->first), "%s/%s: its process was ended by signal %d (%s)", j->op->name,
				j->impl ? j->impl->name : "reference", WTERMSIG(how), strsignal(WTERMSIG(how)));
	else
		snprintf(v->first, sizeof(v->first), "%s/%s: its process ended by itself, with status %d", j->op->name,
				j->impl ? j->impl->name : "reference", WEXITSTATUS(how));
}

static int end(struct check_job *j)
{
	int how = 0;

	close(j->fd);
	while (waitpid(j->pid, &how, 0) < 0 && errno == EINTR)
		;
	j->pid = 0;
	j->done = true;
	return how;
}

static void read_result(struct check_job *j)
{
	ssize_t n = read(j->fd, (char *)&j->result + j->got, sizeof(j->result) - j->got);
	int how;

	if (n > 0)
		j->got += (size_t)n;
	if (n > 0 ? j->got < sizeof(j->result) : n < 0 && errno == EINTR)
		return;
	how = end(j);
	if (j->got < sizeof(j->result))
		blame(j, how);
}

/* Until one of them has something to say. */
static void wait_for(struct check_job *job, size_t n)
{
	struct check_job *of[MOST];
	struct pollfd fd[MOST];
	nfds_t running = 0;

	for (size_t i = 0; i < n; i++)
		if (job[i].pid) {
			of[running] = &job[i];
			fd[running++] = (struct pollfd){ .fd = job[i].fd, .events = POLLIN };
		}
	if (poll(fd, running, -1) < 0)
		return;
	for (nfds_t i = 0; i < running; i++)
		if (fd[i].revents)
			read_result(of[i]);
}

static size_t count_running(const struct check_job *job, size_t n)
{
	size_t running = 0;

	for (size_t i = 0; i < n; i++)
		running += job[i].pid != 0;
	return running;
}

int check_jobs_run(struct check_job *job, size_t n, void (*work)(void *ctx, struct check_job *),
		int (*take)(void *ctx, const struct check_job *), void *ctx)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t most = processors < 1 ? 1 : processors > (long)MOST ? MOST : (size_t)processors, next = 0, taken = 0;
	int status = 0;

	while (taken < n && status >= 0) {
		if (next < n && count_running(job, next) < most) {
			status = start(&job[next++], work, ctx);
			continue;
		}
		wait_for(job, next);
		while (taken < next && job[taken].done && status >= 0)
			status = take(ctx, &job[taken++]);
	}
	for (size_t i = 0; i < next; i++)
		if (job[i].pid) {
			kill(job[i].pid, SIGKILL);
			end(&job[i]);
		}
	return status;
}
