/*
 * check/selftest.h - before a device's first run of a portable implementation: small shapes against the op's reference.
 *
 * Arithmetic probes alone prove little, as what a driver fuses depends on the shape of the code.  So each kernel of the
 * program, with its specialization, is run by its own implementation: on the op's cases that use it and nothing else, on
 * the program's own nodes made small, and then on what else uses it.  A verdict is kept (verdict.h); only a pass is.
 */
#ifndef HLX_CHECK_SELFTEST_H
#define HLX_CHECK_SELFTEST_H

#include "core/program.h"

/* p is recorded, not yet laid out.  HLX_ENOTSUP, saying what differed and what the device's arithmetic is like. */
int hlx_selftest(struct hlx_program *p);

#endif
