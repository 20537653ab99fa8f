/*
 * plot_draw.c - a script for gnuplot, its data in it, and what gnuplot makes of that.  Both go through files without a
 * name: a pipe each way would need both ends served at a time.
 */
#include "runner/plot.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POINTS = 2000 }; /* of a curve: more than the width of a screen, and an SVG of 100 KB */

/* In single quotes, where gnuplot knows only '' for one; what is no text would be no XML. */
static void write_title(FILE *f, const char *name, const char *what)
{
	json_t *text = json_string(name); /* NULL where it is not UTF-8 */

	fputc('\'', f);
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c == '\'')
			fputs("''", f);
		else
			fputc(*c < 0x20 || *c == 0x7f || (*c >= 0x80 && !text) ? '?' : *c, f);
	fprintf(f, "%s'", what);
	json_decref(text);
}

/* Means of equal parts, the last one shorter. */
static void write_train(FILE *f, const struct plot_run *r)
{
	size_t part = (r->count + POINTS - 1) / POINTS;

	for (size_t i = 0; i < r->count; i += part) {
		size_t n = r->count - i < part ? r->count - i : part;
		double step = 0, loss = 0;
		for (size_t k = i; k < i + n; k++) {
			step += (double)r->step[k].step;
			loss += (double)r->step[k].loss;
		}
		fprintf(f, "%.9g %.9g\n", step / (double)n, loss / (double)n);
	}
}

static size_t write_valid(FILE *f, const struct plot_run *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->step[i].has_valid && isfinite(r->step[i].valid_loss)) {
			fprintf(f, "%llu %.9g\n", (unsigned long long)r->step[i].step, (double)r->step[i].valid_loss);
			n++;
		}
	return n;
}

static void write_script(FILE *f, const struct plot_run *run, size_t runs, bool log_x, bool log_y)
{
	/* told apart by most eyes, also those that do not see red from green (Okabe and Ito) */
	static const char *const color[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000" };

	fputs("set encoding utf8\nset terminal svg size 960,600 dynamic noenhanced font 'sans-serif,14' background 'white'\n"
			"set xlabel 'step'\nset ylabel 'loss (nats a token)'\nset grid lc '#dddddd'\nset key outside top center horizontal\n", f);
	fprintf(f, "%s%s", log_x ? "set logscale x\n" : "", log_y ? "set logscale y\n" : "");
	for (size_t i = 0; i < runs; i++) {
		fprintf(f, "$train%zu << EOD\n", i);
		write_train(f, &run[i]);
		fprintf(f, "EOD\n$valid%zu << EOD\n", i);
		if (!write_valid(f, &run[i]))
			fputs("NaN NaN\n", f); /* an empty block is an error, and no point is what is meant */
		fputs("EOD\n", f);
	}
	for (size_t i = 0; i < runs; i++) {
		const char *c = color[i % CLI_COUNT(color)];
		fprintf(f, "%s$train%zu using 1:2 with lines lw 1 lc '%s' title ", i ? ", " : "plot ", i, c);
		write_title(f, run[i].name, "");
		fprintf(f, ", $valid%zu using 1:2 with linespoints lw 2 pt 7 ps 0.5 lc '%s' title ", i, c);
		write_title(f, run[i].name, ", validation");
	}
	fputc('\n', f);
}

/* Does not come back where gnuplot is there. */
static void become_gnuplot(FILE *in, FILE *out, FILE *err)
{
	if (dup2(fileno(in), STDIN_FILENO) >= 0 && dup2(fileno(out), STDOUT_FILENO) >= 0 && dup2(fileno(err), STDERR_FILENO) >= 0)
		execlp("gnuplot", "gnuplot", "--default-settings", "-", (char *)NULL);
	_exit(errno == ENOENT ? 127 : 126);
}

static int read_all(FILE *f, char **text, size_t *size)
{
	long n = fseek(f, 0, SEEK_END) ? -1 : ftell(f);

	rewind(f);
	*text = n < 0 ? NULL : malloc((size_t)n + 1);
	if (!*text || fread(*text, 1, (size_t)n, f) != (size_t)n)
		return hlx_fail(HLX_EOUTPUT, "what gnuplot wrote cannot be read: %s", strerror(errno));
	(*text)[n] = '\0';
	*size = (size_t)n;
	return 0;
}

static int blame(FILE *err, int ended)
{
	char *text = NULL;
	size_t size;
	int status;

	if (WIFEXITED(ended) && WEXITSTATUS(ended) == 127)
		return hlx_fail(HLX_ENOTSUP, "plot: needs gnuplot, which is not in PATH: "
				"apt install gnuplot-nox | dnf install gnuplot | pacman -S gnuplot");
	status = read_all(err, &text, &size);
	if (status >= 0)
		status = hlx_fail(HLX_ENOTSUP, "plot: gnuplot failed: %.200s", *text ? text : "it did not say why");
	free(text);
	return status;
}

static int call_gnuplot(FILE *in, FILE *out, FILE *err, char **svg, size_t *size)
{
	int ended = 0;
	pid_t child;

	if (fflush(in) || ferror(in) || fseek(in, 0, SEEK_SET))
		return hlx_fail(HLX_EOUTPUT, "plot: a temporary file: %s", strerror(errno));
	child = fork();
	if (!child)
		become_gnuplot(in, out, err);
	if (child < 0)
		return hlx_fail(HLX_ENOMEM, "plot: fork: %s", strerror(errno));
	while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(ended) || WEXITSTATUS(ended))
		return blame(err, ended);
	CLI_TRY(read_all(out, svg, size));
	return strstr(*svg, "</svg>") ? 0 : blame(err, ended);
}

int plot_draw(const struct plot_run *run, size_t runs, bool log_x, bool log_y, char **svg, size_t *size)
{
	FILE *file[3] = { tmpfile(), tmpfile(), tmpfile() };
	int status;

	*svg = NULL;
	if (file[0] && file[1] && file[2]) {
		write_script(file[0], run, runs, log_x, log_y);
		status = call_gnuplot(file[0], file[1], file[2], svg, size);
	} else {
		status = hlx_fail(HLX_EOUTPUT, "plot: a temporary file: %s", strerror(errno));
	}
	for (size_t i = 0; i < CLI_COUNT(file); i++)
		if (file[i])
			fclose(file[i]);
	return status;
}
