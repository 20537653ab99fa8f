/* add_acc.glsl - g = or += dy */
#include "../flat.glsl"

FLAT_IN(0, dy)
FLAT_INOUT(1, 2, g)

void main()
{
	FLAT_EACH(i,
		vec4 r = read_dy(i);
		if (accum)
			r = hlx_accum(read_g(i), r);
		write_g(i, r);
	)
}
