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

#endif
