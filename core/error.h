/* error.h - the thread's one error line, and how near a word is to another.  [any] */
#ifndef HLX_CORE_ERROR_H
#define HLX_CORE_ERROR_H

#include <stdarg.h>

#include "hlx/hlx.h"

int hlx_vfail(int status, const char *fmt, va_list);
/* Control characters become spaces: a file's name, or a string that a module brings, may hold any. */
void hlx_one_line(char *text);
/* " (did you mean NAME?)" or "", in a buffer of the thread. */
const char *hlx_hint(const char *word, const char *const *names, size_t count);
/* "NAME (did you mean NEAR?): want ONE, TWO or THREE", in a buffer of the thread: a word that is none of few names. */
const char *hlx_choices(const char *word, const char *const *names, size_t count);
/* HLX_ENOMEM, "out of memory". */
int hlx_no_memory(void);

#define HLX_TRY(expr) \
	do { \
		int hlx_try_status_ = (expr); \
		if (hlx_try_status_ < 0) \
			return hlx_try_status_; \
	} while (0)

#endif
