#version 450
#extension GL_GOOGLE_include_directive : require
/* simd_forward.comp - o and lse: x are queries, y keys. */
#define HLX_OWN_LAYOUT
#define CPU_BUILD
#include "hlx.glsl"
#include "../cpu.glsl"
#include "attention.glsl"
#include "simd.glsl"

layout(binding = 0) uniform samplerBuffer q_texels;
layout(binding = 1) uniform samplerBuffer k_texels;
layout(binding = 2) uniform samplerBuffer v_texels;
CPU_OUT(3, o, WIDE)
layout(binding = 4) restrict writeonly buffer Stats { float lse[]; };

#define Y_OF(c) ((c) * L + lane)
#define C_OF(y) ((y) / L)
#define LANE_OF(y) ((y) % L)
#define LOWEST hlx_float(0xff7fffffu) /* -FLT_MAX */

/* Both put together what all lanes have, in each of them. */
float largest_lane(float x)
{
	float top = from_lane(x, 0u);
	if (UNIFORM)
		[[unroll]] for (uint l = 1u; l < L; l++)
			top = max(top, from_lane(x, l));
	if (UNIFORM)
		return top;
	if (L > 8u)
		x = max(x, subgroupShuffle(x, lane ^ 8u));
	if (L > 4u)
		x = max(x, subgroupShuffle(x, lane ^ 4u));
	x = max(x, subgroupShuffle(x, lane ^ 2u));
	x = max(x, subgroupShuffle(x, lane ^ 1u));
	return x;
}

float halved_lanes(float x)
{
	float v[16];
	[[unroll]] for (uint l = 0u; l < 16u; l++)
		v[l] = l < L ? from_lane(x, l) : 0.0;
	[[unroll]] for (uint l = 0u; l < 8u; l++)
		v[l] = L > 8u ? v[l] + v[l + 8u] : v[l];
	[[unroll]] for (uint l = 0u; l < 4u; l++)
		v[l] = L > 4u ? v[l] + v[l + 4u] : v[l];
	return (v[0] + v[2]) + (v[1] + v[3]);
}

/* The halving tree over the 64 keys of row r. */
float tree(float s[SCORES], uint r)
{
	float v[16];
	[[unroll]] for (uint c = 0u; c < 16u; c++)
		v[c] = c < C ? s[r * C + min(c, C - 1u)] : 0.0;
	[[unroll]] for (uint c = 0u; c < 8u; c++)
		v[c] = C > 8u ? v[c] + v[c + 8u] : v[c];
	[[unroll]] for (uint c = 0u; c < 4u; c++)
		v[c] = C > 4u ? v[c] + v[c + 4u] : v[c];
	return halved_lanes((v[0] + v[2]) + (v[1] + v[3]));
}

/* Scores of row r to what is seen of exp(s - m): neither is flushed, see simt_forward.glsl. */
void exp_row(inout float s[SCORES], uint r, float m, uint n)
{
	[[unroll]] for (uint c = 0u; c < C; c += 4u) {
		uint i = r * C + c;
		vec4 e = hlx_exp_down(vec4(s[i], s[i + 1u], s[i + 2u], s[i + 3u]) - vec4(m));
		[[unroll]] for (uint j = 0u; j < 4u; j++)
			s[i + j] = Y_OF(c + j) < n ? e[j] : 0.0;
	}
}

void main()
{
	uint x0 = (gl_NumWorkGroups.y - 1u - attention_block()) * TM; /* the longest first */
	uint keys = attention_seen(min(x0 + TM, p.tq) - 1u);
	/* Of ROWS rows that follow each other: lane r has row r's m and l. */
	float acc[TM * N * 4u], top[GROUPS], sum[GROUPS];

	[[unroll]] for (uint i = 0u; i < GROUPS; i++) {
		[[unroll]] for (uint j = 0u; j < ACC; j++)
			acc[i * ACC + j] = 0.0;
		top[i] = LOWEST;
		sum[i] = 0.0;
	}
	uint y0 = 0u;
	do {
		vec4 k[ACROSS], v[ALONG];
		FETCH_ACROSS(k, k_texels, ATTENTION_K, y0, p.tk)
		FETCH_ALONG(v, v_texels, ATTENTION_V, y0, p.tk)
		uint x = x0;
		do {
			vec4 q[ROWS * N];
			float s[SCORES], a[ACC], m[1], l[1], tops = LOWEST, sums = 0.0;
			FETCH_ROWS(q, q_texels, ATTENTION_Q, x, p.tq)
			SCORE(s, q, k)
			[[unroll]] for (uint r = 0u; r < ROWS; r++) {
				uint n = max(attention_seen(x + r), y0) - y0;
				float t = LOWEST;
				[[unroll]] for (uint c = 0u; c < C; c++) {
					s[r * C + c] = s[r * C + c] * p.scale;
					t = max(t, Y_OF(c) < n ? s[r * C + c] : LOWEST);
				}
				t = largest_lane(t);
				tops = lane == r ? t : tops;
			}
			m[0] = max(top[0], hlx_mul(tops, 1.0));
			float f = m[0] > top[0] ? hlx_exp(top[0] - m[0]) : 1.0;
			[[unroll]] for (uint r = 0u; r < ROWS; r++) {
				exp_row(s, r, from_lane(m[0], r), max(attention_seen(x + r), y0) - y0);
				float t = tree(s, r);
				sums = lane == r ? t : sums;
			}
			l[0] = hlx_mul(sum[0], f) + sums;
			[[unroll]] for (uint r = 0u; r < ROWS; r++) {
				float fr = from_lane(f, r);
				[[unroll]] for (uint j = 0u; j < N * 4u; j++) {
					float was = acc[r * N * 4u + j];
					a[r * N * 4u + j] = fr < 1.0 ? hlx_mul(was, fr) : was;
				}
			}
			ACCUMULATE(a, s, v)
			MOVE_BEHIND(acc, a, ACC)
			MOVE_BEHIND(top, m, 1u)
			MOVE_BEHIND(sum, l, 1u)
			x += ROWS;
		} while (x < x0 + TM);
		y0 += Y;
	} while (y0 < keys);

	uint x = x0;
	bool keep = (p.flags & ATTENTION_KEEP) != 0u;
	do {
		float inv = hlx_rcp(sum[0]);
		[[unroll]] for (uint r = 0u; r < ROWS; r++) {
			float scale = from_lane(inv, r);
			[[unroll]] for (uint n = 0u; n < N; n++) {
				uint i = (r * N + n) * 4u;
				vec4 y = hlx_store(hlx_mul(vec4(acc[i], acc[i + 1u], acc[i + 2u], acc[i + 3u]), scale));
				if (x + r < p.tq && n * L + lane < D4)
					put_o(texel_row(ATTENTION_O, x + r) + n * L + lane, y);
			}
		}
		if (keep && lane < ROWS && x + lane < p.tq)
			lse[attention_stats() + x + lane] = top[0] + hlx_log(sum[0]);
		MOVE_DOWN(acc, ACC)
		MOVE_DOWN(top, 1u)
		MOVE_DOWN(sum, 1u)
		x += ROWS;
	} while (x < x0 + TM);
}
