/* simt_backward.glsl - what the kernels that make the scores again share. */
#define BACKWARD
#include "hlx.glsl"
#include "attention.glsl"
#include "simt.glsl"

layout(std430, binding = 4) readonly buffer Lse { float lse[]; };
layout(std430, binding = 5) readonly buffer Delta { float delta[]; };

/* A lse or delta of a query; what lies outside is not used. */
float stat_lse(uint query)
{
	return lse[attention_stats() + min(query, p.tq - 1u)];
}

float stat_delta(uint query)
{
	return delta[attention_stats() + min(query, p.tq - 1u)];
}

/* exp(scale s - lse), as forward has it: s - lse <= 0, and s unflushed. */
vec4 exp_of(vec4 s, vec4 l)
{
	return EXP_DOWN(s * p.scale - l);
}

#include "simt_gradient.glsl"
