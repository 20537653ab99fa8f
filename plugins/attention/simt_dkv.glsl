/* simt_dkv.glsl - dk and dv: x are keys, y queries.  KEEP_DS: dS stays for dq, which then makes no scores. */
#define HLX_OWN_LAYOUT
#include "simt_backward.glsl"

layout(std430, binding = 6) buffer Dk { float dk1[]; };
layout(std430, binding = 6) buffer Dk4 { vec4 dk4[]; };
layout(std430, binding = 7) buffer Dv { float dv1[]; };
layout(std430, binding = 7) buffer Dv4 { vec4 dv4[]; };
#ifdef KEEP_DS
layout(std430, binding = 8) writeonly buffer Ds4 { vec4 ds4[]; };
#endif

GRADIENT_WRITER(write_dk, dk1, dk4)
GRADIENT_WRITER(write_dv, dv1, dv4)

void main()
{
	uint x0 = attention_block() * X; /* the longest first */
	uint full = x0 + X > p.tk ? p.tq : attention_first(x0 + X - 1u); /* from here on queries see all of X */
	vec4 dk[ACC], dv[ACC], t[TILE], e[TILE];

	begin();
	near = uvec2(attention_first(x0 + tile_row(0u)), p.tq);
	[[unroll]] for (uint i = 0u; i < ACC; i++) {
		dk[i] = vec4(0.0);
		dv[i] = vec4(0.0);
	}
	[[dont_unroll]] for (uint y0 = attention_first(x0) / 64u * 64u; y0 < p.tq; y0 += 64u) {
		vec4 l, dl;
		fetch_ab(ATTENTION_K, x0, ATTENTION_Q, y0, 0u);
		[[unroll]] for (uint c = 0u; c < 4u; c++) {
			l[c] = stat_lse(y0 + 4u * yj + c);
			dl[c] = stat_delta(y0 + 4u * yj + c);
		}
		scores(e, ATTENTION_K, x0, ATTENTION_Q, y0);
		fetch_m(ATTENTION_O, y0);
		[[unroll]] for (uint i = 0u; i < TILE; i++)
			e[i] = exp_of(e[i], l);
		if (y0 < full || y0 + 64u > p.tq)
			[[unroll]] for (uint i = 0u; i < TILE; i++)
				[[unroll]] for (uint c = 0u; c < 4u; c++)
					e[i][c] = attention_sees(y0 + 4u * yj + c, x0 + tile_row(i)) ? e[i][c] : 0.0;
		keep_tile(e);
		accumulate(dv, ATTENTION_O, y0, 64u);
		fetch_ab(ATTENTION_V, x0, ATTENTION_O, y0, 0u);
		scores(t, ATTENTION_V, x0, ATTENTION_O, y0);
		fetch_m(ATTENTION_Q, y0);
		[[unroll]] for (uint i = 0u; i < TILE; i++)
			t[i] = STORE(e[i] * (t[i] - dl));
		keep_tile(t);
#ifdef KEEP_DS
		[[unroll]] for (uint i = 0u; i < TILE; i++)
			ds4[kept_place(x0 + tile_row(i), y0 + 4u * yj)] = t[i];
#endif
		accumulate(dk, ATTENTION_Q, y0, 64u);
	}
	bool add_dk = (p.flags & ATTENTION_ACCUM_0) != 0u, add_dv = (p.flags & ATTENTION_ACCUM_1) != 0u;
	[[unroll]] for (uint i = 0u; i < TILE; i++)
		[[unroll]] for (uint n = 0u; n < N; n++) {
			uint row = x0 + tile_row(i), d = (yj + 16u * n) * 4u;
			if ((p.flags & ATTENTION_SKIP_0) == 0u)
				write_dk(ATTENTION_K, row, d, p.tk, hlx_mul(dk[i * N + n], p.scale), add_dk);
			if ((p.flags & ATTENTION_SKIP_1) == 0u)
				write_dv(ATTENTION_V, row, d, p.tk, dv[i * N + n], add_dv);
		}
}
