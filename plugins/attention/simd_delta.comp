#version 450
#extension GL_GOOGLE_include_directive : require
/* simd_delta.comp - delta = sum over d of o do, a row a lane. */
#define HLX_OWN_LAYOUT
#define CPU_BUILD
#include "hlx.glsl"
#include "../cpu.glsl"
#include "attention.glsl"

layout(local_size_x_id = 0) in;
layout(binding = 0) uniform samplerBuffer o_texels;
layout(binding = 1) uniform samplerBuffer g_texels;
layout(binding = 2) restrict writeonly buffer Delta { float delta[]; };

void main()
{
	uint row = attention_block() * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
	uint at = (attention_head(ATTENTION_O) + min(row, p.tq - 1u) * p.row[ATTENTION_O]) >> 2, end = at + p.dh / 4u;
	float acc = 0.0;

	do {
		vec4 x = texelFetch(o_texels, int(at)), y = texelFetch(g_texels, int(at));
		acc = acc + x.x * y.x;
		acc = acc + x.y * y.y;
		acc = acc + x.z * y.z;
		acc = acc + x.w * y.w;
		at++;
	} while (at < end);
	if (row < p.tq)
		delta[attention_stats() + row] = acc;
}
