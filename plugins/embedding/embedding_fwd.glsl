/*
 * y[row] = store(token[id] + position[t0 + t]), for the rows whose id and place are in these windows of the tables, and
 * NaN where they are in no table.  A workgroup takes `turns` rows one after the other, its lanes the columns, which
 * count REALs (float or vec4).
 */
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint POSITIONS = 1u;
layout(push_constant) uniform Push {
	uint row0, rows, seq_len, columns;          /* y's window starts at row0 of all */
	uint vocab, first, count;                   /* token's window: ids first to first + count - 1 of vocab */
	uint places, first_place, n_places, turns;  /* and position's */
};
layout(binding = 0) restrict readonly buffer Tokens { uint tokens[]; };
layout(binding = 1) restrict readonly buffer Token { REAL token[]; };
layout(binding = 2) restrict readonly buffer Position { REAL position[]; };
layout(binding = 3) restrict writeonly buffer Y { REAL y[]; };
layout(binding = 4) uniform Step {
	uint size, train;
	uvec2 number, seed;
	uint seq0, n_seq, t0;
};

void main()
{
	for (uint k = 0u; k < turns; k++) {
		uint row = gl_WorkGroupID.x * turns + k;
		if (row >= rows)
			break;
		uint id = tokens[row0 + row];
		uint t = t0 + (row0 + row) % seq_len;
		bool bad = id >= vocab || (POSITIONS != 0u && t >= places);
		if (bad ? (first | first_place) != 0u
			: id - first >= count || (POSITIONS != 0u && t - first_place >= n_places))
			continue;
		for (uint c = gl_LocalInvocationID.x; c < columns; c += gl_WorkGroupSize.x) {
			REAL r = REAL(hlx_float(HLX_BITS_NAN));
			if (!bad) {
				r = token[(id - first) * columns + c];
				if (POSITIONS != 0u)
					r = hlx_store(r + position[(t - first_place) * columns + c]);
			}
			y[row * columns + c] = r;
		}
	}
}
