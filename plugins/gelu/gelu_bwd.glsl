/* gelu_bwd.glsl - dx = or += dy * gelu'(x) */
#include "../flat.glsl"
#include "gelu.glsl"

FLAT_IN(0, x)
FLAT_IN(1, dy)
FLAT_INOUT(2, 3, dx)

void main()
{
	FLAT_EACH(i,
		vec4 r = hlx_store(gelu_slope(read_x(i), read_dy(i)));
		if (accum)
			r = hlx_store(read_dx(i) + r);
		write_dx(i, r);
	)
}
