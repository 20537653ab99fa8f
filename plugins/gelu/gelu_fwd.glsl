/* gelu_fwd.glsl - y = gelu(x) */
#include "../flat.glsl"
#include "gelu.glsl"

FLAT_IN(0, x)
FLAT_OUT(1, y)

void main()
{
	FLAT_EACH(i,
		write_y(i, hlx_store(gelu_value(read_x(i))));
	)
}
