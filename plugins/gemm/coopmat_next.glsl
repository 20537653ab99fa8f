/* coopmat_next.glsl - a tile of coopmat.glsl that ends with a neighbour's work (gemm_next.glsl). */
layout(constant_id = 11) const uint NEXT_SPEC = 1u;
#include "tile_next.glsl"

/* 4 columns of a row of C. */
void finish(vec4 acc, uint row, uint col)
{
	uint at = c_first + row * p.c_row + col;
	if (!EDGE || !C_SCALAR && row < p.m && col + 4u <= p.n) {
		vec4 r = result(acc, col);
		if (IS_KEEP)
			F4[at >> 2] = r;
		vec4 e = vec4(0.0);
		if (IS_ADD || IS_BACKWARD)
			e = E4[at >> 2];
		C4[at >> 2] = gemm_next(r, e);
		return;
	}
	for (uint c = 0u; c < 4u; c++)
		if (row < p.m && col + c < p.n) {
			float r = hlx_store(acc[c] + (BIASED ? bias[p.bias_base + col + c] : 0.0));
			if (IS_KEEP)
				F[at + c] = r;
			C[at + c] = gemm_next(vec4(r), vec4(IS_ADD || IS_BACKWARD ? E[at + c] : 0.0)).x;
		}
}
