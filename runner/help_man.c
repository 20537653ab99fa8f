/* help_man.c - hlxt help --man: a command's page for man(1), of the same tables as its --help. */
#include "runner/cli.h"

#include <ctype.h>
#include <string.h>

/* What roff would take for its own. */
static void put_char(char c)
{
	if (c == '-')
		printf("\\-");
	else if (c == '\\')
		printf("\\e");
	else
		putchar(c);
}

static void put_text(const char *text, size_t n)
{
	if (n && (*text == '.' || *text == '\''))
		printf("\\&");
	for (size_t i = 0; i < n; i++)
		put_char(text[i]);
}

/* Paragraphs; options are bold. */
static void put_paragraphs(const char *text)
{
	bool bold = false;

	for (size_t i = 0; text[i]; i++) {
		if (!strncmp(text + i, "\n\n", 2)) {
			printf("\n.PP\n");
			i++;
			continue;
		}
		if (!bold && !strncmp(text + i, "--", 2) && islower((unsigned char)text[i + 2]) && (!i || isspace((unsigned char)text[i - 1]))) {
			bold = true;
			printf("\\fB");
		} else if (bold && !islower((unsigned char)text[i]) && text[i] != '-') {
			bold = false;
			printf("\\fR");
		}
		put_char(text[i]);
	}
	printf("%s\n", bold ? "\\fR" : "");
}

/* An operand: its words in capitals are italic, "[OP | OP/IMPL | FILE.so]". */
static void put_operand(const char *text)
{
	bool italic = false;

	for (size_t i = 0; text[i]; i++) {
		bool word = italic ? isalnum((unsigned char)text[i]) || (text[i] == '.' && isalnum((unsigned char)text[i + 1])) :
			isupper((unsigned char)text[i]);
		if (word != italic)
			printf(word ? "\\fI" : "\\fR");
		italic = word;
		put_char(text[i]);
	}
	printf("%s", italic ? "\\fR" : "");
}

static void put_option(const struct option_info *o)
{
	printf(".TP\n");
	if (o->letter)
		printf("\\fB\\-%c\\fR, ", o->letter);
	printf("\\fB\\-\\-");
	put_text(o->name, strlen(o->name));
	printf("\\fR");
	if (o->arg) {
		printf(" \\fI");
		put_text(o->arg, strlen(o->arg));
		printf("\\fR");
	}
	putchar('\n');
	put_paragraphs(o->help);
}

static void put_examples(const char *lines)
{
	printf(".SH EXAMPLES\n.EX\n");
	for (; *lines; lines += strcspn(lines, "\n") + 1) {
		put_text(lines, strcspn(lines, "\n"));
		putchar('\n');
	}
	printf(".EE\n");
}

static void put_page(const struct command *c)
{
	const struct option_info *o;

	printf(".TH HLXT\\-");
	for (const char *s = c->name; *s; s++)
		putchar(toupper((unsigned char)*s));
	printf(" 1 \"\" \"hlx %s\" \"User Commands\"\n.SH NAME\nhlxt\\-%s \\- ", PACKAGE_VERSION, c->name);
	put_text(c->doc, strlen(c->doc));
	printf("\n.SH SYNOPSIS\n\\fBhlxt %s\\fR ", c->name);
	put_operand(c->operand ? c->operand : "");
	printf("%s[\\fIoption\\fR]...\n", c->operand ? " " : "");
	if (c->more) {
		printf(".SH DESCRIPTION\n");
		put_paragraphs(c->more);
	}
	printf(".SH OPTIONS\n");
	for (size_t i = 0; (o = options_at(c, i)); i++)
		put_option(o);
	if (c->examples)
		put_examples(c->examples);
	printf(".SH SEE ALSO\n.BR hlxt (1),\nwhich has the files, the environment and the exit statuses\n");
}

void help_man(const struct command *c)
{
	if (c) {
		put_page(c);
		return;
	}
	for (size_t i = 0; (c = cli_commands[i]); i++) {
		printf(".TP\n.BR hlxt\\-%s (1)\n", c->name);
		put_text(c->doc, strlen(c->doc));
		putchar('\n');
	}
}
