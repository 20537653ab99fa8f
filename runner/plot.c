/* plot.c - hlxt plot RUN...: the losses of runs, laid over each other. */
#include "runner/plot.h"
#include "runner/out.h"

#include <stdlib.h>

static int write_svg(const char *path, const char *svg, size_t size)
{
	if (path)
		return out_text(path, svg, size);
	fwrite(svg, 1, size, stdout);
	return cli_flush();
}

static int plot(const struct cli_args *args)
{
	size_t n = 1 + (size_t)args->n_words, size = 0;
	struct plot_run *run = calloc(n, sizeof(*run));
	char *svg = NULL;
	int status = run ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	for (size_t i = 0; i < n && status >= 0; i++) {
		run[i].name = i ? args->words[i - 1] : args->operand;
		status = metrics_read(run[i].name, &run[i].step, &run[i].count);
		if (status >= 0 && !run[i].count)
			status = hlx_fail(HLX_EIO, "%s/metrics.jsonl: has no step yet", run[i].name);
	}
	if (status >= 0)
		status = plot_draw(run, n, args->log_x, args->log_y, &svg, &size);
	if (status >= 0)
		status = write_svg(args->out, svg, size);
	for (size_t i = 0; run && i < n; i++)
		free(run[i].step);
	free(run);
	free(svg);
	return status;
}

const struct command command_plot = {
	"plot", "RUN...", "draw the losses of runs as SVG",
	"RUN is a run's folder, which may be in use. Lines are the loss of training, points on a line that of "
	"validation; more than 2000 steps are drawn as 2000 means. gnuplot does it, which must be installed.",
	"hlxt plot runs/tiny other --out loss.svg\n",
	{ OPT_SVG, OPT_LOG_X, OPT_LOG_Y }, plot, NULL
};
