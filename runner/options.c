/* options.c - one table of options, and getopt_long's view of it. */
#include "runner/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct option_info table[OPT_COUNT] = {
	[OPT_HELP] = { "help", NULL, "tell what the command takes", 'h', 0 },
	[OPT_SET] = { "set", "SECTION.KEY=VALUE", "override a key of the INI, or add it; may be repeated", 0, VALUE_KEY },
	[OPT_STEPS] = { "steps", "N", "train until step N, whatever the INI says; a schedule that goes down to the last step goes down to "
		"this one", 0, 0 },
	[OPT_OUT] = { "out", "DIR", "the run's folder (default: dir in [output], or runs/ and the INI's name)", 0, VALUE_FILE },
	[OPT_NEW] = { "out", "PATH", "what is to be written; it must not be there yet", 0, VALUE_FILE },
	[OPT_FILE] = { "out", "FILE", "the file to write", 0, VALUE_FILE },
	[OPT_SVG] = { "out", "FILE", "write into a file, whole or not at all (default: to standard output)", 0, VALUE_FILE },
	[OPT_TOKENIZER] = { "tokenizer", "T", "bytes, a tokenizer.json, or a folder with vocab.json and merges.txt", 0, VALUE_FILE },
	[OPT_VOCAB_SIZE] = { "vocab-size", "N", "train: how many tokens to learn, 257 or more", 0, 0 },
	[OPT_DEVICE] = { "device", "D", "a number or a part of a name that hlxt devices prints", 0, 0 },
	[OPT_QUIET] = { "quiet", NULL, "print errors only", 'q', 0 },
	[OPT_LIST] = { "list", NULL, "also list the steps of the training program", 0, 0 },
	[OPT_LIST_BENCH] = { "list", NULL, "an INI: also list the kernels of the step by what runs at once, with their times", 0, 0 },
	[OPT_PROMPT] = { "prompt", "TEXT", "what the text begins with (default: a new line, which is not printed)", 0, 0 },
	[OPT_PROMPT_FILE] = { "prompt-file", "FILE", "the file has what the text begins with, to the last byte; - is standard input", 0,
		VALUE_FILE },
	[OPT_SAMPLES] = { "count", "N", "how many texts, of the seeds S, S + 1, ... (default 1)", 0, 0 },
	[OPT_TOKENS] = { "tokens", "N", "how many tokens to add (default 256)", 0, 0 },
	[OPT_SEED] = { "seed", "S", "the same seed gives the same text (default 1)", 0, 0 },
	[OPT_SEED_CHECK] = { "seed", "S", "another seed, other values and sizes (default 1)", 0, 0 },
	[OPT_TEMPERATURE] = { "temperature", "T", "0 takes the likeliest token, 1 the model's own odds (default 0.8)", 0, 0 },
	[OPT_TOP_K] = { "top-k", "K", "draw from the K likeliest tokens, 0 from all (default 0)", 0, 0 },
	[OPT_TOP_P] = { "top-p", "P", "draw from the likeliest tokens (of --top-k) that make up P (default 0.95)", 0, 0 },
	[OPT_FROM] = { "from", "N", "begin with the newest checkpoint up to step N (default: the first); with two runs, with step N",
		0, 0 },
	[OPT_TO] = { "to", "N", "end with step N (default: the last)", 0, 0 },
	[OPT_QUICK] = { "quick", NULL, "fewer sizes and kinds of values: half a minute for everything on two cores, and a minute more where a "
		"CPU driver compiles the kernels for the first time", 0, 0 },
	[OPT_QUICK_BENCH] = { "quick", NULL, "shorter samples and fewer of them, and no big shapes on a CPU driver", 0, 0 },
	[OPT_FORMAT] = { "format", "F", "hf, gguf or safetensors", 0, VALUE_FORMAT },
	[OPT_CORPUS] = { "corpus", "FILE", "all of this text (default: the validation part of the run's corpus)", 0, VALUE_FILE },
	[OPT_JSON] = { "json", NULL, "print one JSON object instead of a table", 0, 0 },
	[OPT_JSON_LINES] = { "json", NULL, "print the lines of metrics.jsonl as they come, a JSON object a step, and nothing else but errors", 0, 0 },
	[OPT_LOG_X] = { "log-x", NULL, "a logarithmic axis of steps", 0, 0 },
	[OPT_LOG_Y] = { "log-y", NULL, "a logarithmic axis of losses", 0, 0 },
	[OPT_PORT] = { "port", "N", "of the page; 0 takes any that is free (default 8642)", 0, 0 },
};

const struct option_info *options_at(const struct command *c, size_t i)
{
	size_t n = 0;

	while (c->options[n])
		n++;
	return i < n ? &table[c->options[i]] : i == n ? &table[OPT_HELP] : NULL;
}

int cli_flush(void)
{
	if (fflush(stdout) || ferror(stdout))
		return hlx_fail(HLX_EOUTPUT, "writing to standard output: %s", strerror(errno));
	return 0;
}

const char *cli_hint(const char *word, const char *const *names, size_t count)
{
	static char hint[96];
	const char *near = hlx_nearest(word, names, count);

	snprintf(hint, sizeof hint, near ? " (did you mean %s?)" : "", near);
	return hint;
}

static int unknown_option(const struct command *c, const char *arg)
{
	const char *names[OPT_COUNT];
	size_t n = 0;
	char word[64];

	if (strncmp(arg, "--", 2))
		return hlx_fail(CLI_USAGE, "%s: no option %.40s; hlxt %s --help lists them", c->name, arg, c->name);
	for (; c->options[n]; n++)
		names[n] = table[c->options[n]].name;
	names[n++] = table[OPT_HELP].name;
	snprintf(word, sizeof word, "%.*s", (int)strcspn(arg + 2, "="), arg + 2);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, names[i]))
			return hlx_fail(CLI_USAGE, "%s: --%s takes no value, but is given%.60s", c->name, word, strchr(arg, '='));
	const char *near = hlx_nearest(word, names, n);
	return hlx_fail(CLI_USAGE, "%s: no option --%s%s%s%s; hlxt %s --help lists them", c->name, word,
			near ? " (did you mean --" : "", near ? near : "", near ? "?)" : "", c->name);
}

static int parse_count(const char *name, const char *text, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	long long v = strtoll(text, &end, 10);

	if (!*text || *end || v < min || v > max)
		return hlx_fail(CLI_USAGE, "--%s %.60s: want a whole number from %lld to %lld", name, text, (long long)min,
				(long long)max);
	*out = v;
	return 0;
}

static int parse_ratio(const char *name, const char *text, double max, double *out)
{
	char *end;
	double v = strtod(text, &end);

	if (!*text || *end || !(v >= 0 && v <= max))
		return hlx_fail(CLI_USAGE, "--%s %.60s: want a number from 0 to %g", name, text, max);
	*out = v;
	return 0;
}

static int take(enum cli_option o, const char *value, struct cli_args *a)
{
	int64_t seed;

	switch (o) {
	case OPT_SET:
		if (a->n_set == CLI_MAX_SETS)
			return hlx_fail(CLI_USAGE, "more than %d --set", CLI_MAX_SETS);
		a->set[a->n_set++] = value;
		return 0;
	case OPT_STEPS: return parse_count("steps", value, 1, UINT32_MAX, &a->steps);
	case OPT_PORT: return parse_count("port", value, 0, 65535, &a->port);
	case OPT_FROM: return parse_count("from", value, 0, UINT32_MAX, &a->from);
	case OPT_TO: return parse_count("to", value, 0, UINT32_MAX, &a->to);
	case OPT_TOKENS: return parse_count("tokens", value, 0, 1ll << 53, &a->tokens);
	case OPT_SAMPLES: return parse_count("count", value, 1, UINT32_MAX, &a->samples);
	case OPT_TOP_K: return parse_count("top-k", value, 0, UINT32_MAX, &a->top_k);
	case OPT_SEED: case OPT_SEED_CHECK:
		CLI_TRY(parse_count("seed", value, 0, (int64_t)CLI_MAX_SEED, &seed));
		a->seed = (uint64_t)seed;
		return 0;
	case OPT_TEMPERATURE: return parse_ratio("temperature", value, 1000, &a->temperature);
	case OPT_TOP_P: return parse_ratio("top-p", value, 1, &a->top_p);
	case OPT_VOCAB_SIZE: return parse_count("vocab-size", value, 257, 1 << 24, &a->vocab_size);
	case OPT_TOKENIZER: a->tokenizer = value; return 0;
	case OPT_OUT: case OPT_NEW: case OPT_FILE: case OPT_SVG: a->out = value; return 0;
	case OPT_DEVICE: a->device = value; return 0;
	case OPT_FORMAT: a->format = value; return 0;
	case OPT_CORPUS: a->corpus = value; return 0;
	case OPT_PROMPT: a->prompt = value; return 0;
	case OPT_PROMPT_FILE: a->prompt_file = value; return 0;
	case OPT_QUIET: a->quiet = true; return 0;
	case OPT_LIST: case OPT_LIST_BENCH: a->list = true; return 0;
	case OPT_QUICK: case OPT_QUICK_BENCH: a->quick = true; return 0;
	case OPT_JSON: a->json = true; return 0;
	case OPT_JSON_LINES: a->json = a->quiet = true; return 0;
	case OPT_LOG_X: a->log_x = true; return 0;
	case OPT_LOG_Y: a->log_y = true; return 0;
	default: return hlx_fail(CLI_USAGE, "no such option");
	}
}

static size_t getopt_table(const struct command *c, struct option *out)
{
	size_t n = 0;

	for (; c->options[n]; n++) {
		const struct option_info *o = &table[c->options[n]];
		out[n] = (struct option){ o->name, o->arg ? required_argument : no_argument, NULL, (int)c->options[n] };
	}
	out[n++] = (struct option){ "help", no_argument, NULL, OPT_HELP };
	out[n] = (struct option){ 0 };
	return n;
}

static int take_operand(const struct command *c, int argc, char **argv, struct cli_args *a)
{
	if (c->operand && *c->operand == '[' && optind >= argc)
		return 0;
	if (c->operand && optind >= argc)
		return hlx_fail(CLI_USAGE, "%s: which %s? usage: hlxt %s %s [option]...", c->name, c->operand, c->name, c->operand);
	if (c->operand)
		a->operand = argv[optind++];
	if (c->operand && strstr(c->operand, "...")) {
		a->words = argv + optind;
		a->n_words = argc - optind;
		return 0;
	}
	if (c->operand && strchr(c->operand + 1, '[') && optind < argc)
		a->other = argv[optind++];
	if (optind < argc)
		return hlx_fail(CLI_USAGE, "%s: %.60s is one word too many; hlxt %s --help tells what it takes", c->name,
				argv[optind], c->name);
	return 0;
}

static bool may_set(const struct command *c, const char *setting)
{
	for (const char *const *begin = c->sets; *begin; begin++)
		if (!strncmp(setting, *begin, strlen(*begin)))
			return true;
	return false;
}

/* Where what is computed is there already. */
static int check_sets(const struct command *c, const struct cli_args *a)
{
	char list[128] = "";

	for (size_t i = 0; c->sets && c->sets[i]; i++)
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", c->sets[i]);
	for (size_t i = 0; c->sets && i < a->n_set; i++)
		if (!may_set(c, a->set[i]))
			return hlx_fail(CLI_USAGE, "%s: --set %.60s: is part of what is computed; what may be set is %s", c->name, a->set[i],
					list);
	return 0;
}

int options_parse(const struct command *c, int argc, char **argv, struct cli_args *out)
{
	struct option longs[OPT_COUNT + 1];
	int o;

	*out = (struct cli_args){ .steps = -1, .from = -1, .to = -1, .tokens = 256, .vocab_size = -1, .port = 8642, .samples = 1, .seed = 1,
		.temperature = 0.8, .top_p = 0.95 };
	getopt_table(c, longs);
	opterr = 0;
	optind = 1;
	while ((o = getopt_long(argc, argv, ":hq", longs, NULL)) != -1) {
		bool letter = o == 'h' || o == 'q', taken = false;

		o = o == 'h' ? OPT_HELP : o == 'q' ? OPT_QUIET : o;
		for (size_t i = 0; c->options[i]; i++)
			taken |= (int)c->options[i] == o;
		if (o == OPT_HELP) {
			help_command(c);
			return 1;
		}
		if (o == ':')
			return hlx_fail(CLI_USAGE, "%s: %.60s wants a value", c->name, argv[optind - 1]);
		if (o == '?' || !taken)
			return unknown_option(c, letter ? "-q" : argv[optind - 1]);
		CLI_TRY(take((enum cli_option)o, optarg, out));
	}
	CLI_TRY(check_sets(c, out));
	return take_operand(c, argc, argv, out);
}
