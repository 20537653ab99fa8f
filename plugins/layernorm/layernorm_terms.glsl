/*
 * layernorm_terms.glsl - the terms of dgamma and dbeta: one chain over 32 positions of a sequence, for each column.
 *
 * x, dy: (sequences, positions, d)   stats: (rows, 2) mean, rstd
 * terms: (sequences, blocks of 32 positions, 2, d rounded up to 4): the sums of dy * xhat, then those of dy
 *
 * A lane owns 4 columns of one block: x workgroups of 64 such lanes (specialization constant 2), y blocks.  It reads AHEAD rows
 * before it adds them, so that their loads wait together; those past the block's end repeat its last row and count as +0.
 */
#define HLX_OWN_LAYOUT
#define ROWS_VEC_ID 0
#include "hlx.glsl"
#include "../rows.glsl"
#include "layernorm_stats.glsl"

layout(local_size_x = 64, local_size_x_id = 2) in;
#ifdef HLX_PUBLIC
const uint AHEAD = 8u;
#else
layout(constant_id = 1) const uint AHEAD = 8u;
#endif
layout(push_constant) uniform Push {
	uint positions, d_model;
	uint first_block; /* of this dispatch */
	uint first_row;   /* the one where x, dy and stats start */
} ONCE_BLOCK(push);
ONCE(uint, push, positions)
ONCE(uint, push, d_model)
ONCE(uint, push, first_block)
ONCE(uint, push, first_row)
ROWS_IN(0, x)
ROWS_IN(1, dy)
LAYERNORM_STATS(2)
layout(binding = 3) writeonly restrict buffer Terms { vec4 terms[]; };

void main()
{
	uint groups = (d_model + 3u) / 4u, g = gl_GlobalInvocationID.x;
	uint blocks = (positions + 31u) / 32u, block = first_block + gl_WorkGroupID.y;
	uint p = block % blocks * 32u, row = block / blocks * positions + p - first_row;
	uint end = row + min(positions - p, 32u);
	vec4 dgamma = vec4(0.0f), dbeta = vec4(0.0f);
	if (g >= groups)
		return;
	do {
		vec4 x[AHEAD], dy[AHEAD];
		vec2 stats[AHEAD];
		[[unroll]] for (uint i = 0u; i < AHEAD; i++) {
			uint r = min(row + i, end - 1u);
			stats[i] = read_stats(r);
			dy[i] = read_dy(r, g, d_model);
			x[i] = read_x(r, g, d_model);
		}
		[[unroll]] for (uint i = 0u; i < AHEAD; i++) {
			vec4 v = mix(vec4(0.0f), dy[i], bvec4(row + i < end));
			dgamma += hlx_mul(v, hlx_mul(x[i] - vec4(stats[i].x), stats[i].y));
			dbeta += v;
		}
		row += AHEAD;
	} while (row < end);
	uint at = block * 2u * groups + g;
	terms[at] = dgamma;
	terms[at + groups] = dbeta;
}
