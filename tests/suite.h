/* suite.h - what a test program ends with: its cases are run, the exit status says how that went. */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>
#include <stdlib.h>

/* Takes the cases over; NULL ends them. */
static inline int suite_run_cases(const char *name, TCase *const *cases)
{
	Suite *s = suite_create(name);
	SRunner *r;
	int failed;

	for (; *cases; cases++)
		suite_add_tcase(s, *cases);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
#define suite_run(name, ...) suite_run_cases(name, (TCase *const[]){ __VA_ARGS__, NULL })
#endif
