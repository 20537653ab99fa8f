/* check/data.h - values to try ops on, each a pure function of (family, stream, element), and how bits are compared. */
#ifndef HLX_CHECK_DATA_H
#define HLX_CHECK_DATA_H

#include "hlx/hlx.h"

/* TINY: 2^-50 to 2^-40, the least that memory holds.  HUGE: 1e15.  MIXED: every magnitude side by side, and zeros; one
 * integer in 16 is 2^32 - 1.  EDGE: at, below and above 2^-50, whose products are at 2^-100; 2^-25, 2^-64, 2^-126 (0 in
 * memory), 1.  FAR: ordinary ones, and one in 64 is 1e30.  HAND: one row of 512 for layernorm's backward, see data.c. */
enum hlx_family { HLX_FAMILY_NORMAL, HLX_FAMILY_TINY, HLX_FAMILY_HUGE, HLX_FAMILY_ZERO, HLX_FAMILY_MIXED, HLX_FAMILY_EDGE,
	HLX_FAMILY_FAR, HLX_FAMILY_COUNT,
	HLX_FAMILY_HAND = HLX_FAMILY_COUNT };
extern const char *const hlx_family_name[HLX_FAMILY_COUNT + 1];

/* As hlx_store leaves it. */
float hlx_data_float(enum hlx_family, uint64_t stream, uint64_t i);
uint32_t hlx_data_index(enum hlx_family, uint64_t stream, uint64_t i, uint32_t below);
/* path: the tensor's, "x", "t.y.gamma"; "seed" for the output's gradient */
void hlx_data_tensor(float *out, uint64_t n, enum hlx_family, const char *path, uint64_t turn);
void hlx_data_floats(float *out, uint64_t n, enum hlx_family, uint64_t stream);
uint64_t hlx_data_stream(const char *path, uint64_t turn);

/*
 * Is got as good as want?  Portable: the same bits.  Device: within 1/128 of most, the largest finite magnitude of the tensor
 * (bf16 has 1/256).  What is not finite in the reference is promised to nobody.
 */
bool hlx_data_near(uint32_t got, uint32_t want, float most, enum hlx_tier);
float hlx_data_largest(const float *, uint64_t n);
bool hlx_data_finite(uint32_t bits);
/* The first element whose bits differ (a NaN equals a NaN), or n. */
uint64_t hlx_data_compare(const float *got, const float *want, uint64_t n);

#endif
