/*
 * fastmath.c - what a library linked with -ffast-math does to the thread that loads it: denormals are flushed from then
 * on.  gcc's crtfastmath.o does it too where it is linked (-ffast-math in this module's LDFLAGS; gcc 13 stopped
 * that for shared objects), and init() once more.
 */
#include "hlx/plugin.h"

#ifdef __x86_64__
#include <xmmintrin.h>
#endif

static __attribute__((constructor)) void flush(void)
{
#if defined(__x86_64__)
	_mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
	uint64_t fpcr;
	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	__asm__ volatile("msr fpcr, %0" : : "r"(fpcr | UINT64_C(1) << 24));
#endif
}

static int init(const struct hlx_host *host)
{
	(void)host;
	flush();
	return 0;
}

HLX_PLUGIN(.name = "fastmath", .version = "1", .license = "MIT", .init = init);
