#version 450
#extension GL_GOOGLE_include_directive : require
/* simd_dkv.comp - dk and dv, and dS kept for simd_dq.comp: x are keys, y queries. */
#define HLX_OWN_LAYOUT
#define CPU_BUILD
#include "hlx.glsl"
#include "../cpu.glsl"
#include "attention.glsl"
#include "simd.glsl"

layout(binding = 0) uniform samplerBuffer q_texels;
layout(binding = 1) uniform samplerBuffer k_texels;
layout(binding = 2) uniform samplerBuffer v_texels;
layout(binding = 3) uniform samplerBuffer g_texels;
layout(binding = 4) restrict readonly buffer Lse { float lse[]; };
layout(binding = 5) restrict readonly buffer Delta { float delta[]; };
GRADIENT(6, dk)
GRADIENT(7, dv)
CPU_OUT(8, ds, WIDE)

/* 4 queries that follow each other are one lane's, and a vec4 of dS. */
#define Y_OF(c) ((c) / 4u * 4u * L + 4u * lane + (c) % 4u)
#define C_OF(y) ((y) / (4u * L) * 4u + (y) % 4u)
#define LANE_OF(y) ((y) % (4u * L) / 4u)

void main()
{
	uint x0 = attention_block() * TM; /* the longest first */
	float dk[TM * N * 4u], dv[TM * N * 4u];

	[[unroll]] for (uint i = 0u; i < GROUPS; i++)
		[[unroll]] for (uint j = 0u; j < ACC; j++) {
			dk[i * ACC + j] = 0.0;
			dv[i * ACC + j] = 0.0;
		}
	uint y0 = attention_first(x0) / Y * Y;
	do {
		vec4 qa[ACROSS], ga[ACROSS], qd[ALONG], gd[ALONG];
		float l[C], dl[C];
		uint seen[C];
		FETCH_ACROSS(qa, q_texels, ATTENTION_Q, y0, p.tq)
		FETCH_ACROSS(ga, g_texels, ATTENTION_O, y0, p.tq)
		FETCH_ALONG(qd, q_texels, ATTENTION_Q, y0, p.tq)
		FETCH_ALONG(gd, g_texels, ATTENTION_O, y0, p.tq)
		[[unroll]] for (uint c = 0u; c < C; c++) {
			uint query = y0 + Y_OF(c), at = attention_stats() + min(query, p.tq - 1u);
			l[c] = lse[at];
			dl[c] = delta[at];
			seen[c] = query < p.tq ? attention_seen(query) : 0u;
		}
		uint x = x0;
		do {
			vec4 k[ROWS * N], v[ROWS * N];
			float e[SCORES], t[SCORES], dk_next[ACC], dv_next[ACC];
			FETCH_ROWS(k, k_texels, ATTENTION_K, x, p.tk)
			FETCH_ROWS(v, v_texels, ATTENTION_V, x, p.tk)
			[[unroll]] for (uint j = 0u; j < ACC; j++) {
				dk_next[j] = dk[j];
				dv_next[j] = dv[j];
			}
			SCORE(e, k, qa)
			[[unroll]] for (uint r = 0u; r < ROWS; r++)
				[[unroll]] for (uint h = 0u; h < C / 4u; h++) {
					vec4 s;
					[[unroll]] for (uint j = 0u; j < 4u; j++)
						s[j] = e[r * C + 4u * h + j] * p.scale - l[4u * h + j];
					s = hlx_exp_down(s); /* as forward has it: s - lse <= 0, and s unflushed */
					[[unroll]] for (uint j = 0u; j < 4u; j++)
						e[r * C + 4u * h + j] = x + r < seen[4u * h + j] ? s[j] : 0.0;
				}
			ACCUMULATE(dv_next, e, gd)
			SCORE(t, v, ga)
			[[unroll]] for (uint r = 0u; r < ROWS; r++)
				[[unroll]] for (uint h = 0u; h < C / 4u; h++) {
					vec4 s;
					[[unroll]] for (uint j = 0u; j < 4u; j++) {
						uint i = r * C + 4u * h + j;
						t[i] = hlx_store(e[i] * (t[i] - dl[4u * h + j]));
						s[j] = t[i];
					}
					put_ds(kept_place(x + r, y0) + h * L + lane, s);
				}
			ACCUMULATE(dk_next, t, qd)
			MOVE_BEHIND(dk, dk_next, ACC)
			MOVE_BEHIND(dv, dv_next, ACC)
			x += ROWS;
		} while (x < x0 + TM);
		y0 += Y;
	} while (y0 < p.tq);

	uint x = x0;
	bool give_dk = (p.flags & ATTENTION_SKIP_0) == 0u, give_dv = (p.flags & ATTENTION_SKIP_1) == 0u;
	do {
		[[unroll]] for (uint r = 0u; r < ROWS; r++)
			[[unroll]] for (uint n = 0u; n < N; n++) {
				uint i = (r * N + n) * 4u;
				bool inside = x + r < p.tk && n * L + lane < D4;
				vec4 gk = vec4(dk[i], dk[i + 1u], dk[i + 2u], dk[i + 3u]), gv = vec4(dv[i], dv[i + 1u], dv[i + 2u], dv[i + 3u]);
				if (inside && give_dk)
					add_dk(texel_row(ATTENTION_K, x + r) + n * L + lane, hlx_mul(gk, p.scale), ADD_0);
				if (inside && give_dv)
					add_dv(texel_row(ATTENTION_V, x + r) + n * L + lane, gv, ADD_1);
			}
		MOVE_DOWN(dk, ACC)
		MOVE_DOWN(dv, ACC)
		x += ROWS;
	} while (x < x0 + TM);
}
