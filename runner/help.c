/* help.c - the commands, and what hlxt help prints of them. */
#include "runner/conf_keys.h"

#include <string.h>

const struct command *const cli_commands[] = {
	&command_run, &command_resume, &command_sample, &command_eval, &command_import, &command_export, &command_verify,
	&command_check, &command_plan, &command_bench, &command_plot, &command_dash, &command_tokenize, &command_ops,
	&command_devices, NULL
};

enum { WIDTH = 79 }; /* columns */

int cli_find_command(const char *name, const struct command **out)
{
	const char *names[CLI_COUNT(cli_commands)];
	size_t n = 0;

	for (; cli_commands[n]; n++) {
		names[n] = cli_commands[n]->name;
		if (!strcmp(names[n], name)) {
			*out = cli_commands[n];
			return 0;
		}
	}
	return hlx_fail(CLI_USAGE, "no %s %.40s%s; hlxt --help lists them", *name == '-' ? "option" : "command", name,
			cli_hint(name, names, n));
}

/* Paragraphs, from column on; the text stands there already. */
static void print_filled(const char *text, int column)
{
	int at = column;

	while (*text) {
		int n = (int)strcspn(text, " \n");

		if (at > column && at + n >= WIDTH)
			at = printf("\n%*s", column, "") - 1;
		at += printf("%s%.*s", at > column ? " " : "", n, text);
		text += n;
		if (text[0] == '\n' && text[1] == '\n')
			at = printf("\n\n%*s", column, "") - 2;
		text += strspn(text, " \n");
	}
	putchar('\n');
}

/* left, and from column on what it is. */
static void print_row(const char *left, int column, const char *text)
{
	if ((int)strlen(left) < column - 2)
		printf("  %-*s", column - 2, left);
	else
		printf("  %s\n%*s", left, column, "");
	print_filled(text, column);
}

static void print_examples(const char *lines)
{
	printf("\nexamples:\n");
	for (; *lines; lines += strcspn(lines, "\n") + 1)
		printf("  %.*s\n", (int)strcspn(lines, "\n"), lines);
}

void help_command(const struct command *c)
{
	const struct option_info *o;

	printf("usage: hlxt %s%s%s [option]...\n\n%s.\n", c->name, c->operand ? " " : "", c->operand ? c->operand : "", c->doc);
	if (c->more) {
		putchar('\n');
		print_filled(c->more, 0);
	}
	printf("\noptions:\n");
	for (size_t i = 0; (o = options_at(c, i)); i++) {
		char left[64];
		snprintf(left, sizeof left, "%c%c --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->name,
				o->arg ? " " : "", o->arg ? o->arg : "");
		print_row(left, 29, o->help);
	}
	if (c->examples)
		print_examples(c->examples);
}

static void print_commands(void)
{
	printf("usage: hlxt COMMAND [argument] [option]...\n\n"
			"Trains transformers on any Vulkan device, with the same bits on each.\n\ncommands:\n");
	for (size_t i = 0; cli_commands[i]; i++) {
		const struct command *c = cli_commands[i];
		char left[48];
		snprintf(left, sizeof left, "%s %s", c->name, c->operand ? c->operand : "");
		print_row(left, 22, c->doc);
	}
	printf("\nhlxt COMMAND --help tells more of one, hlxt help ini of the keys of an INI;\nman hlxt and man hlxt-COMMAND have it, too.\n\n"
			"Exit status: 0 done, 1 a difference or a loss that is not finite, 2 usage,\n"
			"3 configuration, 4 input (corpus, checkpoint, plugin), 5 device, 6 output,\n"
			"130 interrupted with the state saved.\n");
}

static void print_help(void)
{
	printf("usage: hlxt help [COMMAND | ini]\n\nlist the commands; or tell what one takes, as hlxt COMMAND --help does; or print "
			"every\nkey of an INI and every attribute of an op.\n");
	print_examples("hlxt help run\nhlxt help ini\n");
}

static bool is_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h");
}

int help(int n, char **words)
{
	const struct command *c = NULL;
	bool man = n > 0 && !strcmp(words[0], "--man");

	if (n > 0 && !strcmp(words[0], "--complete"))
		return help_complete(n - 1, words + 1);
	if (n > 1 + man)
		return hlx_fail(CLI_USAGE, "help: %.60s is one word too many; hlxt help --help tells what it takes", words[1 + man]);
	if (n > 0 && !strcmp(words[0], "ini"))
		return conf_print_keys();
	if (n > 0 && is_help(words[0])) {
		print_help();
		return 0;
	}
	if (n > man)
		CLI_TRY(cli_find_command(words[man], &c));
	if (man)
		help_man(c);
	else if (c)
		help_command(c);
	else
		print_commands();
	return 0;
}
