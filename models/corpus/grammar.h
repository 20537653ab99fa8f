/* A grammar, what a piece of text in the making remembers, and the first error. */
#ifndef CORPUS_GRAMMAR_H
#define CORPUS_GRAMMAR_H

#include "inflect.h"

#include <stdint.h>

enum {
	FILES_MAX = 16, FILE_ROOM = 1 << 18, RULES_MAX = 2048, ALTS_MAX = 32768, VARS_MAX = 64,
	NAME_ROOM = 64, PIECE_ROOM = 1 << 16,
};

struct alt {
	const char *text;
	unsigned used; /* number of the last piece that took it */
};

struct rule {
	const char *name, *file;
	unsigned line;
	bool weighted; /* an alternative says how likely it is */
	size_t first, count; /* its share of alts */
};

struct var {
	char name[NAME_ROOM], value[PHRASE_MAX];
};

/* One block with fixed room for everything; running out is an input error like any other. */
struct corpus {
	struct rule rules[RULES_MAX];
	struct alt alts[ALTS_MAX];
	struct form_set forms;
	struct var vars[VARS_MAX];
	size_t rule_count, alt_count, var_count;
	char files[FILES_MAX][FILE_ROOM]; /* the grammars; rules, alts and forms point into them */

	uint64_t rng;
	unsigned piece, depth;
	char out[PIECE_ROOM]; /* the piece, terminated at len */
	size_t len;
	char error[512];
};

/* Each returns 0, or -1 with "file:line: what" in c->error. */
int corpus_fail(struct corpus *c, const char *file, unsigned line, const char *fmt, ...);
int grammar_load(struct corpus *c, const char *file, char *data); /* data: FILE_ROOM bytes, zeroed */
int grammar_check(struct corpus *c, const char *file);
int piece_expand(struct corpus *c); /* the next piece, into c->out */

struct rule *rule_find(struct corpus *c, const char *name);

extern const char name_chars[];

#endif
