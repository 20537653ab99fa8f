/*
 * flat.glsl - the kernels' side of flat.h: elementwise ops, 4 elements a lane and turn.
 *
 *     FLAT_IN(0, x)                         vec4 read_x(uint i)
 *     FLAT_OUT(1, y)                        void write_y(uint i, vec4 v)
 *     FLAT_INOUT(2, 3, g)                   both
 *     void main() { FLAT_EACH(i, write_y(i, f(read_x(i)));) }
 *
 * i is a group of 4 elements.  A kernel is built up to three times:
 *     by itself     dense tensors: as vec4s where n is a multiple of 4 (specialization constant 1), else by floats
 *     FLAT_TEXEL    the same for CPU drivers: what is read comes through uniform texel buffers, n is a multiple of 4.  What
 *                   is read and written has two bindings, the second (3 above) for reading
 *     FLAT_ANY      whatever the strides: operand b is the one of binding b
 * FLAT_PUSH: members of the push block that an op's own dispatch adds to the first two builds.
 * A read past the end repeats the last element.  The loop tests at its end, as lavapipe runs a body whose loop tests at its
 * start once more, with every lane masked.
 */
#ifndef FLAT_GLSL
#define FLAT_GLSL

#ifdef FLAT_TEXEL
#define CPU_BUILD
#endif
#define HLX_OWN_LAYOUT
#include "hlx.glsl"
#include "cpu.glsl"

layout(local_size_x_id = 0) in;
#ifdef FLAT_TEXEL
layout(constant_id = 1) const bool flat_wide = false; /* as in cpu.glsl */
#else
layout(constant_id = 1) const bool flat_vec = true;
#endif
layout(constant_id = 2) const bool accum = false; /* add to what a gradient holds */

#ifdef FLAT_ANY
struct strided_map {
	uint first, stride[4];
};
#endif

layout(push_constant) uniform Push {
	uint n, turns;
#ifdef FLAT_ANY
	uint dim[3];
	strided_map at[3];
#elif defined(FLAT_PUSH)
	FLAT_PUSH
#endif
} ONCE_BLOCK(flat_push);
ONCE(uint, flat_push, n)
ONCE(uint, flat_push, turns)

#ifdef FLAT_ANY
#define FLAT_VEC false
uint flat_at(uint k, uint i)
{
	uint a = at[k].first + i % dim[2] * at[k].stride[3];
	i /= dim[2];
	a += i % dim[1] * at[k].stride[2];
	i /= dim[1];
	return a + i % dim[0] * at[k].stride[1] + i / dim[0] * at[k].stride[0];
}
#else
#define FLAT_VEC flat_vec
uint flat_at(uint k, uint i)
{
	return i;
}
#endif

#define FLAT_BUFFER(b, name, access) \
	layout(binding = b) restrict access buffer name##_by1 { float name##1[]; }; \
	layout(binding = b) restrict access buffer name##_by4 { vec4 name##4[]; };

#define FLAT_READER(b, name) \
	vec4 read_##name(uint i) \
	{ \
		if (FLAT_VEC) \
			return name##4[i]; \
		uvec4 e = min(uvec4(4u * i) + uvec4(0u, 1u, 2u, 3u), uvec4(n - 1u)); \
		return vec4(name##1[flat_at(b, e.x)], name##1[flat_at(b, e.y)], name##1[flat_at(b, e.z)], \
				name##1[flat_at(b, e.w)]); \
	}

#define FLAT_TEXEL_READER(b, name) \
	layout(binding = b) uniform samplerBuffer name##_texels; \
	vec4 read_##name(uint i) \
	{ \
		return texelFetch(name##_texels, int(i)); \
	}

#define FLAT_WRITER(b, name) \
	void write_##name(uint i, vec4 v) \
	{ \
		if (FLAT_VEC) { \
			name##4[i] = v; \
			return; \
		} \
		for (uint c = 0u; c < 4u && 4u * i + c < n; c++) \
			name##1[flat_at(b, 4u * i + c)] = v[c]; \
	}

#ifdef FLAT_TEXEL
#define FLAT_OUT(b, name) CPU_OUT(b, name, flat_wide) \
	void write_##name(uint i, vec4 v) \
	{ \
		put_##name(i, v); \
	}
#define FLAT_IN(b, name) FLAT_TEXEL_READER(b, name)
#define FLAT_INOUT(b, again, name) FLAT_OUT(b, name) FLAT_TEXEL_READER(again, name)
#else
#define FLAT_OUT(b, name) FLAT_BUFFER(b, name, writeonly) FLAT_WRITER(b, name)
#define FLAT_IN(b, name) FLAT_BUFFER(b, name, readonly) FLAT_READER(b, name)
#define FLAT_INOUT(b, again, name) FLAT_BUFFER(b, name, ) FLAT_READER(b, name) FLAT_WRITER(b, name)
#endif

#define FLAT_EACH(i, body) { \
		uint i = gl_WorkGroupID.x * turns * gl_WorkGroupSize.x + gl_LocalInvocationID.x, flat_turn = 0u; \
		do { \
			if (i < (n + 3u) / 4u) { \
				body \
			} \
			i += gl_WorkGroupSize.x; \
		} while (++flat_turn < turns); \
	}

#endif
