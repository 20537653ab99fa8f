/* dropout_bwd.glsl - dx = or += drop(dy) */
#ifdef FLAT_TEXEL
#define DROPOUT_STEP 3
#else
#define DROPOUT_STEP 2
#endif
#include "dropout.glsl"

FLAT_IN(0, dy)
FLAT_INOUT(1, 2, dx)

void main()
{
	FLAT_EACH(i,
		vec4 r = drop(i, read_dy(i));
		if (accum)
			r = hlx_store(read_dx(i) + r);
		write_dx(i, r);
	)
}
