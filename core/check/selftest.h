/*
 * check/selftest.h - before a device's first run of a portable implementation: small shapes against the op's reference.
 *
 * Arithmetic probes alone prove little, as what a driver fuses depends on the shape of the code.  So each kernel of the
 * program, with its specialization, is run by its own implementation: on the program's own nodes made small, and on cases
 * of the op.  A pass is kept (verdict.h), a failure is not: it is told again.
 */
#ifndef HLX_CHECK_SELFTEST_H
#define HLX_CHECK_SELFTEST_H

#include "core/program/program.h"

/* p is recorded, not yet laid out.  HLX_ENOTSUP, saying what differed and what the device's arithmetic is like. */
int hlx_selftest(struct hlx_program *p);

#endif
