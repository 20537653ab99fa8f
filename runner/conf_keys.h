/* conf_keys.h - the table of the keys of [model], [train], [numerics], [data] and [output]. */
#ifndef RUNNER_CONF_KEYS_H
#define RUNNER_CONF_KEYS_H

#include "runner/conf.h"

enum key_type {
	KEY_SIZE,   /* int64_t, 0 where it is absent; run.ini has it as the INI does */
	KEY_INT,    /* int64_t */
	KEY_REAL,   /* double */
	KEY_TEXT,   /* const char * */
	KEY_PATH,   /* KEY_TEXT, of a file or folder */
	KEY_CHOICE, /* int64_t, 1 for the first choice */
	KEY_EVERY,  /* struct conf_every, whose default is in epochs */
	KEY_SHARE,  /* struct conf_share */
	KEY_FILES   /* struct conf_files; name2 ... name99 belong to it */
};

struct conf_key {
	const char *section, *name;
	const char *help; /* Markdown, for hlxt help ini and docs/ini.md */
	enum key_type type;
	size_t offset;
	double def, min, max;
	const char *text;           /* KEY_TEXT, KEY_PATH: default, may be NULL */
	const char *const *choices; /* KEY_CHOICE: value i + 1 is choices[i] */
	const char *shown;          /* the default in words, where it is none of the above */
	bool later;                 /* a run may go on with another value: conf_change.c */
};

extern const struct conf_key conf_keys[]; /* ends with .section = NULL; a section's stand together */

/* Prints the keys' tables, and those of every optimizer's attributes. */
int conf_print_keys(void);

/* The attributes of the optimizer's op, whose keys stand in [train] too; NULL where it has none. */
const struct hlx_attr *conf_optimizer_attrs(const struct conf *, const struct hlx_registry *);
/* Is the optimizer one, with values that it takes? */
int conf_check_optimizer(struct conf *, const struct hlx_registry *);
/* Checks the value of one and writes it out as text. */
int conf_read_attr(struct hlx_ini *, const struct hlx_attr *, char *text, size_t room);
/* Finds name, name2 ... in [data], so that they are known. */
void conf_mark_files(struct conf *, const char *name);
int conf_write_corpus(struct conf *);
void conf_files_free(struct conf_files *);
/* "section.key=value", where it fits a line. */
int conf_set(struct hlx_ini *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Is the setting part of conf_fingerprint? */
bool conf_counts(const struct hlx_setting *);
/* Does its line make a node, so that the order of lines matters? */
bool conf_is_wiring(const struct hlx_setting *);
/* Text between double quotes, or all of it; new. */
char *conf_unquote(const char *text);

#endif
