/* check/probe.h - a device's float arithmetic, asked in a dozen operations and told in words. */
#ifndef HLX_CHECK_PROBE_H
#define HLX_CHECK_PROBE_H

#include <stdbool.h>

#include "core/vulkan/device.h"

struct hlx_probe {
	bool contraction; /* NoContraction is honoured: a * b + c rounds twice */
	bool fuses;       /* without it, a * b + c rounds once */
	bool fma;         /* fma() rounds once */
	bool nearest;     /* sums and products round to nearest, ties to even */
	bool keeps;       /* denormal results are kept */
	bool reads;       /* denormal operands are */
	bool integers;    /* integers up to 2^24 become floats exactly */
	char words[320];
};
int hlx_probe(struct hlx_device *, struct hlx_probe *out);

#endif
