/* main.c - hlxt: picks the command, and turns its status into one line and an exit status. */
#include "runner/cli.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int exit_status(int status)
{
	switch (status) {
	case HLX_EINVAL: case HLX_ESHAPE: case HLX_EDTYPE: case HLX_ENOTSUP: return EXIT_CONFIG;
	case HLX_EPLUGIN: case HLX_EIO: return EXIT_INPUT;
	case HLX_EDEVICE: case HLX_ENOMEM: return EXIT_DEVICE;
	case HLX_EOUTPUT: return EXIT_OUTPUT;
	case HLX_ENUMERIC: return EXIT_DIFFERS;
	case CLI_USAGE: return EXIT_USAGE;
	case CLI_STOPPED: return EXIT_STOPPED;
	default: return status >= 0 ? 0 : EXIT_DIFFERS;
	}
}

static int run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct command *c;
	struct cli_args args;
	int status;

	if (!name)
		return hlx_fail(CLI_USAGE, "which command? hlxt --help lists them");
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
		return help(argc - 2, argv + 2);
	if (!strcmp(name, "--version")) {
		printf("hlxt %s\n", PACKAGE_VERSION);
		return 0;
	}
	CLI_TRY(cli_find_command(name, &c));
	status = options_parse(c, argc - 1, argv + 1, &args);
	return status ? status : c->run(&args);
}

/* Where one of 0, 1 and 2 is closed, the next file opened would become it, and what is printed go into the lock.  To read
 * only: what is written there is lost, which is to be an error. */
static void open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int status;

	open_standard();
	signal(SIGXFSZ, SIG_IGN); /* a file that grew past its limit is an error of the write, told like any other */
	status = run(argc, argv);
	if (status >= 0) {
		int flushed = cli_flush();
		status = flushed < 0 ? flushed : status;
	}
	if (status < 0)
		fprintf(stderr, "hlxt: %s\n", hlx_message());
	return exit_status(status);
}
