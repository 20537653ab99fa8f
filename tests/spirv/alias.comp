#version 450
/* Two views of one buffer, the three kinds of access, a push block of 28 bytes. */
layout(local_size_x = 64, local_size_y = 2) in;
layout(set = 0, binding = 2) writeonly buffer out_floats { float y[]; };
layout(set = 0, binding = 0) readonly buffer in_floats { float x[]; };
layout(set = 0, binding = 0) readonly buffer in_vectors { vec4 x4[]; };
layout(set = 0, binding = 1) buffer both { uint count; vec2 pair[]; };
layout(set = 0, binding = 3) readonly buffer view_in { vec4 a[]; };
layout(set = 0, binding = 3) writeonly buffer view_out { vec2 b[]; };
layout(set = 0, binding = 4) buffer mixed { readonly uint n; float z[]; }; /* one member alone: read and written */
layout(push_constant) uniform push { uint n; float lr, beta1, beta2, eps, beta1_t, beta2_t; } p;

void main()
{
	uint i = gl_GlobalInvocationID.x;
	pair[i].x += x[i] + x4[i / 4].w + float(count);
	y[i] = p.lr * pair[i].y + p.beta2_t;
	b[i] = a[i].xy;
	z[i] = float(n);
}
