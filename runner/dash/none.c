/* none.c - hlxt dash where libmicrohttpd was not there when hlx was built. */
#include "runner/cli.h"

static int dash(const struct cli_args *args)
{
	(void)args;
	return hlx_fail(HLX_ENOTSUP, "dash: this hlxt was built without libmicrohttpd: apt install libmicrohttpd-dev | "
			"dnf install libmicrohttpd-devel | pacman -S libmicrohttpd, then configure and make again");
}

const struct command command_dash = {
	"dash", "DIR", "show runs in a browser while they train (not built in)", NULL, NULL, { OPT_PORT }, dash, NULL
};
