#version 450
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_shader_explicit_arithmetic_types : require
/* Every capability that hlx_reflect has a word for. */
layout(local_size_x = 1) in;
layout(binding = 0) buffer data { double x[]; };

void main()
{
	uint i = gl_GlobalInvocationID.x;
	int8_t a = int8_t(i);
	int16_t b = int16_t(i);
	uint64_t c = uint64_t(i) << 40;
	float16_t d = float16_t(i);
	x[i] = double(subgroupShuffle(x[i], 0)) + double(a) + double(b) + double(c) + double(d);
}
