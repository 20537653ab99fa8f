/* plot.h - curves drawn by gnuplot, as SVG. */
#ifndef RUNNER_PLOT_H
#define RUNNER_PLOT_H

#include "runner/metrics.h"

struct plot_run {
	const char *name;
	struct metrics *step;
	size_t count;
};
/* Losses over steps; *svg is new.  HLX_ENOTSUP where gnuplot is not there. */
int plot_draw(const struct plot_run *, size_t runs, bool log_x, bool log_y, char **svg, size_t *size);

#endif
