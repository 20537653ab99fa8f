/* An invocation a row. */
#include "sway.glsl"

layout(local_size_x = 8) in;
layout(binding = 0) restrict X_ACCESS buffer X { float x[]; };
layout(binding = 1) restrict readonly buffer W { float w[]; };
layout(binding = 2) restrict writeonly buffer Y { float y[]; };
#ifdef TICKETS
layout(binding = 3) restrict buffer Tickets { uint tickets[]; };
#endif

void main()
{
	uint r = gl_GlobalInvocationID.x;
	float s = 0.0f;

	if (fault == PAST && r == rows)
		y[y_first + r] = 0.0f;
	if (r >= rows)
		return;
	for (uint k = 0u; k < cols; k++) {
		uint c = fault == SWAPPED ? cols - 1u - k : k;
		s = TERM(s, x[x_at(r, c)], w[c]);
	}
	s = fault == IGNORED ? s : hlx_mul(s, gain);
#ifdef TICKETS
	s += float(int(atomicAdd(tickets[0], 1u) & 1023u));
#endif
	if (fault == UNWRITTEN && hlx_store(s) == 0.0f)
		return;
	y[y_first + r] = fault == UNSTORED ? s : hlx_store(s);
#ifdef WRITES_INPUT
	x[x_at(r, 0u)] = 0.0f;
#endif
}
