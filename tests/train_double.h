/* train_double.h - a training step against the same in double: Adam by its formulas, the gradient by differences.  Checks of
 * libcheck: they end the test. */
#ifndef TESTS_TRAIN_DOUBLE_H
#define TESTS_TRAIN_DOUBLE_H

#include "tests/train_model.h"

#define OK(call) ck_assert_msg((call) >= 0, "%s", hlx_message())

void train_check_adam(void);
void train_check_gradient(const char *name, const char *text);

#endif
