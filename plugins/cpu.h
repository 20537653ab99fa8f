/* cpu.h - the host's side of cpu.glsl. */
#ifndef CPU_H
#define CPU_H

#include "hlx/plugin.h"

/*
 * Whether vec4s are stored as two words of 64 bits.  lavapipe 22.3.6 stores in a loop over the lanes, which keeps each word's
 * vector in memory first, all of it for one lane: with half the words row ops take 0.92 to 0.95 x the time (Zen 4, 8 lanes and 16).
 * 25 and 26, which are known by uniform, have no need of it, and 26.2.6 crashes as it compiles such stores for 16 lanes.
 */
static inline bool cpu_wide(const struct hlx_caps *caps)
{
	return caps->int64 && !caps->uniform;
}

/* supports() of what reads texels: a binding that sees 1 MiB (SwiftShader's) would take many windows. */
static inline int cpu_texels(const struct hlx_host *host)
{
	const struct hlx_caps *caps = host->caps;

	if (caps && (!caps->cpu || !caps->int64 || caps->max_texels < caps->max_range / 16))
		return host->fail(host, HLX_ENOTSUP, "for CPU drivers with integers of 64 bits whose texel bindings see as much as others");
	return 0;
}

/* supports() of what has a subgroup for a workgroup, and values of lanes whose number is constant. */
static inline int cpu_lanes(const struct hlx_host *host)
{
	const struct hlx_caps *caps = host->caps;

	if (!caps->shuffle || (caps->subgroup != 4 && caps->subgroup != 8 && caps->subgroup != 16))
		return host->fail(host, HLX_ENOTSUP, "wants subgroups of 4, 8 or 16 with shuffles");
	return 0;
}

#endif
