/* conf_corpus.c - the files that [data] names: corpus, validation, and where each is. */
#include "runner/conf_keys.h"
#include "runner/paths.h"
#include "runner/tokenizer.h"

#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct hlx_setting *setting(struct conf *c, const char *name, unsigned i)
{
	char key[32];

	snprintf(key, sizeof key, i > 1 ? "%s%u" : "%s", name, i);
	return hlx_ini_find(c->ini, "data", key);
}

void conf_mark_files(struct conf *c, const char *name)
{
	for (unsigned i = 1; i <= CONF_MAX_WORDS; i++)
		setting(c, name, i);
}

void conf_files_free(struct conf_files *f)
{
	for (size_t i = 0; i < f->n_words; i++)
		free(f->word[i]);
	for (size_t i = 0; i < f->n; i++)
		free(f->path[i]);
	free(f->path);
	*f = (struct conf_files){ 0 };
}

/* The next word of a value, "in quotes" where it has blanks; new, or NULL at the end. */
static char *next_word(const char **at)
{
	const char *from;
	size_t n;

	while (isspace((unsigned char)**at))
		++*at;
	if (!**at)
		return NULL;
	if (**at == '"' && strchr(*at + 1, '"')) {
		from = *at + 1;
		n = strcspn(from, "\"");
		*at = from + n + 1;
	} else {
		from = *at;
		n = strcspn(from, " \t");
		*at = from + n;
	}
	return strndup(from, n);
}

/* Takes path. */
static int add_path(struct conf_files *f, char *path)
{
	char **more = path ? realloc(f->path, (f->n + 1) * sizeof *more) : NULL;

	if (!more) {
		free(path);
		return hlx_fail(HLX_ENOMEM, "out of memory");
	}
	f->path = more;
	f->path[f->n++] = path;
	return 0;
}

/* The pattern below dir, dir's own *?[\ being no pattern; new. */
static char *join_pattern(const char *dir, const char *pattern)
{
	char *whole = realpath(dir, NULL), *out = whole ? malloc(2 * strlen(whole) + strlen(pattern) + 2) : NULL, *to = out;

	for (const char *from = whole; out && *from; *to++ = *from++)
		if (strchr("*?[\\", *from))
			*to++ = '\\';
	if (out)
		sprintf(to, "/%s", pattern);
	free(whole);
	return out;
}

/* 0 or how many files the pattern has brought. */
static int add_pattern(struct conf_files *f, const char *pattern)
{
	glob_t found;
	int status = glob(pattern, 0, NULL, &found); /* by name: hlxt has the C locale */

	if (status == GLOB_NOMATCH)
		return 0;
	if (status)
		return hlx_fail(HLX_EIO, "corpus %s: cannot be looked for", pattern);
	for (size_t i = 0; i < found.gl_pathc && status >= 0; i++)
		status = add_path(f, realpath(found.gl_pathv[i], NULL));
	status = status < 0 ? status : (int)found.gl_pathc;
	globfree(&found);
	return status;
}

/* dir, then other: the first where the pattern finds something.  *word: the pattern, absolute. */
static int add_glob(struct conf_files *f, const char *pattern, const char *dir, const char *other, char **word)
{
	const char *const in[] = { dir, other };
	int count = 0;

	for (size_t i = 0; i < 2 && !count && (in[i] || !i); i++) {
		free(*word);
		*word = *pattern == '/' ? strdup(pattern) : join_pattern(in[i], pattern);
		count = *word ? add_pattern(f, *word) : hlx_fail(HLX_ENOMEM, "out of memory");
	}
	return count ? count : hlx_fail(HLX_EIO, "corpus %s: no file has such a name", *word);
}

static int add_file(struct conf_files *f, const char *name, const char *dir, const char *other, char **word)
{
	char *found;
	int status = path_find(name, dir, other, &found);

	if (status < 0)
		return hlx_prefix(status, "corpus ");
	if (!(*word = realpath(found, NULL)))
		status = hlx_fail(HLX_EIO, "corpus %s: %m", found);
	free(found);
	return status < 0 ? status : add_path(f, strdup(*word));
}

static bool is_there(const char *name, const char *dir, const char *other)
{
	char *found;
	int status = path_find(name, dir, other, &found);

	if (status >= 0) /* an absolute one is not looked at */
		status = access(found, F_OK);
	free(found);
	return !status;
}

static int add_word(struct conf_files *f, const char *name, const char *text, const char *dir, const char *other)
{
	char **word = &f->word[f->n_words];
	int status;

	if (f->n_words == CONF_MAX_WORDS)
		return hlx_fail(HLX_EINVAL, "data.%s: more than %d names; a pattern like train_*.bin names many files", name,
				CONF_MAX_WORDS);
	*word = NULL;
	f->n_words++;
	status = strpbrk(text, "*?[") && !is_there(text, dir, other) ? add_glob(f, text, dir, other, word) :
		add_file(f, text, dir, other, word);
	if (status < 0 && !*word) {
		f->n_words--;
		*word = NULL;
	}
	return status;
}

static int find_files(struct conf *c, const char *name, const char *near, struct conf_files *f)
{
	int status = 0;
	char *word;

	for (unsigned i = 1; i <= CONF_MAX_WORDS && status >= 0; i++) {
		const struct hlx_setting *s = setting(c, name, i);
		const char *at = s ? s->value : "";

		while (status >= 0 && (word = next_word(&at))) { /* --set: where it is typed */
			status = s->line ? add_word(f, name, word, near, NULL) : add_word(f, name, word, ".", near);
			free(word);
		}
	}
	return status;
}

int conf_find_corpus(struct conf *c)
{
	const struct hlx_setting *split = hlx_ini_find(c->ini, "data", "split");
	char *near = path_parent(c->path);
	int status = near ? find_files(c, "corpus", near, &c->corpus) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status >= 0)
		status = find_files(c, "validation", near, &c->validation);
	free(near);
	CLI_TRY(status);
	if (!c->corpus.n)
		return hlx_fail(HLX_EINVAL, "%s: [data] wants corpus = FILE", c->path);
	if (c->validation.n && split && c->split > 0)
		return hlx_fail(HLX_EINVAL, "%s: data.validation names files for it, so data.split must be 0 or left out", c->path);
	if (c->validation.n)
		c->split = 0;
	return 0;
}

static int write_files(struct conf *c, const char *name, const struct conf_files *f)
{
	for (size_t i = 0; i < f->n_words; i++) {
		const char *quote = f->word[i][strcspn(f->word[i], " \t;")] ? "\"" : "";
		char number[16] = "";

		if (i)
			snprintf(number, sizeof number, "%zu", i + 1);
		CLI_TRY(conf_set(c->ini, "data.%s%s=%s%s%s", name, number, quote, f->word[i], quote));
	}
	for (unsigned i = (unsigned)f->n_words + 1; i <= CONF_MAX_WORDS; i++)
		if (setting(c, name, i))
			CLI_TRY(i > 1 ? conf_set(c->ini, "data.%s%u=", name, i) : conf_set(c->ini, "data.%s=", name));
	return 0;
}

int conf_write_corpus(struct conf *c)
{
	const char *t = c->tokenizer_path;

	if (t)
		CLI_TRY(conf_set(c->ini, t[strcspn(t, " \t;")] ? "data.tokenizer=\"%s\"" : "data.tokenizer=%s", t));
	CLI_TRY(write_files(c, "corpus", &c->corpus));
	return write_files(c, "validation", &c->validation);
}

/* ---- the tokenizer ---- */

static int find_tokenizer(struct conf *c, const char *name, char **out)
{
	const struct hlx_setting *s = hlx_ini_find(c->ini, "data", "tokenizer");
	char *near = path_parent(c->path), *found = NULL;
	int status = !near ? hlx_fail(HLX_ENOMEM, "out of memory") : s && s->line ? path_find(name, near, NULL, &found) :
		path_find(name, ".", near, &found);

	free(near);
	if (status < 0)
		return hlx_fail(HLX_EINVAL, "data.tokenizer: no tokenizer %.60s: want bytes, a tokenizer.json, or a folder with "
				"vocab.json and merges.txt (%s)", name, hlx_message());
	*out = realpath(found, NULL);
	if (!*out)
		status = hlx_fail(HLX_EIO, "tokenizer %s: %m; --set data.tokenizer=PATH says where it is", found);
	free(found);
	return status;
}

int conf_open_tokenizer(struct conf *c)
{
	char *name;
	int status = 0;

	if (c->tokenizer)
		return 0;
	if (!(name = conf_unquote(c->tokenizer_name)))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	if (!tokenizer_known(name))
		status = find_tokenizer(c, name, &c->tokenizer_path);
	if (status >= 0)
		status = tokenizer_open(c->tokenizer_path ? c->tokenizer_path : name, &c->tokenizer);
	free(name);
	CLI_TRY(status);
	if (c->tokenizer_path && tokenizer_size(c->tokenizer) > (uint64_t)c->vocab_size)
		return hlx_fail(HLX_EINVAL, "%s: vocab_size = %lld, and tokenizer %s has %u tokens", c->path, (long long)c->vocab_size,
				c->tokenizer_path, tokenizer_size(c->tokenizer));
	return 0;
}
