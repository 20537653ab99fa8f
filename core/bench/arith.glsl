/* STEP(x) on 16 chains a lane, enough of them to hide the latency of each; 2,048 turns are far from lavapipe's 65,535.  The
 * operands come from a buffer, so that nothing is known when the driver compiles. */
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint turns;
};
layout(binding = 0) restrict readonly buffer Operands { vec4 operand[]; };
layout(binding = 1) restrict writeonly buffer Results { vec4 result[]; };

void main()
{
	vec4 a = vec4(operand[0].x), b = vec4(operand[0].y);
	vec4 x = operand[1] * float(gl_LocalInvocationID.x + 1u), y = x + 1.0, z = x + 2.0, w = x + 3.0;
	for (uint t = 0u; t < turns; t++) {
		STEP(x); STEP(y); STEP(z); STEP(w);
		STEP(x); STEP(y); STEP(z); STEP(w);
		STEP(x); STEP(y); STEP(z); STEP(w);
		STEP(x); STEP(y); STEP(z); STEP(w);
	}
	result[gl_GlobalInvocationID.x] = x + y + z + w;
}
