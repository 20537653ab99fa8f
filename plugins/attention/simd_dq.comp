#version 450
#extension GL_GOOGLE_include_directive : require
/*
 * simd_dq.comp - dq = scale dS k from the dS that simd_dkv.comp left: x are queries, y keys.
 *
 * As gemm's simd.glsl has it: all accumulators go through KU keys at a time, so that little more than the keys that are seen is.
 */
#define HLX_OWN_LAYOUT
#define CPU_BUILD
#include "hlx.glsl"
#include "../cpu.glsl"
#include "attention.glsl"
#include "simd.glsl"

layout(binding = 0) uniform samplerBuffer k_texels;
layout(binding = 1) uniform samplerBuffer ds_texels; /* 4 queries of a key each */
GRADIENT(2, dq)

const uint KU = L < 8u ? L : 8u;
const uint AT_ONCE = 4u * (L / KU); /* queries a fetch: of 16 lanes the upper 8 have the next 4 */

void main()
{
	uint x0 = (gl_NumWorkGroups.y - 1u - attention_block()) * TM; /* the longest first */
	uint keys = attention_seen(min(x0 + TM, p.tq) - 1u);
	uint at = kept_place(lane % KU, x0) + lane / KU, step = kept_place(1u, 0u) - kept_place(0u, 0u);
	float acc[TM * N * 4u];

	[[unroll]] for (uint i = 0u; i < TM; i++)
		[[unroll]] for (uint j = 0u; j < N * 4u; j++)
			acc[i * N * 4u + j] = 0.0;
	uint y = 0u;
	do {
		vec4 a[TM / AT_ONCE], k[KU * N];
		[[unroll]] for (uint i = 0u; i < TM / AT_ONCE; i++)
			a[i] = FETCH(ds_texels, at + y * step, i * AT_ONCE / 4u);
		[[unroll]] for (uint u = 0u; u < KU; u++)
			[[unroll]] for (uint n = 0u; n < N; n++)
				k[u * N + n] = FETCH(k_texels, texel_row(ATTENTION_K, min(y + u, p.tk - 1u)), along(n));
		[[unroll]] for (uint g = 0u; g < GROUPS; g++)
			[[unroll]] for (uint u = 0u; u < KU; u++)
				[[unroll]] for (uint r = 0u; r < ROWS; r++) {
					const uint i = g * ROWS + r;
					float one = from_lane(a[i / AT_ONCE][i % 4u], i % AT_ONCE / 4u * KU + u);
					[[unroll]] for (uint j = 0u; j < N * 4u; j++)
						acc[i * N * 4u + j] = acc[i * N * 4u + j] + one * k[u * N + j / 4u][j % 4u];
				}
		y += KU;
	} while (y < keys);

	uint x = x0;
	do {
		[[unroll]] for (uint r = 0u; r < ROWS; r++)
			[[unroll]] for (uint n = 0u; n < N; n++) {
				uint i = (r * N + n) * 4u;
				vec4 g = hlx_mul(vec4(acc[i], acc[i + 1u], acc[i + 2u], acc[i + 3u]), p.scale);
				if (keys == 0u) /* then what was read is nothing */
					g = vec4(0.0);
				if (x + r < p.tq && n * L + lane < D4)
					add_dq(texel_row(ATTENTION_Q, x + r) + n * L + lane, g, ADD_0);
			}
		MOVE_DOWN(acc, ACC)
		x += ROWS;
	} while (x < x0 + TM);
}
