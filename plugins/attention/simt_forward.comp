#version 450
#extension GL_GOOGLE_include_directive : require
/* simt_forward.comp - o and lse: x are queries, y keys. */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "attention.glsl"
#include "simt.glsl"

layout(std430, binding = 3) writeonly buffer Out { float o1[]; };
layout(std430, binding = 3) writeonly buffer Out4 { vec4 o4[]; };
layout(std430, binding = 4) writeonly buffer Stats { float lse[]; };

shared vec4 row_max[SP], row_factor[SP]; /* m; exp(m before - m), 1 where it did not move */

#define LOWEST hlx_float(0xff7fffffu) /* -FLT_MAX */

/* Raises the maximum of row `index` to the largest of the block.  Every maximum comes out the same in any order, and is that of
 * flushed scores: flushing keeps their order. */
void raise(inout float m)
{
	float top = LOWEST;
	[[unroll]] for (uint j = 0u; j < 16u; j++)
		top = max(top, room[j * SP + (index >> 2)][index & 3u]);
	top = max(m, hlx_mul(top, 1.0));
	row_factor[index >> 2][index & 3u] = top > m ? hlx_exp(m - top) : 1.0;
	row_max[index >> 2][index & 3u] = top;
	m = top;
}

/* The halving tree over the 64 keys of row `index` of P. */
float tree()
{
	float v[32];
	[[unroll]] for (uint j = 0u; j < 32u; j++)
		v[j] = room[j * SP + (index >> 2)][index & 3u] + room[(j + 32u) * SP + (index >> 2)][index & 3u];
	[[unroll]] for (uint w = 16u; w > 0u; w >>= 1)
		[[unroll]] for (uint j = 0u; j < w; j++)
			v[j] = v[j] + v[j + w];
	return v[0];
}

/* Scores to scaled ones, and each row's largest of 4 keys into room, [16][row]. */
void scale_tile(inout vec4 t[TILE], bool inside, uint x0, uint y0)
{
	[[unroll]] for (uint i = 0u; i < TILE; i++)
		t[i] = t[i] * p.scale;
	if (!inside)
		[[unroll]] for (uint i = 0u; i < TILE; i++)
			[[unroll]] for (uint c = 0u; c < 4u; c++)
				t[i][c] = attention_sees(x0 + tile_row(i), y0 + 4u * yj + c) ? t[i][c] : LOWEST;
	[[unroll]] for (uint g = 0u; g < R; g++) {
		vec4 top;
		[[unroll]] for (uint r = 0u; r < 4u; r++) {
			vec4 v = t[4u * g + r];
			top[r] = max(max(v.x, v.y), max(v.z, v.w));
		}
		room[yj * SP + xi + W * g] = top;
	}
}

/* Scaled scores to exp(s - m).  They are not flushed: one below 2^-100 changes exp's argument by less than the 2^-25 it sees. */
void exp_tile(inout vec4 t[TILE], bool inside, uint x0, uint y0)
{
	[[unroll]] for (uint g = 0u; g < R; g++) {
		vec4 m = row_max[xi + W * g];
		uint i = 4u * g; /* no loop over rows: in one that calls hlx_exp_down, SwiftShader takes m[0] for each m[r] */
		t[i] = hlx_exp_down(t[i] - vec4(m.x));
		t[i + 1u] = hlx_exp_down(t[i + 1u] - vec4(m.y));
		t[i + 2u] = hlx_exp_down(t[i + 2u] - vec4(m.z));
		t[i + 3u] = hlx_exp_down(t[i + 3u] - vec4(m.w));
	}
	if (!inside)
		[[unroll]] for (uint i = 0u; i < TILE; i++)
			[[unroll]] for (uint c = 0u; c < 4u; c++)
				t[i][c] = attention_sees(x0 + tile_row(i), y0 + 4u * yj + c) ? t[i][c] : 0.0;
}

void rescale(inout vec4 acc[ACC])
{
	[[unroll]] for (uint g = 0u; g < R; g++) {
		vec4 f = row_factor[xi + W * g];
		if (any(lessThan(f, vec4(1.0))))
			[[unroll]] for (uint r = 0u; r < 4u; r++)
				[[unroll]] for (uint n = 0u; n < N; n++) {
					uint i = (4u * g + r) * N + n;
					acc[i] = f[r] < 1.0 ? hlx_mul(acc[i], f[r]) : acc[i];
				}
	}
}

void end(vec4 acc[ACC], uint x0, float m, float sum)
{
	if (index < X) {
		row_factor[index >> 2][index & 3u] = hlx_rcp(sum);
		if ((p.flags & ATTENTION_KEEP) != 0u && x0 + index < p.tq)
			lse[attention_stats() + x0 + index] = m + hlx_log(sum);
	}
	barrier();
	[[unroll]] for (uint i = 0u; i < TILE; i++)
		[[unroll]] for (uint n = 0u; n < N; n++) {
			uint row = tile_row(i), d = (yj + 16u * n) * 4u;
			uint at = head[ATTENTION_O] + (x0 + row) * p.row[ATTENTION_O] + d;
			vec4 y = hlx_store(hlx_mul(acc[i * N + n], row_factor[row >> 2][row & 3u]));
			if (x0 + row >= p.tq || d >= p.dh)
				continue;
			if (!SCALAR)
				o4[at >> 2] = y;
			else
				[[unroll]] for (uint c = 0u; c < 4u; c++)
					if (d + c < p.dh)
						o1[at + c] = y[c];
		}
}

void main()
{
	uint x0 = (gl_NumWorkGroups.y - 1u - attention_block()) * X; /* the longest first */
	uint keys = attention_seen(min(x0 + X, p.tq) - 1u);         /* of the last query; of the first one: */
	uint full = x0 + X > p.tq ? 0u : attention_seen(x0);
	vec4 acc[ACC], t[TILE];
	float m = LOWEST, sum = 0.0; /* of row `index` */

	begin();
	[[unroll]] for (uint i = 0u; i < ACC; i++)
		acc[i] = vec4(0.0);
	[[dont_unroll]] for (uint y0 = 0u; y0 < keys; y0 += 64u) {
		bool inside = y0 + 64u <= full;
		fetch_ab(ATTENTION_Q, x0, ATTENTION_K, y0, 0u);
		scores(t, ATTENTION_Q, x0, ATTENTION_K, y0);
		fetch_m(ATTENTION_V, y0);
		scale_tile(t, inside, x0, y0);
		barrier();
		if (index < X)
			raise(m);
		barrier();
		exp_tile(t, inside, x0, y0);
		keep_tile(t);
		rescale(acc);
		barrier();
		if (index < X)
			sum = hlx_mul(sum, row_factor[index >> 2][index & 3u]) + tree();
		accumulate(acc, ATTENTION_V, y0, min(keys - y0, 64u));
	}
	end(acc, x0, m, sum);
}
