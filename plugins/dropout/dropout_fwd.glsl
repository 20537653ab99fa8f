/* dropout_fwd.glsl - y = drop(x) */
#define DROPOUT_STEP 2
#include "dropout.glsl"

FLAT_IN(0, x)
FLAT_OUT(1, y)

void main()
{
	FLAT_EACH(i,
		write_y(i, drop(i, read_x(i)));
	)
}
