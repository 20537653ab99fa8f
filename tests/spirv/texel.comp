#version 450
/* Texel buffers of both spellings, a uniform buffer, a push block that ends in a matrix. */
layout(local_size_x = 8, local_size_y = 4, local_size_z = 2) in;
layout(binding = 0) uniform samplerBuffer weights;
layout(binding = 1) uniform utextureBuffer ids;
layout(binding = 2) uniform step_block { uint step; vec4 scalars; } s;
layout(binding = 7) buffer sum { float fixed_size[16]; };
struct inner { vec3 a; float b; };
layout(push_constant) uniform push {
	inner in_; layout(offset = 32) float list[3]; layout(offset = 64, row_major) mat3x2 m;
} p;

void main()
{
	int i = int(gl_GlobalInvocationID.x);
	fixed_size[i] = texelFetch(weights, int(texelFetch(ids, i).x)).x + s.scalars.y + p.in_.b + p.list[1] + p.m[2][1];
}
