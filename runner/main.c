/* main.c - hlxt: picks the command, and turns its status into one line and an exit status. */
#include "runner/conf_keys.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
	&command_run, &command_resume, &command_sample, &command_eval, &command_import, &command_export, &command_verify,
	&command_check, &command_plan, &command_bench, &command_plot, &command_dash, &command_tokenize, &command_ops,
	&command_devices,
};

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

static void print_help(void)
{
	printf("usage: hlxt COMMAND [argument] [option]...\n\n"
			"Trains transformers on any Vulkan device, with the same bits on each.\n\ncommands:\n");
	for (size_t i = 0; i < CLI_COUNT(commands); i++) {
		char left[48];
		snprintf(left, sizeof left, "%s %s", commands[i]->name, commands[i]->operand ? commands[i]->operand : "");
		printf("  %-22s %s\n", left, commands[i]->doc);
	}
	printf("\nhlxt COMMAND --help tells more, hlxt help ini the keys of an INI, man hlxt everything.\n"
			"Exit status: 0 done, 1 a difference or a loss that is not finite, 2 usage, 3 configuration,\n"
			"4 input (corpus, checkpoint, plugin), 5 device, 6 output, 130 interrupted with the state saved.\n");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < CLI_COUNT(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[CLI_COUNT(commands)];

	for (size_t i = 0; i < CLI_COUNT(commands); i++)
		names[i] = commands[i]->name;
	return hlx_fail(CLI_USAGE, "no %s %.40s%s; hlxt --help lists them", *name == '-' ? "option" : "command", name,
			cli_hint(name, names, CLI_COUNT(names)));
}

static int run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct command *c;
	struct cli_args args;
	int status;

	if (!name)
		return hlx_fail(CLI_USAGE, "which command? hlxt --help lists them");
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		if (argc > 2 && !strcmp(argv[2], "ini"))
			return conf_print_keys();
		c = argc > 2 ? find_command(argv[2]) : NULL;
		if (argc > 2 && !c)
			return unknown_command(argv[2]);
		if (c)
			options_help(c);
		else
			print_help();
		return 0;
	}
	if (!strcmp(name, "--version")) {
		printf("hlxt %s\n", PACKAGE_VERSION);
		return 0;
	}
	c = find_command(name);
	if (!c)
		return unknown_command(name);
	status = options_parse(c, argc - 1, argv + 1, &args);
	return status ? status : c->run(&args);
}

/* Where one of 0, 1 and 2 is closed, the next file opened would become it, and what is printed go into the lock. */
static void open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
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
