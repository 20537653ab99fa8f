/*
 * gemm_next.glsl - a neighbour's work at the end of a product (enum gemm_next in gemm.h).  r is what the product alone
 * would store, e what the neighbour reads besides: the other addend, or gelu's input in its backward pass.
 */
#include "../gelu/gelu.glsl"

const uint WORK = NEXT_SPEC & 7u;
const bool BIASED = (NEXT_SPEC & 8u) != 0u;
const bool IS_ADD = WORK == 1u;
const bool IS_KEEP = WORK == 3u; /* r is stored, too */
const bool IS_BACKWARD = WORK == 4u;

vec4 gemm_next(vec4 r, vec4 e)
{
	if (IS_ADD)
		return hlx_store(r + e);
	if (IS_BACKWARD)
		return hlx_store(gelu_slope(e, r));
	return hlx_store(gelu_value(r));
}
