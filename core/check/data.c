#include "core/check/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/numerics.h"
#include "hlx/math.h"

#define SEED 20240917u
#define NEAR 0x1p-7f

const char *const hlx_family_name[HLX_FAMILY_COUNT + 1] = { "normal", "tiny", "huge", "zero", "mixed", "edge", "far", "hand-made" };

uint64_t hlx_data_stream(const char *path, uint64_t turn)
{
	return hlx_hash_add(hlx_hash_key(path), turn * 0x9e3779b97f4a7c15u);
}

/* +-1.f * 2^e */
static float of_exponent(const uint32_t u[4], int e)
{
	return hlx_float((u[1] & 0x807fffffu) | (uint32_t)(127 + e) << 23);
}

/* Four uniforms of 32 bits make a deviation of 1 and nothing beyond 3.5: one block of Philox, where an initial weight has three. */
static float normal(const uint32_t u[4])
{
	int64_t sum = 2 - (INT64_C(2) << 32) + u[0] + u[1] + u[2] + u[3];

	return hlx_store((float)((double)sum * (1.7320508075688772 * 0x1p-32)));
}

static float far(const uint32_t u[4])
{
	return (u[0] ^ u[3]) % 64 ? normal(u) : u[1] & 1 ? -1e30f : 1e30f;
}

static float mixed(const uint32_t u[4])
{
	switch (u[0] & 3) {
	case 0:
		return 0.0f;
	case 1:
		return normal(u);
	case 2:
		return of_exponent(u, (int)(u[2] % 70) - 49);
	default:
		return of_exponent(u, (int)(u[2] % 35) - 30);
	}
}

static float edge(const uint32_t u[4])
{
	static const float at[] = { 0x1p-50f, 0x1.000002p-50f, 0x1.fffffep-51f, 0x1.fffffep-50f, 0x1p-49f, 0x1p-25f, 0x1.6a09e6p-26f,
		0x1p-64f, 0x1p-126f, 1.0f, 0x1.fffffep-1f, 0.0f };
	float x = at[u[2] % (sizeof(at) / sizeof(*at))];

	return u[1] & 1 ? -x : x;
}

float hlx_data_float(enum hlx_family family, uint64_t stream, uint64_t i)
{
	uint32_t u[4];

	hlx_philox(SEED + 1, stream, i, u);
	switch (family) {
	case HLX_FAMILY_TINY:
		return hlx_store(of_exponent(u, (int)(u[2] % 10) - 50));
	case HLX_FAMILY_HUGE:
		return of_exponent(u, 49); /* 0.56e15 to 1.1e15 */
	case HLX_FAMILY_ZERO:
		return 0.0f;
	case HLX_FAMILY_MIXED:
		return hlx_store(mixed(u));
	case HLX_FAMILY_EDGE:
		return hlx_store(edge(u));
	case HLX_FAMILY_FAR:
		return far(u);
	default:
		return normal(u);
	}
}

uint32_t hlx_data_index(enum hlx_family family, uint64_t stream, uint64_t i, uint32_t below)
{
	uint32_t u[4];

	hlx_philox(SEED + 2, stream, i, u);
	if (family == HLX_FAMILY_MIXED && u[1] % 16 == 0)
		return UINT32_MAX;
	return u[0] % below;
}

void hlx_data_floats(float *out, uint64_t n, enum hlx_family family, uint64_t stream)
{
	if (family == HLX_FAMILY_ZERO)
		memset(out, 0, n * sizeof(*out));
	for (uint64_t i = 0; i < n && family != HLX_FAMILY_ZERO; i++)
		out[i] = hlx_data_float(family, stream, i);
}

/*
 * layernorm of a row of 512 with eps = 2^-7, made so that rstd is 2 and everything but a few terms is exact: 124 elements
 * are +-1.  Columns 0, 64 ... 256, which one lane adds up, have dy * gamma * xhat = 2^-130, 2^-110, 2^-86, 2^-62, 2^-38:
 * with the first, which is a denormal, the next sum is above a tie and not on it, and so is each after it; 2^-38 comes
 * out one unit higher.  Columns 1, 65 ... cancel their x in the mean, columns 2, 66 ... their dy * gamma.
 */
static float hand(const char *path, uint64_t i)
{
	static const float x[] = { 0x1p-31f, 0x1p-11f, 0x1p-11f, 0x1p-11f, 0x1p-11f };
	static const float dy[] = { 0x1p-50f, 0x1p-50f, 0x1p-38f, 0x1p-26f, 0x1p-14f }; /* gamma is the same */
	uint64_t k = i / 64, lane = i % 64;

	if (!strcmp(path, "x"))
		return lane >= 32 && i < 4 * 64 - 4 ? (lane % 2 ? -1.0f : 1.0f) :
			k > 4 || lane > 1 ? 0.0f : lane ? -x[k] : x[k];
	if (strstr(path, "beta"))
		return 0.0f;
	if (k > 4 || (lane != 0 && lane != 2))
		return strstr(path, "gamma") ? 1.0f : 0.0f;
	return strstr(path, "gamma") || !lane ? dy[k] : -dy[k];
}

void hlx_data_tensor(float *out, uint64_t n, enum hlx_family family, const char *path, uint64_t turn)
{
	if (family != HLX_FAMILY_HAND)
		hlx_data_floats(out, n, family, hlx_data_stream(path, turn));
	for (uint64_t i = 0; i < n && family == HLX_FAMILY_HAND; i++)
		out[i] = hand(path, i);
}

bool hlx_data_finite(uint32_t bits)
{
	return (bits & 0x7f800000u) != 0x7f800000u;
}

float hlx_data_largest(const float *x, uint64_t n)
{
	float most = 0;

	for (uint64_t i = 0; i < n; i++)
		if (hlx_data_finite(hlx_bits(x[i])) && fabsf(x[i]) > most)
			most = fabsf(x[i]);
	return most;
}

bool hlx_data_near(uint32_t got, uint32_t want, float most, enum hlx_tier tier)
{
	if (got == want)
		return true;
	if (!hlx_data_finite(want))
		return true;
	return tier == HLX_DEVICE && hlx_data_finite(got) && fabsf(hlx_float(got) - hlx_float(want)) <= NEAR * most;
}

uint64_t hlx_data_compare(const float *got, const float *want, uint64_t n)
{
	uint64_t i = 0;

	while (i < n && (hlx_bits(got[i]) == hlx_bits(want[i]) ||
			(hlx_bits_nan(hlx_bits(got[i])) && hlx_bits_nan(hlx_bits(want[i])))))
		i++;
	return i;
}
