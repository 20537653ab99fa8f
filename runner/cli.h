/* cli.h - commands, their options, and how every one of them ends. */
#ifndef RUNNER_CLI_H
#define RUNNER_CLI_H

#include "hlx/hlx.h"

/* Exit status of every command. */
enum {
	EXIT_DIFFERS = 1, /* a check or a comparison found a difference; a loss that is not finite */
	EXIT_USAGE = 2,
	EXIT_CONFIG = 3,
	EXIT_INPUT = 4,  /* corpus, checkpoint, plugin */
	EXIT_DEVICE = 5,
	EXIT_OUTPUT = 6, /* disk, lock */
	EXIT_STOPPED = 130 /* interrupted, state saved */
};

/* What hlx_status does not have. */
enum { CLI_USAGE = -100, CLI_STOPPED = -101 };

#define CLI_TRY(call) \
	do { \
		int cli_status_ = (call); \
		if (cli_status_ < 0) \
			return cli_status_; \
	} while (0)

#define CLI_MAX_SETS 64
#define CLI_MAX_SEED (UINT64_C(1) << 53) /* as train.seed */
#define CLI_COUNT(a) (sizeof(a) / sizeof(*(a)))

struct cli_args {
	const char *operand; /* the INI or the run's folder; NULL where it may be left out, and is */
	const char *other;   /* another folder, or NULL */
	char **words;        /* n_words further operands */
	int n_words;
	const char *set[CLI_MAX_SETS];
	size_t n_set;
	const char *device, *out, *prompt, *prompt_file, *format, *corpus, *tokenizer;
	int64_t steps, from, to, tokens, samples, top_k, vocab_size, port; /* -1: not given */
	uint64_t seed;
	double temperature, top_p;
	bool quiet, list, quick, json, log_x, log_y;
};

/* Options by their place in the table of options.c; a command lists those it takes, ending with 0.  Some share a name. */
enum cli_option {
	OPT_HELP = 1, OPT_SET, OPT_STEPS, OPT_OUT, OPT_NEW, OPT_FILE, OPT_SVG, OPT_DEVICE, OPT_QUIET, OPT_LIST, OPT_LIST_BENCH, OPT_PROMPT,
	OPT_PROMPT_FILE, OPT_TOKENS, OPT_SAMPLES, OPT_SEED, OPT_SEED_CHECK, OPT_TEMPERATURE, OPT_TOP_K, OPT_TOP_P, OPT_FROM, OPT_TO, OPT_QUICK,
	OPT_QUICK_BENCH, OPT_JSON, OPT_JSON_LINES, OPT_TOKENIZER, OPT_VOCAB_SIZE, OPT_FORMAT, OPT_CORPUS, OPT_LOG_X, OPT_LOG_Y, OPT_PORT,
	OPT_COUNT
};

enum option_value { VALUE_ANY, VALUE_FILE, VALUE_KEY, VALUE_FORMAT };
struct option_info {
	const char *name, *arg, *help; /* arg: NULL where it takes none */
	char letter;                   /* or 0 */
	enum option_value value;       /* what a shell completes it with */
};

struct command {
	const char *name, *operand, *doc; /* operand: "DIR", "DIR [DIR2]", "[OP]", or "OP [CASE...]"; doc: one line */
	const char *more;                 /* paragraphs, a blank line between; or NULL */
	const char *examples;             /* lines; or NULL */
	enum cli_option options[12];
	int (*run)(const struct cli_args *);
	const char *const *sets;          /* what the keys begin with that --set takes, ends with NULL; or NULL: it takes all */
};

extern const struct command command_run, command_resume, command_sample, command_eval, command_import, command_export,
	command_verify, command_check, command_plan, command_bench, command_plot, command_dash, command_ops, command_devices,
	command_tokenize;
extern const struct command *const cli_commands[]; /* ends with NULL */
int cli_find_command(const char *name, const struct command **out);

/* 0: go on; 1: --help was asked for and printed. */
int options_parse(const struct command *, int argc, char **argv, struct cli_args *out);
/* The i-th of a command's options, after them --help; NULL past that. */
const struct option_info *options_at(const struct command *, size_t i);

/* hlxt help WORD...; without one: the commands. */
int help(int n, char **words);
void help_command(const struct command *);
/* A page for man(1): of a command, or (NULL) of all commands the list that docs/hlxt.1.in holds a place for. */
void help_man(const struct command *);
/* What may stand in place of the last word on a command line, for a shell. */
int help_complete(int n, char **words);

/* " (did you mean X?)" or "". */
const char *cli_hint(const char *word, const char *const *names, size_t count);

/* Everything printed has reached standard output, or HLX_EOUTPUT. */
int cli_flush(void);

/* wide.c: d would be faster, and the environment has just been changed so that it will be: open it, or list, once more. */
bool cli_widen(const struct hlx_device_info *d);
/* The devices as they are once widened, if each lavapipe among them may be; how many there are, or negative. */
#define CLI_DEVICES 32
int cli_list_devices(struct hlx_device_info list[CLI_DEVICES]);

#endif
