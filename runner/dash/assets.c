/* assets.c - the page, and uPlot where configure was told --with-uplot. */
#include "runner/dash/dash.h"
#include "runner/dash/page.h"

#include <string.h>

#if !HAVE_UPLOT /* the page asks for them all the same, finds no uPlot in them and says so */
static const unsigned char uplot_js[] = { '\n' }, uplot_css[] = { '\n' };
#endif
static const struct dash_asset assets[] = {
	{ "/", "text/html; charset=utf-8", page_html, sizeof page_html },
	{ "/page.css", "text/css; charset=utf-8", page_css, sizeof page_css },
	{ "/page.js", "text/javascript; charset=utf-8", page_js, sizeof page_js },
	{ "/uplot.js", "text/javascript; charset=utf-8", uplot_js, sizeof uplot_js },
	{ "/uplot.css", "text/css; charset=utf-8", uplot_css, sizeof uplot_css },
#if HAVE_UPLOT
	{ "/uplot.txt", "text/plain; charset=utf-8", uplot_txt, sizeof uplot_txt }, /* its licence */
#endif
};

const struct dash_asset *dash_asset(const char *path)
{
	for (size_t i = 0; i < CLI_COUNT(assets); i++)
		if (!strcmp(path, assets[i].path))
			return &assets[i];
	return NULL;
}
