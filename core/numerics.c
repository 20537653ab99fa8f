/* Built with -std=c11 -ffp-contract=off.  -lm is for fenv only: no function of libm that computes is called. */
#define _POSIX_C_SOURCE 200809L

#include "core/numerics.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "hlx/math.h"
#include "hlx/philox.h"

void hlx_philox(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4])
{
	const struct hlx_words4 counter = { (uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32) };
	const struct hlx_words4 words = hlx_philox4x32(counter, (uint32_t)seed, (uint32_t)(seed >> 32));
	memcpy(out, &words, sizeof words);
}

uint64_t hlx_stream(uint32_t purpose, const char *path)
{
	return XXH64(path, strlen(path), purpose);
}

float hlx_init_normal(uint64_t seed, uint64_t stream, uint64_t element, double deviation)
{
	/* A uniform's mean is 2^31 - 1/2; twelve half steps make 6, and the sum symmetric about 0.  |sum| <= 6 2^32: exact. */
	int64_t sum = 6 - (INT64_C(6) << 32);
	for (uint64_t j = 0; j < 3; j++) {
		uint32_t u[4];
		hlx_philox(seed, stream, 3 * element + j, u);
		sum += (int64_t)u[0] + u[1] + u[2] + u[3];
	}
	return hlx_store((float)((double)sum * 0x1p-32 * deviation));
}

/* cos(pi x) = sin(t), t = pi (1/2 - x): the Taylor series to t^21, whose rest is 1.6e-18 at pi/2. */
double hlx_cos_pi(double x)
{
	static const double inverse_factorial[] = {
		1.0 / 51090942171709440000.0, -1.0 / 121645100408832000.0, 1.0 / 355687428096000.0, -1.0 / 1307674368000.0,
		1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0, -1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0,
	};
	if (!(x > 0.0))
		return 1.0;
	if (x >= 1.0)
		return -1.0;
	double t = 0x1.921fb54442d18p+1 * (0.5 - x);
	double z = t * t;
	double p = 0.0;
	for (size_t i = 0; i < sizeof inverse_factorial / sizeof *inverse_factorial; i++)
		p = p * z + inverse_factorial[i];
	double s = t + t * (z * p);
	return s > 1.0 ? 1.0 : s < -1.0 ? -1.0 : s;
}

double hlx_pow_int(double b, uint64_t n)
{
	/* A factor that is denormal, or flushed, makes the power smaller than itself: beta^t is 0 either way. */
	double r = 1.0;
	for (; n; n >>= 1) {
		if (n & 1)
			r = r * b;
		b = b * b;
	}
	return r;
}

float hlx_beta_power(double beta, uint64_t t)
{
	return hlx_store((float)hlx_pow_int(beta, t));
}

static double decay_factor(const struct hlx_schedule *s, double p)
{
	switch (s->decay) {
	case HLX_DECAY_LINEAR:
		return s->final_ratio + (1.0 - s->final_ratio) * (1.0 - p);
	case HLX_DECAY_COSINE:
		return s->final_ratio + (1.0 - s->final_ratio) * (0.5 + 0.5 * hlx_cos_pi(p));
	default:
		return 1.0;
	}
}

float hlx_schedule_lr(const struct hlx_schedule *s, uint64_t step)
{
	double lr;
	if (step < s->warmup)
		lr = s->peak * ((double)step / (double)s->warmup);
	else if (step < s->total)
		lr = s->peak * decay_factor(s, (double)(step - s->warmup) / (double)(s->total - s->warmup));
	else
		lr = s->peak * decay_factor(s, step == s->warmup ? 0.0 : 1.0);
	return hlx_store((float)lr);
}

/*
 * A balanced Feistel network over the next power of four, applied until it lands below n: at most 4 times on average.
 * 8 rounds, each a Philox block: four suffice for a pseudo-random permutation of large n, small ones need more.
 */
uint64_t hlx_permute(uint64_t seed, uint64_t stream, uint64_t i, uint64_t n)
{
	unsigned half = 1;
	while (half < 31 && UINT64_C(1) << (2 * half) < n)
		half++;
	const uint32_t mask = (uint32_t)((UINT64_C(1) << half) - 1);
	if (n < 2)
		return 0;
	do {
		uint32_t l = (uint32_t)(i >> half), r = (uint32_t)i & mask;
		for (uint64_t round = 0; round < 8; round++) {
			uint32_t f[4], next;
			hlx_philox(seed, stream, round << 32 | r, f);
			next = l ^ (f[0] & mask);
			l = r;
			r = next;
		}
		i = (uint64_t)l << half | r;
	} while (i >= n);
	return i;
}

uint64_t hlx_hash_key(const char *path)
{
	return XXH64(path, strlen(path), 0);
}

uint64_t hlx_hash_words(uint64_t key, uint64_t first_element, const uint32_t *bits, size_t n)
{
	const uint32_t key_lo = (uint32_t)key, key_hi = (uint32_t)(key >> 32);
	uint32_t lo = 0, hi = 0;
	for (size_t i = 0; i < n;) {
		const uint64_t e = first_element + i;
		const uint32_t base = hlx_hash_base(key_lo, key_hi, (uint32_t)(e >> 32));
		const uint64_t room = (UINT64_C(1) << 32) - (uint32_t)e; /* until the index's high word changes */
		const size_t end = n - i < room ? n : i + (size_t)room;
		for (uint32_t index = (uint32_t)e; i < end; i++, index++) {
			const uint32_t h = hlx_hash_lo(base, index, bits[i]);
			lo += h;
			hi += hlx_hash_hi(h, key_hi);
		}
	}
	return (uint64_t)hi << 32 | lo;
}

uint64_t hlx_hash_add(uint64_t a, uint64_t b)
{
	const uint32_t lo = (uint32_t)a + (uint32_t)b;
	const uint32_t hi = (uint32_t)(a >> 32) + (uint32_t)(b >> 32);
	return (uint64_t)hi << 32 | lo;
}

uint64_t hlx_chain(uint64_t prev, uint64_t step, uint32_t loss_bits, uint64_t state)
{
	unsigned char bytes[28]; /* little-endian, as the host is: hlx/math.h refuses others */
	memcpy(bytes, &prev, 8);
	memcpy(bytes + 8, &step, 8);
	memcpy(bytes + 16, &loss_bits, 4);
	memcpy(bytes + 20, &state, 8);
	return XXH64(bytes, sizeof bytes, 0);
}

bool hlx_parse_double(const char *text, double *out)
{
	if (!*text || text[strspn(text, "+-.0123456789eE")])
		return false;
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c)
		return false;
	locale_t user = uselocale(c);
	char *end;
	double x = strtod(text, &end);
	uselocale(user);
	freelocale(c);
	if (end == text || *end || !isfinite(x))
		return false;
	*out = x;
	return true;
}

bool hlx_parse_float(const char *text, float *out)
{
	double x;
	if (!hlx_parse_double(text, &x) || !hlx_is_finite((float)x))
		return false;
	*out = (float)x;
	return true;
}

/* 17 digits tell any double from its neighbours; most that people write take fewer. */
static void shortest(char text[40], double x)
{
	int digits = 0;

	if (x > -1e15 && x < 1e15 && x == (double)(int64_t)x) /* not 1e+02 */
		snprintf(text, 40, "%.0f", x);
	else
		do
			snprintf(text, 40, "%.*g", ++digits, x);
		while (digits < 17 && strtod(text, NULL) != x);
}

/* 1e-08 is 1e-8. */
static void strip_exponent(char *text)
{
	char *e = strchr(text, 'e'), *from = e ? e + 2 + strspn(e + 2, "0") : NULL;

	if (e)
		memmove(e + 2, from, strlen(from) + 1);
}

int hlx_format_double(char *buf, size_t size, double x)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), user;
	char text[40];

	if (!c)
		return -1;
	user = uselocale(c);
	shortest(text, x);
	uselocale(user);
	freelocale(c);
	strip_exponent(text);
	return snprintf(buf, size, "%s", text);
}

void hlx_fpenv_save(struct hlx_fpenv *e)
{
	fegetenv(&e->env);
}

void hlx_fpenv_restore(const struct hlx_fpenv *e)
{
	fesetenv(&e->env);
}

void hlx_fpenv_default(void)
{
	fesetenv(FE_DFL_ENV);
}

void hlx_fpenv_enter(struct hlx_fpenv *e)
{
	hlx_fpenv_save(e);
	hlx_fpenv_default();
}

bool hlx_fpenv_flush(bool on)
{
#if defined(__x86_64__)
	const unsigned bits = 0x8040; /* flush to zero, denormals are zero */
	_mm_setcsr(on ? _mm_getcsr() | bits : _mm_getcsr() & ~bits);
	return true;
#elif defined(__aarch64__)
	uint64_t fpcr;
	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	fpcr = on ? fpcr | UINT64_C(1) << 24 : fpcr & ~(UINT64_C(1) << 24);
	__asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
	return true;
#else
	(void)on;
	return false;
#endif
}
