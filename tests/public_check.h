/* public_check.h - arrays of numbers, one shader run on them, and what came out. */
#ifndef TESTS_PUBLIC_CHECK_H
#define TESTS_PUBLIC_CHECK_H

#include "tests/public_vulkan.h"

/* n floats, all NaN: what a shader should have written shows.  free() them. */
float *make(size_t n);
/* Numbers from -1 to 1, the same each time. */
float *numbers(size_t n, uint32_t seed);
struct array floats(float *, size_t n);
/* x * y workgroups of shader `name`, in folder plugins/OP of a build tree. */
void run(const char *op, const char *name, const void *push, uint32_t push_bytes, const struct array *, uint32_t n,
		uint32_t x, uint32_t y);
void expect(const char *name, const char *what, size_t i, double got, double want, double tolerance);
/* Frees count pointers. */
void release(int count, ...);

/* public_rows.c */
void check_rows(void);

#endif
