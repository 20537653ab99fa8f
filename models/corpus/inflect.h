/* English inflection by rule, with tables of irregular forms that the grammar files give. */
#ifndef CORPUS_INFLECT_H
#define CORPUS_INFLECT_H

#include <stdbool.h>
#include <stddef.h>

enum { FORMS_MAX = 2048, PHRASE_MAX = 256 };

/* One `!kind word=form` of a grammar; the strings are the caller's. */
struct form {
	const char *kind, *word, *form;
};

struct form_set {
	struct form forms[FORMS_MAX];
	size_t count;
};

const char *form_find(const struct form_set *set, const char *kind, const char *word);

/*
 * Rewrites phrase, which has room bytes, in the form `kind` names: pl, s, past, en, ing, er, est,
 * ly, cap or title. Returns -1 for a kind that does not exist or a phrase that does not fit.
 */
int inflect(const struct form_set *set, const char *kind, char *phrase, size_t room);

bool is_vowel(char ch);
char to_upper(char ch);
char to_lower(char ch);

#endif
