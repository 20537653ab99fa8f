#include "runner/progress.h"
#include "runner/tokenizer.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

double progress_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Closed, where main() has put what can be read only in its place: a run that nobody watches goes on. */
static bool is_closed(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || (flags & O_ACCMODE) == O_RDONLY;
}

void progress_begin(struct progress *p, bool quiet, uint64_t first, uint64_t total, uint64_t log_every)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool terminal = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");

	quiet |= is_closed(STDOUT_FILENO);
	*p = (struct progress){ .quiet = quiet, .live = terminal && !quiet, .color = terminal && !(no_color && *no_color),
		.first = first, .total = total, .log_every = log_every, .begin = progress_now() };
}

void progress_time(double seconds, char out[32])
{
	unsigned long s = (unsigned long)(seconds + 0.5);

	if (s >= 3600)
		snprintf(out, 32, "%lu h %02lu m", s / 3600, s / 60 % 60);
	else if (s >= 60)
		snprintf(out, 32, "%lu m %02lu s", s / 60, s % 60);
	else
		snprintf(out, 32, "%lu s", s);
}

static void clear(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stdout);
	p->drawn = false;
}

int progress_say(struct progress *p, const char *fmt, ...)
{
	va_list ap;

	if (p->quiet)
		return 0;
	clear(p);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	return cli_flush();
}

static int columns(void)
{
	const char *said = getenv("COLUMNS");
	struct winsize w;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col)
		return w.ws_col;
	return said && atoi(said) > 0 ? atoi(said) : 80;
}

/* step 120/1300 [##------------------]   9 %  ETA 8 m 05 s  loss 2.8312  lr 3.0e-04  norm 1.21  412 ms  2485 tok/s  0123abcd */
enum { STEP, BAR, PERCENT, LEFT, LOSS, RATE, NORM, TIME, SPEED, HASH, PARTS };

static void write_parts(const struct progress *p, const struct metrics *m, char part[PARTS][64])
{
	double now = progress_now(), done = (double)(m->step - p->first), share = p->total ? (double)m->step / (double)p->total : 1;
	int fill = (int)(share * 20);
	char left[32];

	progress_time((double)(p->total - m->step) * (now - p->begin) / (done > 0 ? done : 1), left);
	snprintf(part[STEP], 64, "step %llu/%llu", (unsigned long long)m->step, (unsigned long long)p->total);
	snprintf(part[BAR], 64, " [%.*s%.*s]", fill, "####################", 20 - fill, "--------------------");
	snprintf(part[PERCENT], 64, " %3.0f %%", 100 * share);
	snprintf(part[LEFT], 64, "  ETA %s", left);
	snprintf(part[LOSS], 64, "  loss %.4f", (double)m->loss);
	snprintf(part[RATE], 64, "  lr %.2e", (double)m->lr);
	snprintf(part[NORM], 64, "  norm %.3g", (double)m->grad_norm);
	snprintf(part[TIME], 64, "  %.0f ms", m->ms);
	snprintf(part[SPEED], 64, "  %.0f tok/s", m->tokens_per_s);
	snprintf(part[HASH], 64, "  %08x", (unsigned)(m->hash >> 32));
}

/* What can be done without goes, as long as the line does not fit: one that wraps could not be taken back. */
static void fit(char part[PARTS][64], size_t width)
{
	static const unsigned char first_to_go[] = { BAR, NORM, RATE, TIME, HASH, SPEED, PERCENT, LEFT, LOSS };
	size_t length = 0;

	for (size_t i = 0; i < PARTS; i++)
		length += strlen(part[i]);
	for (size_t i = 0; i < CLI_COUNT(first_to_go) && length > width; i++) {
		length -= strlen(part[first_to_go[i]]);
		part[first_to_go[i]][0] = '\0';
	}
}

static void draw(struct progress *p, const struct metrics *m)
{
	double now = progress_now();
	char part[PARTS][64];

	if (m->step != p->total && p->drawn && now - p->drawn_at < 0.1) /* fast steps need no more than 10 lines a second */
		return;
	write_parts(p, m, part);
	fit(part, (size_t)columns() - 1);
	printf("\r%s", p->color ? "\033[36m" : "");
	for (size_t i = 0; i < PARTS; i++)
		fputs(part[i], stdout);
	printf("%s\033[K", p->color ? "\033[0m" : "");
	p->drawn = true;
	p->drawn_at = now;
}

int progress_step(struct progress *p, const struct metrics *m)
{
	char line[METRICS_LINE];

	if (p->json) {
		fwrite(line, 1, metrics_line(m, line), stdout);
		return cli_flush();
	}
	if (p->live && !p->quiet && !m->has_valid) {
		draw(p, m);
		return cli_flush();
	}
	if (!m->has_valid && m->step != p->first + 1 && m->step != p->total && m->step % p->log_every)
		return 0;
	if (!m->has_valid)
		return progress_say(p, "step %llu/%llu  loss %.4f  lr %.2e  norm %.3g  %.0f ms  %.0f tok/s  %08x",
				(unsigned long long)m->step, (unsigned long long)p->total, (double)m->loss,
				(double)m->lr, (double)m->grad_norm, m->ms, m->tokens_per_s, (unsigned)(m->hash >> 32));
	return progress_say(p, "step %llu/%llu  loss %.4f  lr %.2e  norm %.3g  %.0f ms  %.0f tok/s  %08x  %svalidation %.4f%s",
			(unsigned long long)m->step, (unsigned long long)p->total, (double)m->loss, (double)m->lr,
			(double)m->grad_norm, m->ms, m->tokens_per_s, (unsigned)(m->hash >> 32), p->color ? "\033[1m" : "", (double)m->valid_loss,
			p->color ? "\033[0m" : "");
}

int progress_text(struct progress *p, const char *title, const char *bytes, size_t n)
{
	if (p->quiet)
		return 0;
	clear(p);
	printf("%s----- %s -----%s\n", p->color ? "\033[2m" : "", title, p->color ? "\033[0m" : "");
	tokenizer_print(stdout, bytes, n);
	printf("%s%s-----%s\n", n && bytes[n - 1] == '\n' ? "" : "\n", p->color ? "\033[2m" : "", p->color ? "\033[0m" : "");
	return cli_flush();
}

int progress_end(struct progress *p)
{
	clear(p);
	return cli_flush();
}
