/* conf.h - what [train], [numerics], [data], [output] of an INI say, read and checked whole before a device is touched. */
#ifndef RUNNER_CONF_H
#define RUNNER_CONF_H

#include "core/numerics.h"
#include "runner/cli.h"

#define CONF_MAX_WORDS 99

/* What a key names: words as run.ini keeps them, absolute, patterns as they are; and the files. */
struct conf_files {
	char *word[CONF_MAX_WORDS];
	size_t n_words;
	char **path;
	size_t n;
};

struct tokenizer;

/* "10" or "10 epochs". */
struct conf_every {
	int64_t count;
	bool epochs;
};

/* "100", or 0.05 of train.steps; resolved to steps. */
struct conf_share {
	int64_t steps;
	double share;
};

struct conf {
	struct hlx_ini *ini;
	bool quiet;
	char *path, *name; /* of the INI; its name without folder and ending */
	int64_t vocab_size, seq_len, num_layers;

	int64_t batch_size, micro_batch, steps, epochs, seed, slots, eval_every, eval_batches, early_stop;
	struct conf_share warmup;
	int64_t schedule; /* enum hlx_decay */
	int64_t recompute; /* 1 + enum hlx_recompute */
	double lr, lr_min;
	const char *optimizer;
	const char *init_text, *frozen;
	char *init; /* whose weights it starts with; NULL: random ones */

	int64_t mode; /* enum hlx_tier */

	struct conf_files corpus, validation;
	int64_t format; /* enum token_format */
	const char *tokenizer_name;
	char *tokenizer_path; /* NULL where it is none of a file */
	struct tokenizer *tokenizer;
	double split;

	const char *dir;
	struct conf_every checkpoint_every, keep_every;
	int64_t keep, log_every, sample_every, sample_tokens, sample_top_k;
	int64_t tensorboard; /* 1: no, 2: yes */
	const char *sample_prompt_text; /* with its quotes */
	char *sample_prompt;
	double sample_temperature, sample_top_p;
};

/* Opens folder/name and applies args->set. */
int conf_open(const char *folder, const char *name, const struct cli_args *, struct conf *);
/* The same of the INI that the operand names: there, or among the models that come with hlx. */
int conf_open_operand(const struct cli_args *, struct conf *);
/* The same of a text, which name stands for. */
int conf_parse(const char *name, const char *text, size_t size, const struct cli_args *, struct conf *);
/* Everything but the wiring; the optimizer's keys are those of its op in the registry. */
int conf_read(struct conf *, const struct hlx_registry *, const struct cli_args *);
/* The tokenizer, once; conf_close closes it. */
int conf_open_tokenizer(struct conf *);
/* Where the corpus' files are: in the INI's folder, or among the models. */
int conf_find_corpus(struct conf *);
/* The same of train.init. */
int conf_find_init(struct conf *);
/* Refuses what nobody asked for; after the graph was built. */
int conf_check(struct conf *, const struct hlx_registry *);
void conf_close(struct conf *);

/* Once the number of windows is known: steps from epochs; warmup, checkpoint_every and keep_every in steps. */
int conf_resolve(struct conf *, uint64_t windows);
struct hlx_schedule conf_schedule(const struct conf *);
/* Puts every value, defaults included, into the ini, so that run.ini says all. */
int conf_write_back(struct conf *, const struct hlx_registry *);
/* A hash of all that can change a bit, and of [ops]: not of [output], nor of train.micro_batch and
 * train.recompute. */
uint64_t conf_fingerprint(const struct conf *);

/* conf_change.c: with what a run may go on.  Refuses what args->set has of the rest. */
int conf_check_later(const struct cli_args *);
bool conf_may_change(const char *section, const char *name);
/* Where the corpus, the validation's files and the tokenizer are becomes what from says. */
int conf_take_places(struct conf *, const struct conf *from);
/* Of two resolved ones: HLX_EINVAL where now makes another run; else *said names what has changed, for a note, and what is the same
 * number in other words becomes as it was. */
int conf_compare(const struct conf *was, struct conf *now, char *said, size_t room);
/* HLX_EINVAL where [model] or the wiring says something else. */
int conf_same_model(const struct conf *was, const struct conf *now);

#endif
