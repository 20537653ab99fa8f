#version 450
/* to = from, 16 bytes an invocation and turn: the device's copy bandwidth, of one binding each. */
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Push {
	uint n, turns; /* vec4s */
};
layout(binding = 0) restrict readonly buffer From { vec4 from[]; };
layout(binding = 1) restrict writeonly buffer To { vec4 to[]; };

void main()
{
	uint i = gl_WorkGroupID.x * turns * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	for (uint t = 0u; t < turns; t++, i += gl_WorkGroupSize.x)
		if (i < n)
			to[i] = from[i];
}
