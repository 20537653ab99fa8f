#version 450
#extension GL_GOOGLE_include_directive : require
/* A binding in descriptor set 1, which hlx does not have. */
layout(local_size_x = 8) in;
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(set = 1, binding = 0) restrict writeonly buffer Y { float y[]; };

void main()
{
	y[0] = x[0];
}
