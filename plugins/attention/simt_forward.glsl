/* simt_forward.glsl - o and lse: x are queries, y keys. */
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "attention.glsl"
#include "simt.glsl"

layout(std430, binding = 3) writeonly buffer Out { float o1[]; };
layout(std430, binding = 3) writeonly buffer Out4 { vec4 o4[]; };
layout(std430, binding = 4) writeonly buffer Stats { float lse[]; };

shared vec4 row_max[SX], row_factor[SX]; /* m; exp(m before - m), 1 where it did not move */

#define LOWEST hlx_float(0xff7fffffu) /* -FLT_MAX */

/* Where column group j's maxima of rows 4 `group` ... are. */
uint top_place(uint j, uint group)
{
	return j * SX + (group ^ swizzle_y(j));
}

/* Raises the maximum of row `index` to the largest of the block.  Every maximum comes out the same in any order, and is that of
 * flushed scores: flushing keeps their order. */
void raise(inout float m)
{
	float top = LOWEST;
	[[unroll]] for (uint j = 0u; j < 16u; j++)
		top = max(top, room[top_place(j, index >> 2)][index & 3u]);
	top = max(m, hlx_mul(top, 1.0));
	row_factor[index >> 2][index & 3u] = top > m ? EXP(m - top) : 1.0;
	row_max[index >> 2][index & 3u] = top;
	m = top;
}

/* P of row `index` and a key. */
float key(uint j)
{
	return room[j * SX + (index >> 2 ^ swizzle_y(j >> 2))][index & 3u];
}

/* The halving tree over the 64 keys of row `index`. */
float tree()
{
	float v[32];
	[[unroll]] for (uint j = 0u; j < 32u; j++)
		v[j] = key(j) + key(j + 32u);
	[[unroll]] for (uint w = 16u; w > 0u; w >>= 1)
		[[unroll]] for (uint j = 0u; j < w; j++)
			v[j] = v[j] + v[j + w];
	return v[0];
}

/* FMA: instead of a tree a block, each invocation adds up what it has of its rows, and at the end these are added: no one waits. */
#ifdef FMA
void add_tile(inout float sums[TILE], vec4 t[TILE])
{
	[[unroll]] for (uint i = 0u; i < TILE; i++)
		sums[i] = sums[i] * row_factor[xi + 8u * (i >> 2)][i & 3u] + ((t[i].x + t[i].y) + (t[i].z + t[i].w));
}

/* The sum of row `index`. */
float add_up(float sums[TILE])
{
	float sum = 0.0;

	[[unroll]] for (uint g = 0u; g < R; g++)
		room[top_place(yj, xi + 8u * g)] = vec4(sums[4u * g], sums[4u * g + 1u], sums[4u * g + 2u], sums[4u * g + 3u]);
	barrier();
	if (index < X)
		[[unroll]] for (uint j = 0u; j < 16u; j++)
			sum += room[top_place(j, index >> 2)][index & 3u];
	return sum;
}
#endif

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
		room[top_place(yj, xi + 8u * g)] = top;
	}
}

/* Scaled scores to exp(s - m).  They are not flushed: one below 2^-100 changes exp's argument by less than the 2^-25 it sees. */
void exp_tile(inout vec4 t[TILE], bool inside, uint x0, uint y0)
{
	[[unroll]] for (uint g = 0u; g < R; g++) {
		vec4 m = row_max[xi + 8u * g];
		uint i = 4u * g; /* no loop over rows: in one that calls hlx_exp_down, SwiftShader takes m[0] for each m[r] */
		t[i] = EXP_DOWN(t[i] - vec4(m.x));
		t[i + 1u] = EXP_DOWN(t[i + 1u] - vec4(m.y));
		t[i + 2u] = EXP_DOWN(t[i + 2u] - vec4(m.z));
		t[i + 3u] = EXP_DOWN(t[i + 3u] - vec4(m.w));
	}
	if (!inside)
		[[unroll]] for (uint i = 0u; i < TILE; i++)
			[[unroll]] for (uint c = 0u; c < 4u; c++)
				t[i][c] = attention_sees(x0 + tile_row(i), y0 + 4u * yj + c) ? t[i][c] : 0.0;
}

void rescale(inout vec4 acc[ACC])
{
	[[unroll]] for (uint g = 0u; g < R; g++) {
		vec4 f = row_factor[xi + 8u * g];
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
	near = uvec2(0u, attention_seen(x0 + tile_row(TILE - 1u)));
	[[unroll]] for (uint i = 0u; i < ACC; i++)
		acc[i] = vec4(0.0);
#ifdef FMA
	float sums[TILE];
	[[unroll]] for (uint i = 0u; i < TILE; i++)
		sums[i] = 0.0;
#endif
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
#ifdef FMA
		add_tile(sums, t);
#else
		if (index < X)
			sum = hlx_mul(sum, row_factor[index >> 2][index & 3u]) + tree();
#endif
		accumulate(acc, ATTENTION_V, y0, min(keys - y0, 64u));
	}
#ifdef FMA
	sum = add_up(sums);
#endif
	end(acc, x0, m, sum);
}
