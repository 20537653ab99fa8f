#version 450
#extension GL_GOOGLE_include_directive : require
/* What hlx does not open a device with: 64-bit floats. */
layout(local_size_x = 8) in;
layout(binding = 0) restrict readonly buffer X { float x[]; };
layout(binding = 1) restrict writeonly buffer Y { float y[]; };

void main()
{
	double d = double(x[0]);
	y[0] = float(d + 1.0lf);
}
