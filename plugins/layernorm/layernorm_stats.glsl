/* layernorm_stats.glsl - mean and rstd of a row, as the backward kernels read them: two rows a texel. */
#ifdef ROWS_TEXEL
#define LAYERNORM_STATS(b) \
	layout(binding = b) uniform samplerBuffer stats_texels; \
	vec2 read_stats(uint row) \
	{ \
		vec4 two = texelFetch(stats_texels, int(row / 2u)); \
		return row % 2u == 0u ? two.xy : two.zw; \
	}
#else
#define LAYERNORM_STATS(b) \
	layout(binding = b) readonly restrict buffer Stats { vec2 stats[]; }; \
	vec2 read_stats(uint row) \
	{ \
		return stats[row]; \
	}
#endif
