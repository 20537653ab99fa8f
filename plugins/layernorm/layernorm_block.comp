/*
 * layernorm_block.comp - a block of 32 positions of a sequence: its dx, and its terms of dgamma and dbeta, from one read of x, dy.
 *
 * x, dy, dx: (sequences, positions, d)   gamma: (d)   stats: (rows, 2) mean, rstd
 * terms: (sequences, blocks of 32 positions, 2, d): the sums of dy * xhat, then those of dy
 *
 * A workgroup is a block, a subgroup of 32 lanes a row of it, ROWS rows at a time:
 *
 *     by rows      a lane has every 32nd pair of a row: virtual lanes 2 l and 2 l + 1 of hlx/tree.h.  It writes dx, and leaves
 *                  dy * xhat and dy in shared memory, 8 ROWS d bytes
 *     by columns   a lane has every (32 ROWS)-th column, and goes on with its two chains over rows
 *
 * d is a multiple of 4.  The next rows are read before the columns are added.  Where a product is plain,
 * layernorm_backward.glsl says why.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#define HLX_OWN_LAYOUT
#include "hlx.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint D = 64u;
layout(constant_id = 2) const uint accumulate = 0u; /* add to what dx holds */
const uint LANES = gl_WorkGroupSize.x;
const uint ROWS = LANES / 32u;
const uint PAIRS = D / 2u;
const uint TURNS = (PAIRS + 31u) / 32u;
const uint COLUMNS = (D + LANES - 1u) / LANES;

layout(push_constant) uniform Push {
	uint positions;
};
layout(binding = 0) readonly restrict buffer X { vec2 x[]; };
layout(binding = 1) readonly restrict buffer Dy { vec2 dy[]; };
layout(binding = 2) readonly restrict buffer Gamma { vec2 gamma[]; };
layout(binding = 3) readonly restrict buffer Stats { vec2 stats[]; };
layout(binding = 4) restrict buffer Dx { vec2 dx[]; };
layout(binding = 5) writeonly restrict buffer Terms { float terms[]; };

shared vec2 by_gamma[ROWS * PAIRS];
shared vec2 by_beta[ROWS * PAIRS];

/* A lane's part of a row. */
struct part {
	vec2 x[TURNS], dy[TURNS], old[TURNS], stats;
};

uint pair(uint turn)
{
	uint lane = gl_SubgroupInvocationID;
	return 32u * turn + lane;
}

/* Turns past the row's end have no part in sums, and write nothing. */
bool is_there(uint turn)
{
	return PAIRS % 32u == 0u || pair(turn) < PAIRS;
}

void read_row(uint r, out part p)
{
	p.stats = stats[r];
	[[unroll]] for (uint t = 0u; t < TURNS; t++) {
		uint at = r * PAIRS + min(pair(t), PAIRS - 1u);
		p.dy[t] = dy[at];
		p.x[t] = x[at];
		if (accumulate != 0u)
			p.old[t] = dx[at];
	}
}

float row_tree(vec2 v)
{
	v += subgroupShuffleXor(v, 16u);
	v += subgroupShuffleXor(v, 8u);
	v += subgroupShuffleXor(v, 4u);
	v += subgroupShuffleXor(v, 2u);
	v += subgroupShuffleXor(v, 1u);
	return v.x + v.y;
}

/* Row r, the i-th here; one that is not live counts as zeros. */
void write_row(uint r, uint i, bool live, part p)
{
	float inv = hlx_div(1.0f, float(int(D)));
	vec2 s1 = vec2(0.0f), s2 = vec2(0.0f), h[TURNS];
	[[unroll]] for (uint t = 0u; t < TURNS; t++) {
		h[t] = p.dy[t] * gamma[min(pair(t), PAIRS - 1u)];
		p.x[t] = hlx_mul(p.x[t] - vec2(p.stats.x), vec2(p.stats.y));
		if (is_there(t)) {
			s1 += h[t];
			s2 += hlx_mul(h[t], p.x[t]);
			by_gamma[i * PAIRS + pair(t)] = live ? hlx_mul(p.dy[t], p.x[t]) : vec2(0.0f);
			by_beta[i * PAIRS + pair(t)] = live ? p.dy[t] : vec2(0.0f);
		}
	}
	float c1 = hlx_mul(row_tree(s1), inv), c2 = hlx_mul(row_tree(s2), inv);
	[[unroll]] for (uint t = 0u; t < TURNS; t++) {
		vec2 v = (h[t] - vec2(c1) - hlx_mul(p.x[t], vec2(c2))) * p.stats.y;
		if (accumulate != 0u)
			v = hlx_accum(p.old[t], v);
		if (live && is_there(t))
			dx[r * PAIRS + pair(t)] = hlx_store(v);
	}
}

void main()
{
	uint i = gl_SubgroupID, lane = gl_SubgroupInvocationID, blocks = (positions + 31u) / 32u, block = gl_WorkGroupID.x;
	uint column = 32u * i + lane, start = block % blocks * 32u, row = block / blocks * positions + start;
	uint end = row + min(positions - start, 32u);
	float dgamma[COLUMNS], dbeta[COLUMNS];
	part p;
	[[unroll]] for (uint j = 0u; j < COLUMNS; j++)
		dgamma[j] = dbeta[j] = 0.0f;
	read_row(min(row + i, end - 1u), p);
	for (; row < end; row += ROWS) {
		write_row(row + i, i, row + i < end, p);
		if (row + ROWS < end)
			read_row(min(row + ROWS + i, end - 1u), p);
		barrier();
		[[unroll]] for (uint j = 0u; j < COLUMNS; j++) {
			uint c = min(column + j * LANES, D - 1u);
			[[unroll]] for (uint k = 0u; k < ROWS; k++) {
				dgamma[j] += by_gamma[k * PAIRS + c / 2u][c % 2u];
				dbeta[j] += by_beta[k * PAIRS + c / 2u][c % 2u];
			}
		}
		barrier();
	}
	[[unroll]] for (uint j = 0u; j < COLUMNS; j++) {
		uint c = column + j * LANES;
		if (c < D) {
			terms[block * 2u * D + c] = dgamma[j];
			terms[block * 2u * D + D + c] = dbeta[j];
		}
	}
}
