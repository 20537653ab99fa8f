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

shared vec4 row_top[16u * 8u * R];    /* of a group of 4 rows, of 4 keys */
shared vec4 row_factor[8u * R], row_max[8u * R];

/* Raises m to the largest of this block; the factor for what was summed with the old one, 1 where nothing moved.  The
 * row groups' own 16 invocations all come to the same numbers. */
void raise(vec4 t[TILE], uint x0, uint y0, inout vec4 m[R], out vec4 factor[R], out bool moved)
{
	[[unroll]] for (uint g = 0u; g < R; g++) {
		vec4 top = m[g];
		[[unroll]] for (uint r = 0u; r < 4u; r++)
			[[unroll]] for (uint c = 0u; c < 4u; c++)
				if (attention_sees(x0 + tile_row(4u * g + r), y0 + 4u * yj + c))
					top[r] = hlx_max(t[4u * g + r][c], top[r]);
		row_top[yj * 8u * R + xi + 8u * g] = top;
	}
	barrier();
	moved = false;
	[[unroll]] for (uint g = 0u; g < R; g++) {
		vec4 top = m[g];
		[[unroll]] for (uint j = 0u; j < 16u; j++)
			top = hlx_max(row_top[j * 8u * R + xi + 8u * g], top);
		bvec4 more = greaterThan(top, m[g]);
		factor[g] = vec4(1.0);
		if (any(more)) {
			factor[g] = mix(vec4(1.0), hlx_exp(m[g] - top), more);
			moved = true;
		}
		m[g] = top;
		if (yj == 0u) {
			row_factor[xi + 8u * g] = factor[g];
			row_max[xi + 8u * g] = top;
		}
	}
}

/* The halving tree over the 64 keys of this invocation's row of P. */
float tree()
{
	float v[32];
	[[unroll]] for (uint j = 0u; j < 32u; j++)
		v[j] = tile_p[j * SP + (index >> 2)][index & 3u] + tile_p[(j + 32u) * SP + (index >> 2)][index & 3u];
	[[unroll]] for (uint w = 16u; w > 0u; w >>= 1)
		[[unroll]] for (uint j = 0u; j < w; j++)
			v[j] = v[j] + v[j + w];
	return v[0];
}

void end(vec4 acc[ACC], uint x0, float sum)
{
	if (index < X) {
		uint query = x0 + index;
		float m = row_max[index >> 2][index & 3u];
		row_factor[index >> 2][index & 3u] = hlx_rcp(sum);
		if ((p.flags & ATTENTION_KEEP) != 0u && query < p.tq)
			lse[attention_stats() + query] = m + hlx_log(sum);
	}
	barrier();
	[[unroll]] for (uint i = 0u; i < 4u * R; i++)
		[[unroll]] for (uint n = 0u; n < N; n++) {
			uint row = tile_row(i), d = (yj + 16u * n) * 4u;
			uint at = attention_head(ATTENTION_O) + (x0 + row) * p.row[ATTENTION_O] + d;
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
	uint x0 = (gl_NumWorkGroups.x - 1u - gl_WorkGroupID.x) * X; /* the longest first */
	uint keys = attention_seen(min(x0 + X, p.tq) - 1u);
	vec4 acc[ACC], t[TILE], m[R], factor[R];
	float sum = 0.0;
	bool moved;

	index = gl_LocalInvocationIndex;
	xi = index & 7u;
	yj = index >> 3;
	[[unroll]] for (uint i = 0u; i < 4u * R * N; i++)
		acc[i] = vec4(0.0);
	[[unroll]] for (uint g = 0u; g < R; g++)
		m[g] = vec4(hlx_float(0xff7fffffu)); /* -FLT_MAX */
	if (yj == 0u)
		[[unroll]] for (uint g = 0u; g < R; g++)
			row_max[xi + 8u * g] = m[g];
	barrier();

	[[dont_unroll]] for (uint y0 = 0u; y0 < keys; y0 += 64u) {
		[[unroll]] for (uint i = 0u; i < 4u * R; i++)
			t[i] = vec4(0.0);
		scores(t, ATTENTION_Q, x0, ATTENTION_K, y0);
		[[unroll]] for (uint i = 0u; i < 4u * R; i++)
			t[i] = hlx_mul(t[i], p.scale);
		raise(t, x0, y0, m, factor, moved);
		[[unroll]] for (uint i = 0u; i < 4u * R; i++) {
			vec4 e = hlx_exp(t[i] - vec4(m[i >> 2][i & 3u]));
			[[unroll]] for (uint c = 0u; c < 4u; c++)
				t[i][c] = attention_sees(x0 + tile_row(i), y0 + 4u * yj + c) ? e[c] : 0.0;
		}
		keep_tile(t);
		if (moved)
			[[unroll]] for (uint i = 0u; i < 4u * R; i++)
				[[unroll]] for (uint n = 0u; n < N; n++)
					if (factor[i >> 2][i & 3u] < 1.0)
						acc[i * N + n] = hlx_mul(acc[i * N + n], factor[i >> 2][i & 3u]);
		barrier();
		if (index < X)
			sum = hlx_mul(sum, row_factor[index >> 2][index & 3u]) + tree();
		accumulate(acc, ATTENTION_V, y0, min(keys - y0, 64u));
	}
	end(acc, x0, sum);
}
