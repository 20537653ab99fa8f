/*
 * wide.c - lavapipe uses 256 bits of a CPU that has 512 unless LP_NATIVE_VECTOR_WIDTH says more.  A step of tiny takes 0.76 x
 * the time with all of them on 22.3.6, 0.69 x on 26.2.6 (Zen 4; both with what the kernels do for 16 lanes).  Not every
 * lavapipe is right then: 25.0.7 fails hlxt check.
 */
#include "runner/cli.h"

#include <stdlib.h>
#include <string.h>

#define VARIABLE "LP_NATIVE_VECTOR_WIDTH"
#define LAVAPIPE "llvmpipe Mesa " /* of the driver, before the release */

static bool cpu_has_512(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
	return false;
#endif
}

/* 22.3.6 and 26.2.6 pass hlxt check with 512 bits; what comes after them has the self-test of each kernel to pass. */
static bool is_fit(const struct hlx_device_info *d)
{
	int release = strncmp(d->driver, LAVAPIPE, strlen(LAVAPIPE)) ? 0 : atoi(d->driver + strlen(LAVAPIPE));

	return release == 22 || release >= 26;
}

bool cli_widen(const struct hlx_device_info *d)
{
	return d->caps.cpu && d->caps.subgroup == 8 && is_fit(d) && !getenv(VARIABLE) && cpu_has_512() &&
	       setenv(VARIABLE, "512", 0) == 0;
}

/* A width is all lavapipes', so those of a list have it only where none would be wrong with it. */
int cli_list_devices(struct hlx_device_info list[CLI_DEVICES])
{
	uint32_t n = 0, lavapipes = 0, fit = 0;
	const struct hlx_device_info *last = NULL;

	CLI_TRY(hlx_device_list(list, CLI_DEVICES, &n));
	n = n < CLI_DEVICES ? n : CLI_DEVICES;
	for (uint32_t i = 0; i < n; i++)
		if (!strncmp(list[i].driver, LAVAPIPE, strlen(LAVAPIPE))) {
			last = &list[i];
			lavapipes++;
			fit += is_fit(last);
		}
	if (last && fit == lavapipes && cli_widen(last)) {
		CLI_TRY(hlx_device_list(list, CLI_DEVICES, &n));
		n = n < CLI_DEVICES ? n : CLI_DEVICES;
	}
	return (int)n;
}
