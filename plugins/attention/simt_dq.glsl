/* simt_dq.glsl - dq from scores of its own: x are queries, y keys. */
#define HLX_OWN_LAYOUT
#include "simt_backward.glsl"

layout(std430, binding = 6) buffer Dq { float dq1[]; };
layout(std430, binding = 6) buffer Dq4 { vec4 dq4[]; };

GRADIENT_WRITER(write_dq, dq1, dq4)

void main()
{
	uint x0 = (gl_NumWorkGroups.y - 1u - attention_block()) * X; /* the longest first */
	uint keys = attention_seen(min(x0 + X, p.tq) - 1u);         /* of the last query; of the first one: */
	uint full = x0 + X > p.tq ? 0u : attention_seen(x0);
	vec4 acc[ACC], t[TILE], e[TILE];
	float l[TILE], dl[TILE];

	begin();
	near = uvec2(0u, attention_seen(x0 + tile_row(TILE - 1u)));
	[[unroll]] for (uint i = 0u; i < ACC; i++)
		acc[i] = vec4(0.0);
	[[unroll]] for (uint i = 0u; i < TILE; i++) {
		l[i] = stat_lse(x0 + tile_row(i));
		dl[i] = stat_delta(x0 + tile_row(i));
	}
	[[dont_unroll]] for (uint y0 = 0u; y0 < keys; y0 += 64u) {
		fetch_ab(ATTENTION_Q, x0, ATTENTION_K, y0, 0u);
		scores(e, ATTENTION_Q, x0, ATTENTION_K, y0);
		fetch_ab(ATTENTION_O, x0, ATTENTION_V, y0, 0u);
		[[unroll]] for (uint i = 0u; i < TILE; i++)
			e[i] = exp_of(e[i], vec4(l[i]));
		if (y0 + 64u > full)
			[[unroll]] for (uint i = 0u; i < TILE; i++)
				[[unroll]] for (uint c = 0u; c < 4u; c++)
					e[i][c] = attention_sees(x0 + tile_row(i), y0 + 4u * yj + c) ? e[i][c] : 0.0;
		scores(t, ATTENTION_O, x0, ATTENTION_V, y0);
		fetch_m(ATTENTION_K, y0);
		[[unroll]] for (uint i = 0u; i < TILE; i++)
			t[i] = STORE(e[i] * (t[i] - vec4(dl[i])));
		keep_tile(t);
		accumulate(acc, ATTENTION_K, y0, min(keys - y0, 64u));
	}
	bool add = (p.flags & ATTENTION_ACCUM_0) != 0u;
	[[unroll]] for (uint i = 0u; i < TILE; i++)
		[[unroll]] for (uint n = 0u; n < N; n++)
			write_dq(ATTENTION_Q, x0 + tile_row(i), (yj + 16u * n) * 4u, p.tq, hlx_mul(acc[i * N + n], p.scale), add);
}
