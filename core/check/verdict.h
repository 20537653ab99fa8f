/*
 * check/verdict.h - which kernels were tried on a device and driver, kept in $XDG_CACHE_HOME/hlx/<uuid>.verdicts.
 *
 *   | XXH64 of the rest | "hlxverd1" | key | key | ...        8 bytes each, host byte order
 *
 * A key stands for: device, driver, processor, hlx's version, both plugins' files, op and implementation, SPIR-V,
 * specialization.  Only what passed has one.  A file that cannot be read, or is not whole, means that nothing was tried.
 *
 * Threads: [main].
 */
#ifndef HLX_CHECK_VERDICT_H
#define HLX_CHECK_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

struct hlx_device;
struct hlx_pipeline;
struct hlx_registry;
struct hlx_op;
struct hlx_impl;
struct hlx_verdicts;

/* dev->verdicts, read from disk the first time; NULL without memory. */
struct hlx_verdicts *hlx_verdicts_get(struct hlx_device *);
void hlx_verdicts_destroy(struct hlx_verdicts *);
bool hlx_verdicts_has(const struct hlx_verdicts *, uint64_t key);
void hlx_verdicts_add(struct hlx_verdicts *, uint64_t key);
/* Writes what was added, with what others have written meanwhile, where it can. */
void hlx_verdicts_save(struct hlx_device *);

/* Of all but the kernel; 0 where a plugin's file cannot be read: nothing is kept then. */
uint64_t hlx_verdict_base(const struct hlx_device *, const struct hlx_registry *, const struct hlx_op *,
		const struct hlx_impl *);
/* pipeline NULL: what an implementation computes on the host */
uint64_t hlx_verdict_key(uint64_t base, const struct hlx_pipeline *);

#endif
