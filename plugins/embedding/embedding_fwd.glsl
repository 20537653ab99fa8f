/*
 * y[row] = store(token[id] + position[t0 + t]), for the rows whose id and place are in these windows of the tables, and
 * NaN where they are in no table.
 *
 * The rows of one place are taken AHEAD at a time (AHEAD sequences), so that the place's row is read once for them and their
 * loads are under way together.  A workgroup takes `turns` places one after the other; its lanes, and gl_WorkGroupID.y, the
 * columns, which count REALs (float or vec4).
 */
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint POSITIONS = 1u;
layout(constant_id = 2) const uint AHEAD = 1u;
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

/* Rows base, base + seq_len, ... of the window, their ids, and the place t of all of them. */
void embed(uint base, uint t, uint id[AHEAD], bool todo[AHEAD], bool bad[AHEAD])
{
	uint step = gl_WorkGroupSize.x * gl_NumWorkGroups.y;
	for (uint c = gl_WorkGroupID.y * gl_WorkGroupSize.x + gl_LocalInvocationID.x; c < columns; c += step) {
		REAL v[AHEAD], at = REAL(0.0f);
		if (POSITIONS != 0u)
			at = position[min(t - first_place, n_places - 1u) * columns + c];
		[[unroll]] for (uint i = 0u; i < AHEAD; i++)
			v[i] = token[min(id[i] - first, count - 1u) * columns + c];
		[[unroll]] for (uint i = 0u; i < AHEAD; i++) {
			REAL r = POSITIONS != 0u ? hlx_store(v[i] + at) : v[i];
			if (todo[i])
				y[(base + i * seq_len) * columns + c] = bad[i] ? REAL(hlx_float(HLX_BITS_NAN)) : r;
		}
	}
}

void main()
{
	uint chunks = (rows + AHEAD * seq_len - 1u) / (AHEAD * seq_len) * seq_len;
	for (uint k = 0u; k < turns; k++) {
		uint chunk = gl_WorkGroupID.x * turns + k;
		if (chunk >= chunks)
			break;
		uint base = chunk / seq_len * AHEAD * seq_len + chunk % seq_len, t = t0 + (row0 + base) % seq_len;
		uint id[AHEAD];
		bool todo[AHEAD], bad[AHEAD], any = false;
		[[unroll]] for (uint i = 0u; i < AHEAD; i++)
			id[i] = tokens[row0 + min(base + i * seq_len, rows - 1u)];
		[[unroll]] for (uint i = 0u; i < AHEAD; i++) {
			bad[i] = id[i] >= vocab || (POSITIONS != 0u && t >= places);
			todo[i] = base + i * seq_len < rows && (bad[i] ? (first | first_place) == 0u :
					id[i] - first < count && (POSITIONS == 0u || t - first_place < n_places));
			any = any || todo[i];
		}
		if (any)
			embed(base, t, id, todo, bad);
	}
}
