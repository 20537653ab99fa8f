#include "inflect.h"

#include <stdio.h>
#include <string.h>

/* <ctype.h> asks the locale; these do not. */
bool is_vowel(char ch) { return ch && strchr("aeiou", ch); }
char to_upper(char ch) { return ch >= 'a' && ch <= 'z' ? (char)(ch - 'a' + 'A') : ch; }
char to_lower(char ch) { return ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch; }

const char *form_find(const struct form_set *set, const char *kind, const char *word)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->forms[i].kind, kind) && !strcmp(set->forms[i].word, word))
			return set->forms[i].form;
	return NULL;
}

static bool is_in(char ch, const char *set) { return ch && strchr(set, ch); }

static bool ends_with(const char *word, const char *end)
{
	size_t n = strlen(word), m = strlen(end);

	return n >= m && !strcmp(word + n - m, end);
}

static bool ends_in_consonant_y(const char *w, size_t n)
{
	return n > 1 && w[n - 1] == 'y' && !is_vowel(w[n - 2]);
}

/* stop, stopped: one syllable that ends in consonant, vowel, consonant. */
static bool doubles_last(const char *w, size_t n)
{
	unsigned vowels = 0;

	for (size_t i = 0; i < n; i++)
		vowels += is_vowel(w[i]) && !(i && w[i] == 'u' && w[i - 1] == 'q');
	return n > 2 && vowels == 1 && is_vowel(w[n - 2]) && !is_vowel(w[n - 1]) && !is_in(w[n - 1], "wxy");
}

/* These append to a word that has room for four bytes more. */
static void add_s(char *w, const char *suffix)
{
	size_t n = strlen(w);
	bool hiss = is_in(w[n - 1], "sxz") || ends_with(w, "ch") || ends_with(w, "sh");

	if (ends_in_consonant_y(w, n))
		strcpy(w + n - 1, "ies");
	else
		strcpy(w + n, hiss ? "es" : suffix);
}

static void add_vowel(char *w, const char *suffix)
{
	size_t n = strlen(w);

	if (w[n - 1] == 'e' && (*suffix == 'e' || (n > 1 && !is_in(w[n - 2], "eoy")))) {
		n--;
	} else if (*suffix == 'e' && ends_in_consonant_y(w, n)) {
		w[n - 1] = 'i';
	} else if (doubles_last(w, n)) {
		w[n] = w[n - 1];
		n++;
	}
	strcpy(w + n, suffix);
}

static void add_ly(char *w, const char *suffix)
{
	size_t n = strlen(w);

	if (ends_in_consonant_y(w, n)) {
		w[n - 1] = 'i';
	} else if (ends_with(w, "le") && n > 2 && !is_vowel(w[n - 3])) {
		n -= 2;
	} else if (ends_with(w, "ic")) {
		memcpy(w + n, "al", 2);
		n += 2;
	}
	strcpy(w + n, suffix);
}

static void add_capital(char *w, const char *suffix)
{
	(void)suffix;
	w[0] = to_upper(w[0]);
}

static bool stays_small(const char *w)
{
	return !strncmp(w, "of ", 3) || !strncmp(w, "the ", 4) || !strncmp(w, "and ", 4);
}

static void add_capitals(char *w, const char *suffix)
{
	for (char *p = w; p; p = strpbrk(p, " ")) {
		p += *p == ' ';
		if (p == w || !stays_small(p))
			add_capital(p, suffix);
	}
}

static const struct form_kind {
	const char *name, *suffix;
	const char *also; /* kind whose irregular forms serve too */
	void (*add)(char *word, const char *suffix);
	enum { FIRST, LAST, WHOLE } part; /* the words of the phrase that change */
} kind_table[] = {
	{ "pl", "s", NULL, add_s, LAST },
	{ "s", "s", NULL, add_s, FIRST },
	{ "past", "ed", NULL, add_vowel, FIRST },
	{ "en", "ed", "past", add_vowel, FIRST },
	{ "ing", "ing", NULL, add_vowel, FIRST },
	{ "er", "er", NULL, add_vowel, FIRST },
	{ "est", "est", NULL, add_vowel, FIRST },
	{ "ly", "ly", NULL, add_ly, LAST },
	{ "cap", "", NULL, add_capital, WHOLE },
	{ "title", "", NULL, add_capitals, WHOLE },
};

static const struct form_kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof kind_table / sizeof *kind_table; i++)
		if (!strcmp(kind_table[i].name, name))
			return &kind_table[i];
	return NULL;
}

/* "pick up" changes in its first word, "old clock" in its last, "loaf of bread" before the of. */
static void part_find(const char *phrase, int part, size_t *start, size_t *end)
{
	const char *of = strstr(phrase, " of ");

	*start = 0;
	*end = strlen(phrase);
	if (part == FIRST)
		*end = strcspn(phrase, " ");
	if (part != LAST)
		return;
	if (of)
		*end = (size_t)(of - phrase);
	for (*start = *end; *start && phrase[*start - 1] != ' '; --*start)
		;
}

int inflect(const struct form_set *set, const char *kind, char *phrase, size_t room)
{
	const struct form_kind *k = kind_find(kind);
	char word[PHRASE_MAX + 8], rest[PHRASE_MAX];
	size_t start, end;

	if (!k || strlen(phrase) >= PHRASE_MAX)
		return -1;
	part_find(phrase, k->part, &start, &end);
	snprintf(word, sizeof word, "%.*s", (int)(end - start), phrase + start);
	snprintf(rest, sizeof rest, "%s", phrase + end);
	const char *irregular = form_find(set, kind, word);
	if (!irregular && k->also)
		irregular = form_find(set, k->also, word);
	if (!irregular && *word)
		k->add(word, k->suffix);
	return start + (size_t)snprintf(phrase + start, room - start, "%s%s", irregular ? irregular : word,
					rest) < room ? 0 : -1;
}
