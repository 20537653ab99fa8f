#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "simt_backward.glsl"
/* simt_dkv.comp - dk and dv: x are keys, y queries. */
layout(std430, binding = 6) buffer Dk { float dk1[]; };
layout(std430, binding = 6) buffer Dk4 { vec4 dk4[]; };
layout(std430, binding = 7) buffer Dv { float dv1[]; };
layout(std430, binding = 7) buffer Dv4 { vec4 dv4[]; };

GRADIENT_WRITER(write_dk, dk1, dk4)
GRADIENT_WRITER(write_dv, dv1, dv4)

void main()
{
	uint x0 = gl_WorkGroupID.x * X; /* the longest first */
	vec4 dk[ACC], dv[ACC], t[TILE], e[TILE];

	index = gl_LocalInvocationIndex;
	xi = index & 7u;
	yj = index >> 3;
	[[unroll]] for (uint i = 0u; i < 4u * R * N; i++) {
		dk[i] = vec4(0.0);
		dv[i] = vec4(0.0);
	}
	[[dont_unroll]] for (uint y0 = attention_first(x0) / 64u * 64u; y0 < p.tq; y0 += 64u) {
		vec4 l, dl;
		[[unroll]] for (uint c = 0u; c < 4u; c++) {
			l[c] = stat_lse(y0 + 4u * yj + c);
			dl[c] = stat_delta(y0 + 4u * yj + c);
		}
		[[unroll]] for (uint i = 0u; i < 4u * R; i++)
			t[i] = vec4(0.0);
		scores(t, ATTENTION_K, x0, ATTENTION_Q, y0);
		[[unroll]] for (uint i = 0u; i < 4u * R; i++) {
			e[i] = hlx_exp(hlx_mul(t[i], p.scale) - l);
			[[unroll]] for (uint c = 0u; c < 4u; c++)
				e[i][c] = attention_sees(y0 + 4u * yj + c, x0 + tile_row(i)) ? e[i][c] : 0.0;
			t[i] = vec4(0.0);
		}
		keep_tile(e);
		accumulate(dv, ATTENTION_O, y0, 64u);
		scores(t, ATTENTION_V, x0, ATTENTION_O, y0);
		[[unroll]] for (uint i = 0u; i < 4u * R; i++)
			t[i] = hlx_store(e[i] * (t[i] - dl));
		keep_tile(t);
		accumulate(dk, ATTENTION_Q, y0, 64u);
	}
	bool add_dk = (p.flags & ATTENTION_ACCUM_0) != 0u, add_dv = (p.flags & ATTENTION_ACCUM_1) != 0u;
	[[unroll]] for (uint i = 0u; i < 4u * R; i++)
		[[unroll]] for (uint n = 0u; n < N; n++) {
			uint t = x0 + tile_row(i), d = (yj + 16u * n) * 4u;
			if ((p.flags & ATTENTION_SKIP_0) == 0u)
				write_dk(ATTENTION_K, t, d, p.tk, hlx_mul(dk[i * N + n], p.scale), add_dk);
			if ((p.flags & ATTENTION_SKIP_1) == 0u)
				write_dv(ATTENTION_V, t, d, p.tk, dv[i * N + n], add_dv);
		}
}
