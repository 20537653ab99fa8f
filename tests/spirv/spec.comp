#version 450
/* Workgroup size and more from specialization constants; id 5 twice, as people write it. */
layout(local_size_x = 32, local_size_y = 2, local_size_x_id = 5, local_size_z_id = 1) in;
layout(constant_id = 7) const uint tile = 16;
layout(constant_id = 3) const bool causal = true;
layout(constant_id = 5) const uint threads = 32;
layout(binding = 0) buffer data { float x[]; };
shared float held[tile * 2];

void main()
{
	held[gl_LocalInvocationIndex % tile] = causal ? 1.0 : float(threads);
	x[gl_GlobalInvocationID.x] = held[0];
}
