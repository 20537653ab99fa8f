#version 450
#extension GL_GOOGLE_include_directive : require
/* A workgroup that a specialization constant makes as large as it likes. */
layout(local_size_x_id = 0) in;
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict writeonly buffer Y { float y[]; };

void main()
{
	y[0] = x[0];
}
