/* conf_keys.h - the table of the keys of [train], [numerics], [data] and [output]. */
#ifndef RUNNER_CONF_KEYS_H
#define RUNNER_CONF_KEYS_H

#include "runner/conf.h"

enum key_type { KEY_INT, KEY_REAL, KEY_TEXT, KEY_CHOICE, KEY_EVERY };

struct conf_key {
	const char *section, *name;
	enum key_type type;
	size_t offset;
	double def, min, max;
	const char *text;           /* KEY_TEXT: default, may be NULL */
	const char *const *choices; /* KEY_CHOICE: value i + 1 is choices[i] */
};

#define CONF_KEYS 30
extern const struct conf_key conf_keys[CONF_KEYS];

/* The attributes of the optimizer's op, whose keys stand in [train] too; NULL where it has none. */
const struct hlx_attr *conf_optimizer_attrs(const struct conf *, const struct hlx_registry *);
/* Checks the value of one and writes it out as text. */
int conf_read_attr(struct hlx_ini *, const struct hlx_attr *, char *text, size_t room);
/* Finds data.corpus, data.corpus2 ..., data.validation ..., so that they are known. */
void conf_mark_corpus(struct conf *);
int conf_write_corpus(struct conf *);
void conf_files_free(struct conf_files *);
/* "section.key=value", where it fits a line. */
int conf_set(struct hlx_ini *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Text between double quotes, or all of it; new. */
char *conf_unquote(const char *text);

#endif
