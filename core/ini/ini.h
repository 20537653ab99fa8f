/* ini.h - between ini.c (the list), ini_parse.c (reading it) and ini_value.c (what a value says). */
#ifndef HLX_CORE_INI_H
#define HLX_CORE_INI_H

#include "core/error.h"

#define HLX_INI_LINE 199u /* bytes: what inih takes */
#define HLX_INI_NAME 48u

/* Without marking it as used; NULL where it is not set. */
struct hlx_setting *hlx_ini_entry(const struct hlx_ini *, const char *section, const char *key);
int hlx_ini_append(struct hlx_ini *, const char *section, const char *key, const char *value,
		const char *file, unsigned line);
/* A number, or an expression of numbers and the names of [model]; those it names are marked as used, s is not. */
int hlx_ini_number(struct hlx_ini *, const struct hlx_setting *, double min, double max, double *out);

#endif
