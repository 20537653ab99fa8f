#version 450
/* No bindings, no push constants, no float anywhere. */
layout(local_size_x = 1) in;
shared uint word;

void main()
{
	word = gl_LocalInvocationIndex;
}
