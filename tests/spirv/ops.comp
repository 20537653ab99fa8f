#version 450
/* Float operations of every sort, in functions, in a loop, some precise already. */
layout(local_size_x = 64) in;
layout(binding = 0) buffer data { float x[]; };
layout(binding = 1) buffer vectors { vec4 v[]; };

float chain(float a, float b)
{
	float sum = a;
	for (int i = 0; i < 4; i++)
		sum = sum + a * b;
	return sum - b / a;
}

float nested(float a) { return chain(a, mod(a, 3.0)) * -a; }

void main()
{
	uint i = gl_GlobalInvocationID.x;
	precise float kept = x[i] * x[i + 1] + x[i + 2];
	mat4 m = outerProduct(v[i], v[i + 1]) * v[i].x;
	vec4 r = m * v[i + 2] + v[i + 3] * m + v[i].wzyx * kept;
	v[i] = (m * m)[1] - r / v[i + 4];
	x[i] = nested(dot(v[i], r)) + fma(x[i], x[i], kept) + float(i % 7 * 3);
}
