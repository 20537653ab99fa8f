/* conf.c - reads and checks what the keys' table lists. */
#include "runner/conf_keys.h"
#include "runner/paths.h"
#include "runner/tokenizer.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static const char *const sections[] = {
	"model", "ops", "embed", "layer", "head", "train", "numerics", "data", "output", NULL
};

static int read_choice(struct hlx_ini *ini, const struct conf_key *k, int64_t *out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, k->section, k->name);
	size_t n = 0;

	if (!s)
		return 0;
	for (; k->choices[n]; n++)
		if (!strcmp(s->value, k->choices[n])) {
			*out = (int64_t)n + 1;
			return 0;
		}
	return hlx_setting_blame(s, hlx_fail(HLX_EINVAL, "no %s %s", k->name, hlx_choices(s->value, k->choices, n)));
}

static int read_every(struct hlx_ini *ini, const struct conf_key *k, struct conf_every *out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, k->section, k->name);
	char *end;
	long long v;

	if (!s)
		return 0;
	v = strtoll(s->value, &end, 10);
	out->count = v;
	out->epochs = !strcmp(end, " epochs") || !strcmp(end, " epoch");
	if (end == s->value || v < 0 || v > (1ll << 53) || (*end && !out->epochs && strcmp(end, " steps")))
		return hlx_setting_blame(s, hlx_fail(HLX_EINVAL, "\"%.60s\": want a number of steps, or \"N epochs\"", s->value));
	return 0;
}

static int read_share(struct hlx_ini *ini, const struct conf_key *k, struct conf_share *out)
{
	const struct hlx_setting *s = hlx_ini_find(ini, k->section, k->name);
	double v = k->def;

	CLI_TRY(hlx_ini_real(ini, k->section, k->name, k->min, k->max, &v));
	out->share = v < 1 ? v : 0;
	out->steps = v < 1 ? 0 : (int64_t)v;
	if (v >= 1 && ((double)out->steps != v || strchr(s->value, '.')))
		return hlx_setting_blame(s, hlx_fail(HLX_EINVAL, "\"%.60s\": want whole steps, or with a point a share of train.steps "
				"below 1, like 0.05", s->value));
	return 0;
}

static int read_key(struct conf *c, const struct conf_key *k)
{
	void *at = (char *)c + k->offset;

	switch (k->type) {
	case KEY_SIZE: case KEY_INT:
		*(int64_t *)at = (int64_t)k->def;
		return hlx_ini_int(c->ini, k->section, k->name, (int64_t)k->min, (int64_t)k->max, at);
	case KEY_REAL:
		*(double *)at = k->def;
		return hlx_ini_real(c->ini, k->section, k->name, k->min, k->max, at);
	case KEY_TEXT: case KEY_PATH:
		*(const char **)at = k->text;
		return hlx_ini_string(c->ini, k->section, k->name, at);
	case KEY_CHOICE:
		*(int64_t *)at = (int64_t)k->def;
		return read_choice(c->ini, k, at);
	case KEY_FILES:
		conf_mark_files(c, k->name);
		return 0;
	case KEY_SHARE:
		return read_share(c->ini, k, at);
	default:
		*(struct conf_every *)at = (struct conf_every){ (int64_t)k->def, true };
		return read_every(c->ini, k, at);
	}
}

/* c->ini has just been read, or is to be freed with c. */
static int begin(const char *path, const struct cli_args *args, struct conf *c)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const char *dot = strrchr(base, '.');

	c->path = strdup(path);
	c->name = strndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
	if (!c->path || !c->name)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	for (size_t i = 0; i < args->n_set; i++)
		CLI_TRY(hlx_ini_set(c->ini, args->set[i]));
	return hlx_ini_check_sections(c->ini, sections); /* before anybody misses what stands in a wrong one */
}

static int open_path(const char *path, const struct cli_args *args, struct conf *c)
{
	*c = (struct conf){ 0 };
	CLI_TRY(hlx_ini_read(path, &c->ini));
	return begin(path, args, c);
}

int conf_open(const char *folder, const char *name, const struct cli_args *args, struct conf *c)
{
	char *path = path_join(folder, name);
	int status = path ? open_path(path, args, c) : hlx_fail(HLX_ENOMEM, "out of memory");

	free(path);
	return status;
}

int conf_open_operand(const struct cli_args *args, struct conf *c)
{
	char *path;
	int status = path_find(args->operand, NULL, NULL, &path);

	if (status < 0) /* to a user the INI is the configuration, not the input */
		return hlx_fail(HLX_EINVAL, "%s", hlx_message());
	status = open_path(path, args, c);
	free(path);
	return status;
}

int conf_parse(const char *name, const char *text, size_t size, const struct cli_args *args, struct conf *c)
{
	*c = (struct conf){ 0 };
	CLI_TRY(hlx_ini_parse(name, text, size, &c->ini));
	return begin(name, args, c);
}

void conf_close(struct conf *c)
{
	conf_files_free(&c->corpus);
	conf_files_free(&c->validation);
	tokenizer_close(c->tokenizer);
	free(c->tokenizer_path);
	hlx_ini_destroy(c->ini);
	free(c->path);
	free(c->name);
	free(c->init);
	free(c->sample_prompt);
	*c = (struct conf){ 0 };
}

/* ---- all of it ---- */

#define MAX_POSITIONS (1 << 24) /* that a loss counts, in however many parts a step is computed */

static int check_together(struct conf *c)
{
	if (c->steps && c->epochs)
		return hlx_fail(HLX_EINVAL, "%s: both train.steps and train.epochs are set: set one", c->path);
	if (!c->steps && !c->epochs)
		c->epochs = 10;
	if (!c->slots)
		for (c->slots = 8; c->batch_size % c->slots; c->slots /= 2)
			;
	if ((c->slots & (c->slots - 1)) || c->batch_size % c->slots)
		return hlx_fail(HLX_EINVAL, "train.slots = %lld: want a power of two that divides batch_size = %lld",
				(long long)c->slots, (long long)c->batch_size);
	if (c->seq_len > MAX_POSITIONS / c->batch_size)
		return hlx_fail(HLX_EINVAL, "%s: %lld x %lld positions a step, want at most 2^24: beyond, a float cannot count them", c->path,
				(long long)c->batch_size, (long long)c->seq_len);
	if (!c->micro_batch)
		c->micro_batch = c->batch_size;
	return 0;
}

int conf_read(struct conf *c, const struct hlx_registry *r, const struct cli_args *args)
{
	const struct hlx_setting *steps;

	c->quiet = args->quiet;
	for (const struct conf_key *k = conf_keys; k->section; k++)
		CLI_TRY(read_key(c, k));
	if (!c->vocab_size || !c->seq_len)
		return hlx_fail(HLX_EINVAL, "%s: [model] wants %s", c->path, c->vocab_size ? "max_seq_len" : "vocab_size");
	steps = hlx_ini_find(c->ini, "train", "steps");
	if (args->steps >= 0 && steps && !steps->line && c->steps != args->steps)
		return hlx_fail(CLI_USAGE, "--steps %lld and --set train.steps=%s contradict each other: give one", (long long)args->steps,
				steps->value);
	if (args->steps >= 0) {
		c->steps = args->steps;
		c->epochs = 0;
	}
	CLI_TRY(check_together(c));
	CLI_TRY(conf_check_optimizer(c, r));
	c->sample_prompt = conf_unquote(c->sample_prompt_text);
	return c->sample_prompt ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
}

/* "section.name" for a hint; room where all are taken already changes nothing but the hint. */
struct known {
	char text[256][64];
	const char *name[257];
	size_t n;
};

static void add_known(struct known *k, const char *section, const char *name)
{
	if (k->n == CLI_COUNT(k->text))
		return;
	snprintf(k->text[k->n], sizeof k->text[0], "%s.%s", section, name);
	k->name[k->n] = k->text[k->n];
	k->n++;
}

/* [model] takes any name; those that a typo may have missed are, besides the program's own, what ops look for there. */
static void add_model(struct known *k, const struct hlx_registry *r)
{
	const struct hlx_op *op;

	for (size_t i = 0; (op = hlx_registry_op_at(r, i, NULL)); i++)
		for (const struct hlx_attr *a = op->kind == HLX_LAYER || op->kind == HLX_LOSS ? op->attrs : NULL; a && a->name; a++)
			add_known(k, "model", a->name);
}

int conf_check(struct conf *c, const struct hlx_registry *r)
{
	struct known *k = calloc(1, sizeof *k);
	int status;

	if (!k)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	for (const struct conf_key *key = conf_keys; key->section; key++)
		add_known(k, key->section, key->name);
	for (const struct hlx_attr *a = conf_optimizer_attrs(c, r); a && a->name; a++)
		add_known(k, "train", a->name);
	add_model(k, r);
	status = hlx_ini_check(c->ini, sections, k->name);
	free(k);
	return status;
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static void resolve_every(struct conf_every *e, uint64_t windows, uint64_t batch)
{
	uint64_t n = (uint64_t)e->count;

	if (e->epochs)
		n = n > UINT32_MAX || windows > UINT32_MAX ? 0 : divide_up(windows * n, batch);
	*e = (struct conf_every){ (int64_t)n, false };
}

int conf_resolve(struct conf *c, uint64_t windows)
{
	uint64_t batch = (uint64_t)c->batch_size, steps = (uint64_t)c->steps;

	if (c->epochs)
		steps = windows > UINT64_MAX / (uint64_t)c->epochs ? UINT64_MAX : divide_up(windows * (uint64_t)c->epochs, batch);
	if (steps > UINT32_MAX)
		return hlx_fail(HLX_EINVAL, "train.epochs = %lld would take more than 2^32 steps", (long long)c->epochs);
	c->steps = (int64_t)steps;
	if (c->warmup.share > 0)
		c->warmup = (struct conf_share){ (int64_t)(c->warmup.share * (double)steps + 0.5), 0 };
	resolve_every(&c->checkpoint_every, windows, batch);
	resolve_every(&c->keep_every, windows, batch);
	return 0;
}

struct hlx_schedule conf_schedule(const struct conf *c)
{
	return (struct hlx_schedule){ (enum hlx_decay)c->schedule, c->lr, c->lr_min, (uint64_t)c->warmup.steps, (uint64_t)c->steps };
}
