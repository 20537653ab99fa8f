/* add_fwd.glsl - y = store(a + b) */
#include "../flat.glsl"

FLAT_IN(0, a)
FLAT_IN(1, b)
FLAT_OUT(2, y)

void main()
{
	FLAT_EACH(i,
		write_y(i, hlx_store(read_a(i) + read_b(i)));
	)
}
