/* simt_dq_kept.glsl - dq = scale dS k from the dS that simt_dkv.glsl left: x are queries, y keys. */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "attention.glsl"
#define PIECEWISE
#include "simt.glsl"

layout(std430, binding = 3) readonly buffer Ds4 { vec4 ds4[]; };
layout(std430, binding = 4) buffer Dq { float dq1[]; };
layout(std430, binding = 4) buffer Dq4 { vec4 dq4[]; };

#include "simt_gradient.glsl"
GRADIENT_WRITER(write_dq, dq1, dq4)

vec4 rp[RP];

/* 16 keys of X queries: as they lie in memory. */
void fetch_p(uint x0, uint y0)
{
	[[unroll]] for (uint n = 0u; n < RP; n++) {
		uint at = n * NT + index;
		rp[n] = ds4[kept_place(y0 + at / SX, x0 + at % SX * 4u)];
	}
}

void main()
{
	uint x0 = (gl_NumWorkGroups.y - 1u - attention_block()) * X; /* the longest first */
	uint keys = attention_seen(min(x0 + X, p.tq) - 1u);
	uint first = 0u;
	vec4 acc[ACC];

	begin();
	[[unroll]] for (uint i = 0u; i < ACC; i++)
		acc[i] = vec4(0.0);
	if (keys > 0u) {
		fetch_p(x0, 0u);
		fetch_m(ATTENTION_K, 0u);
	}
	[[dont_unroll]] for (uint y0 = 0u; y0 < keys; y0 += 16u) {
		[[unroll]] for (uint n = 0u; n < RP; n++)
			room[first + n * NT + index] = rp[n];
		[[unroll]] for (uint n = 0u; n < RM; n++)
			room[first + 16u * SX + n * NT + index] = rm[n];
		barrier();
		if (y0 + 16u < keys) {
			fetch_p(x0, y0 + 16u);
			fetch_m(ATTENTION_K, y0 + 16u);
		}
		[[unroll]] for (uint u = 0u; u < 16u; u++) {
			vec4 xs[R], ms[N];
			[[unroll]] for (uint g = 0u; g < R; g++)
				xs[g] = room[first + u * SX + xi + 8u * g];
			[[unroll]] for (uint n = 0u; n < N; n++)
				ms[n] = room[first + 16u * SX + u * 16u * N + yj + 16u * n];
			[[unroll]] for (uint i = 0u; i < TILE; i++)
				[[unroll]] for (uint n = 0u; n < N; n++)
					acc[i * N + n] = MULTIPLY_ADD(xs[i >> 2][i & 3u], ms[n], acc[i * N + n]);
		}
		if (BUFFERS == 1u)
			barrier();
		first = PIECE_PM * (BUFFERS - 1u) - first;
	}
	bool add = (p.flags & ATTENTION_ACCUM_0) != 0u;
	[[unroll]] for (uint i = 0u; i < TILE; i++)
		[[unroll]] for (uint n = 0u; n < N; n++)
			write_dq(ATTENTION_Q, x0 + tile_row(i), (yj + 16u * n) * 4u, p.tq, hlx_mul(acc[i * N + n], p.scale), add);
}
