/*
 * corpus: expands phrase-structure grammars into the training text of models/tiny.ini.
 *
 *	corpus -o FILE [-s BYTES] GRAMMAR...
 *
 * README.md describes the grammars. Same grammars and same size, same bytes: integers only, a
 * fixed seed, no locale and no clock. The status is 2 for a wrong command line and 4 for bad input.
 */
#include "grammar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_USAGE = 2, STATUS_INPUT = 4, SIZE_DEFAULT = 1000000 };

static bool is_letter(char ch)
{
	return to_lower(ch) >= 'a' && to_lower(ch) <= 'z';
}

static bool wants_an(const struct corpus *c, const char *next)
{
	char word[NAME_ROOM];
	size_t n = 0;

	for (next += *next == '"'; is_letter(next[n]) && n < sizeof word - 1; n++)
		word[n] = to_lower(next[n]);
	word[n] = '\0';
	const char *article = form_find(&c->forms, "article", word);
	return article ? !strcmp(article, "an") : is_vowel(word[0]);
}

/* Where the text before `at` ends, spaces left out. */
static size_t skip_back(const char *out, size_t at)
{
	while (at && out[at - 1] == ' ')
		at--;
	return at;
}

/* True after a full stop, or a quotation that ended with one; "Where?" he asked goes on. */
static bool ends_sentence(const char *out, size_t at)
{
	at = skip_back(out, at);
	if (at > 1 && out[at - 1] == '"')
		return out[at - 2] == '.';
	return !at || strchr(".!?\n", out[at - 1]);
}

static bool opens_word(const char *out, size_t at)
{
	return !at || strchr(" \n\"", out[at - 1]);
}

/* "Well," said Tom, "we shall see." has a second quotation that is no new sentence. */
static bool wants_capital(const char *out, size_t at)
{
	if (!is_letter(out[at]) || !opens_word(out, at))
		return false;
	if (!at || out[at - 1] != '"')
		return ends_sentence(out, at);
	at = skip_back(out, at - 1);
	return !at || out[at - 1] != ',';
}

static void piece_write(const struct corpus *c, FILE *f)
{
	const char *out = c->out;

	for (size_t i = 0, text = 0; i < c->len; i++) { /* text: up to here the line has more than blanks */
		text = out[i] == '\n' ? i + 1 : text;
		if (out[i] == ' ' && (text == i || strchr(" \n", out[i + 1]))) {
			text += text == i;
			continue;
		}
		putc(wants_capital(out, i) ? to_upper(out[i]) : out[i], f);
		if (to_lower(out[i]) == 'a' && opens_word(out, i) && out[i + 1] == ' ' &&
		    wants_an(c, out + i + 1 + strspn(out + i + 1, " ")))
			putc('n', f);
	}
	fputs("\n\n", f);
}

static int pieces_write(struct corpus *c, FILE *f, long size)
{
	while (!ferror(f) && ftell(f) < size) {
		if (piece_expand(c))
			return -1;
		piece_write(c, f);
	}
	return 0;
}

static int corpus_write(struct corpus *c, const char *path, long size)
{
	char aside[4096];
	int n = snprintf(aside, sizeof aside, "%s.tmp", path);
	FILE *f = n < (int)sizeof aside ? fopen(aside, "wb") : NULL;

	if (!f)
		return corpus_fail(c, aside, 0, "%s", strerror(errno));
	int failed = pieces_write(c, f, size);
	if ((ferror(f) | fclose(f)) && !failed)
		failed = corpus_fail(c, aside, 0, "cannot be written");
	if (!failed && rename(aside, path))
		failed = corpus_fail(c, path, 0, "%s", strerror(errno));
	if (failed)
		remove(aside);
	return failed;
}

static int corpus_run(struct corpus *c, const char *path, long size, char **files, int count)
{
	if (count > FILES_MAX)
		return corpus_fail(c, files[FILES_MAX], 0, "more than %d grammars", FILES_MAX);
	for (int i = 0; i < count; i++)
		if (grammar_load(c, files[i], c->files[i]))
			return -1;
	return grammar_check(c, files[0]) ? -1 : corpus_write(c, path, size);
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	long size = SIZE_DEFAULT;
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (!strcmp(argv[i], "-o"))
			path = argv[i + 1];
		else
			size = strcmp(argv[i], "-s") ? 0 : strtol(argv[i + 1], NULL, 10);
	}
	if (!path || size <= 0 || i >= argc) {
		fprintf(stderr, "usage: corpus -o FILE [-s BYTES] GRAMMAR...\n");
		return STATUS_USAGE;
	}
	struct corpus *c = calloc(1, sizeof *c);
	if (!c || corpus_run(c, path, size, argv + i, argc - i)) {
		fprintf(stderr, "corpus: %s\n", c ? c->error : "out of memory");
		free(c);
		return STATUS_INPUT;
	}
	free(c);
	return 0;
}
