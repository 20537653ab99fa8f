#version 450
/* Made without hlx-spirv: only what is precise here has NoContraction.  The operands come from a buffer, or a driver would
 * compute it all when it compiles. */
layout(local_size_x = 1) in;
layout(binding = 0) restrict readonly buffer operands { float x[16]; };
layout(binding = 1) restrict writeonly buffer results { uint y[16]; };

void main()
{
	precise float kept = x[0] * x[1] + x[2];
	float loose = x[0] * x[1] + x[2];
	precise float tie_down = x[3] + x[4];
	precise float tie_up = x[3] + x[5];
	precise float product = x[6] * x[6];
	precise float small = x[7] * x[8];
	precise float back = x[9] * x[10];

	y[0] = floatBitsToUint(kept);
	y[1] = floatBitsToUint(loose);
	y[2] = floatBitsToUint(fma(x[0], x[1], x[2]));
	y[3] = floatBitsToUint(tie_down);
	y[4] = floatBitsToUint(tie_up);
	y[5] = floatBitsToUint(product);
	y[6] = floatBitsToUint(small);
	y[7] = floatBitsToUint(back);
	y[8] = floatBitsToUint(float(floatBitsToInt(x[11])));
	y[9] = floatBitsToUint(float(floatBitsToInt(x[12])));
}
