/* op_data.h - values to try ops on, each a pure function of (family, stream, element), and how bits are compared. */
#ifndef TESTS_OP_DATA_H
#define TESTS_OP_DATA_H

#include "hlx/hlx.h"

/* TINY: 2^-50 to 2^-40, the least that memory holds.  HUGE: 1e15.  MIXED: every magnitude side by side, and zeros; one
 * integer in 16 is 2^32 - 1. HAND: one row of 512 for layernorm's backward,
 * see op_data.c. */
enum family { FAMILY_NORMAL, FAMILY_TINY, FAMILY_HUGE, FAMILY_ZERO, FAMILY_MIXED, FAMILY_COUNT, FAMILY_HAND = FAMILY_COUNT };
extern const char *const family_name[FAMILY_COUNT + 1];

/* As hlx_store leaves it. */
float data_float(enum family, uint64_t stream, uint64_t i);
uint32_t data_index(enum family, uint64_t stream, uint64_t i, uint32_t below);
/* path: the tensor's, "x", "t.y.gamma"; "seed" for the output's gradient */
void data_tensor(float *out, uint64_t n, enum family, const char *path, uint64_t turn);
void data_floats(float *out, uint64_t n, enum family, uint64_t stream);
uint64_t data_stream(const char *path, uint64_t turn);

/* The first element whose bits differ (a NaN equals a NaN), or n. */
uint64_t data_compare(const float *got, const float *want, uint64_t n);

#endif
