/*
 * simt_next.glsl - a tile of simt.glsl that ends with a neighbour's work (gemm_next.glsl).
 *
 * An addition is made where the sum is; gelu goes over what has just been stored, two vec4 a turn of a short loop: its code
 * runs once, and written out for each accumulator it costs more than the kernel that it saves.
 */
#ifdef FMA
layout(constant_id = 8) const uint NEXT_SPEC = 1u;
#else
layout(constant_id = 7) const uint NEXT_SPEC = 1u;
#endif
#include "tile_next.glsl"
/* Those of 4 elements of C that there are: the sum with the other addend, or what gelu is to be taken of. */
void part_alone(vec4 acc, uint row, uint col)
{
	uint at = c_first + row * p.c_row + col;
	for (uint c = 0u; c < 4u; c++)
		if (row < p.m && col + c < p.n) {
			float r = hlx_store(acc[c] + (BIASED ? bias[p.bias_base + col + c] : 0.0));
			if (IS_KEEP)
				F[at + c] = r;
			else
				C[at + c] = IS_ADD ? hlx_store(r + E[at + c]) : r;
		}
}

void part_next(uint row, uint col)
{
	uint at = c_first + row * p.c_row + col;
	vec4 r = vec4(0.0), e = vec4(0.0);
	for (uint c = 0u; c < 4u; c++)
		if (row < p.m && col + c < p.n) {
			r[c] = IS_KEEP ? F[at + c] : C[at + c];
			e[c] = IS_BACKWARD ? E[at + c] : 0.0;
		}
	vec4 y = gemm_next(r, e);
	for (uint c = 0u; c < 4u; c++)
		if (row < p.m && col + c < p.n)
			C[at + c] = y[c];
}

/* Vec4s at a and b, in their place. */
void next(uint a, uint b)
{
	vec4 ra = IS_KEEP ? F4[a] : C4[a], rb = IS_KEEP ? F4[b] : C4[b], ea = vec4(0.0), eb = vec4(0.0);
	if (IS_BACKWARD) {
		ea = E4[a];
		eb = E4[b];
	}
	ra = gemm_next(ra, ea);
	rb = gemm_next(rb, eb);
	C4[a] = ra;
	C4[b] = rb;
}
