/* expr.h - the arithmetic of INI values: numbers, names, + - * / ( ), sqrt and rsqrt, in double.  [any]
 * Only operations that IEEE rounds correctly, so a value is the same on every machine. */
#ifndef HLX_CORE_EXPR_H
#define HLX_CORE_EXPR_H

#include "core/error.h"

/* A name's value: 0, or HLX_EINVAL without a message where it is unknown. */
typedef int (*hlx_lookup)(void *ctx, const char *name, double *out);
/* names (may be NULL) are for "did you mean". */
struct hlx_scope {
	hlx_lookup find;
	void *ctx;
	const char *const *names;
	size_t count;
};
int hlx_expr(const char *text, const struct hlx_scope *, double *out);
/* The same, and a whole number of magnitude up to 2^53. */
int hlx_expr_int(const char *text, const struct hlx_scope *, int64_t *out);
/* yes | no | true | false | on | off | 1 | 0 */
int hlx_expr_bool(const char *text, bool *out);

#endif
