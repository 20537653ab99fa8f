/*
 * numerics.h - what the host computes that reaches a bit of the result: random numbers, initial weights, the
 * schedule, shuffling, hashes, numbers as text.  IEEE double + - * / and integers only; no libm.
 *
 * Everything is a pure function of its arguments, so it may be called in any order, from any thread [any].
 */
#ifndef HLX_NUMERICS_H
#define HLX_NUMERICS_H

#include <fenv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Philox4x32-10: key = seed, counter = (index, stream), each its low word first. */
void hlx_philox(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4]);

/* The stream of a purpose (init, shuffle, sampling ...) and a path ("layer.3.fc.weight"): XXH64(path, seed purpose). */
#define HLX_PURPOSE_NODE 5u /* key of struct hlx_node */
uint64_t hlx_stream(uint32_t purpose, const char *path);

/*
 * A normal variate by the central limit: twelve 32-bit uniforms, Philox blocks 3 * element + 0, 1, 2; within 6 deviations,
 * mean 0 exactly.  As it is stored in memory (hlx_store).
 */
float hlx_init_normal(uint64_t seed, uint64_t stream, uint64_t element, double deviation);

/* cos(pi x) for x in [0, 1]; beyond, as at the nearest end.  Error < 1e-15; 1 at 0, 0 at 1/2, -1 at 1. */
double hlx_cos_pi(double x);

/* b^n by repeated squaring, from the low bit of n up; for b in [0, 1]. */
double hlx_pow_int(double b, uint64_t n);

/* beta^t as the optimizer gets it: once rounded to float, and 0 below 2^-50. */
float hlx_beta_power(double beta, uint64_t t);

enum hlx_decay { HLX_DECAY_CONSTANT = 1, HLX_DECAY_LINEAR, HLX_DECAY_COSINE };

/* peak, final_ratio: finite.  Steps count from 1: lr is peak at step `warmup`, final_ratio * peak at step `total`. */
struct hlx_schedule {
	enum hlx_decay decay;
	double peak;
	double final_ratio; /* of peak; not used when constant */
	uint64_t warmup;    /* steps of the linear way up; 0: none */
	uint64_t total;
};
float hlx_schedule_lr(const struct hlx_schedule *s, uint64_t step);

/* Where i goes in a permutation of [0, n) that (seed, stream) picks; i < n <= 2^62. */
uint64_t hlx_permute(uint64_t seed, uint64_t stream, uint64_t i, uint64_t n);

/*
 * The state hash of hlx/math.h: two 32-bit sums in one word, high << 32 | low.  The hash of a tensor is the hlx_hash_add of
 * the hashes of its parts, in any split and order; that of the state, of its tensors.  Of nothing it is 0.
 */
uint64_t hlx_hash_key(const char *path);
uint64_t hlx_hash_words(uint64_t key, uint64_t first_element, const uint32_t *bits, size_t n);
uint64_t hlx_hash_add(uint64_t a, uint64_t b);

/* The chained hash of a step: XXH64 of the arguments' bytes, little-endian, in their order. */
uint64_t hlx_chain(uint64_t prev, uint64_t step, uint32_t loss_bits, uint64_t state);

/*
 * Decimal numbers as an INI has them, whatever the user's locale: the whole string, no white space, hexadecimal,
 * infinity or NaN; correctly rounded to double; to float from there.  False: *out is as it was.
 */
bool hlx_parse_double(const char *text, double *out);
bool hlx_parse_float(const char *text, float *out);

/* The fewest digits that parse to the same double, as people write it: 0.1, 100, 1e-8; with a point; as snprintf returns. */
int hlx_format_double(char *buf, size_t size, double x);

/*
 * The thread's floating-point environment.  Loading a library that was linked with -Ofast sets flush-to-zero; a host
 * call may leave anything behind:
 *     hlx_fpenv_enter(&env); dlopen(...); hlx_fpenv_restore(&env);
 */
struct hlx_fpenv {
	fenv_t env;
};
void hlx_fpenv_save(struct hlx_fpenv *e);
void hlx_fpenv_restore(const struct hlx_fpenv *e);
void hlx_fpenv_default(void);              /* to nearest, denormals kept, no traps */
void hlx_fpenv_enter(struct hlx_fpenv *e); /* save, then default */
bool hlx_fpenv_flush(bool on);             /* for tests: flush-to-zero, of operands too; false where we know no way */

#endif
