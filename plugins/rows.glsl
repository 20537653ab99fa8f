/*
 * rows.glsl - how the row kernels (layernorm, softmax, xent, gradient) read and write rows of any length.
 *
 *     ROWS_IN(0, x)          vec4 read_x(row, g, cols): group g of a row; past the row's end, what is there at its end
 *     ROWS_OUT(1, y)         void write_y(row, g, cols, live, v): nothing from element `live` on
 *     ROWS_INOUT(2, 3, dx)   both
 *
 * A buffer is declared twice, as floats and as vec4s.  Rows whose length is a multiple of 4 are seen as
 * vec4s: one load of 16 bytes a lane.  Others go by floats, so that nothing past an element is ever touched.
 * ROWS_KEEPS, before the include: there are ROWS_KEEP (specialization constant 2), the turns of a row that fit a lane's
 * registers, or 0; accumulate (constant 3), add to what a gradient holds; and ROWS_AHEAD (constant 4), the turns of another row
 * that are read together.  In a public shader that is the last word of
 * the push constants, where ROWS_ACCUMULATE stands.
 *
 * ROWS_TEXEL, for CPU drivers and lengths that are multiples of 4: what is read comes through uniform texel buffers; what is
 * read and written has two bindings, the second (3 above) for reading.
 */
#ifndef ROWS_GLSL
#define ROWS_GLSL

#ifdef ROWS_TEXEL
#define CPU_BUILD
#endif
#include "cpu.glsl"

#ifdef HLX_PUBLIC
#define ROWS_VEC(cols) ((cols) % 4u == 0u)
#else
#ifndef ROWS_VEC_ID
#define ROWS_VEC_ID 1
#endif
layout(constant_id = ROWS_VEC_ID) const uint rows_unit = 1u; /* 1, 4 or 64: what a row's length is a multiple of */
#define ROWS_VEC(cols) (rows_unit > 1u)
#endif

/* hlx_tail to a row's end. */
vec4 rows_tail(vec4 v, uint g, uint cols, float fill)
{
#ifndef HLX_PUBLIC
	if (rows_unit == 64u)
		return v;
#endif
	return hlx_tail(v, g, cols, fill);
}

vec4 rows_tail(vec4 v, uint g, uint cols)
{
	return rows_tail(v, g, cols, 0.0f);
}

#ifdef ROWS_TEXEL
layout(constant_id = 5) const bool rows_wide = false; /* as in cpu.glsl */
#endif

#ifdef HLX_PUBLIC
#define ROWS_KEEP 0u
#define ROWS_AHEAD 1u
#define ROWS_ACCUMULATE uint accumulate;
#elif defined(ROWS_KEEPS)
layout(constant_id = 2) const uint ROWS_KEEP = 0u;
layout(constant_id = 3) const uint accumulate = 0u;
layout(constant_id = 4) const uint ROWS_AHEAD = 1u;
#define ROWS_ACCUMULATE
#endif

#ifdef ROWS_KEEPS
/* Turns that are read together: of a kept row all. */
#define ROWS_CHUNK (ROWS_KEEP > 0u ? ROWS_KEEP : ROWS_AHEAD)

/* A row's length for HLX_FOR_KEPT: a constant where the row is kept, so that no branch keeps its loads apart. */
uint rows_span(uint cols)
{
	return ROWS_KEEP > 0u ? 64u * ROWS_KEEP : cols;
}
#endif

#define ROWS_BUFFER(b, name, access) \
	layout(binding = b) restrict access buffer name##_by1 { float name##1[]; }; \
	layout(binding = b) restrict access buffer name##_by4 { vec4 name##4[]; };

#define ROWS_READER(name) \
	vec4 read_##name(uint row, uint g, uint cols) \
	{ \
		if (ROWS_VEC(cols)) \
			return name##4[row * (cols / 4u) + min(g, cols / 4u - 1u)]; \
		uvec4 at = uvec4(row * cols) + min(uvec4(4u * g) + uvec4(0u, 1u, 2u, 3u), uvec4(cols - 1u)); \
		return vec4(name##1[at.x], name##1[at.y], name##1[at.z], name##1[at.w]); \
	}

#define ROWS_TEXEL_READER(b, name) \
	layout(binding = b) uniform samplerBuffer name##_texels; \
	vec4 read_##name(uint row, uint g, uint cols) \
	{ \
		return texelFetch(name##_texels, int(row * (cols / 4u) + min(g, cols / 4u - 1u))); \
	}

#define ROWS_WRITER(name) \
	void write_##name(uint row, uint g, uint cols, uint live, vec4 v) \
	{ \
		if (ROWS_VEC(cols)) { \
			if (4u * g < live) \
				name##4[row * (cols / 4u) + g] = v; \
			return; \
		} \
		uint at = row * cols + 4u * g; \
		if (4u * g < live) \
			name##1[at] = v.x; \
		if (4u * g + 1u < live) \
			name##1[at + 1u] = v.y; \
		if (4u * g + 2u < live) \
			name##1[at + 2u] = v.z; \
		if (4u * g + 3u < live) \
			name##1[at + 3u] = v.w; \
	}

#ifdef ROWS_TEXEL
#define ROWS_OUT(b, name) CPU_OUT(b, name, rows_wide) \
	void write_##name(uint row, uint g, uint cols, uint live, vec4 v) \
	{ \
		if (4u * g < live) \
			put_##name(row * (cols / 4u) + g, v); \
	}
#define ROWS_IN(b, name) ROWS_TEXEL_READER(b, name)
#define ROWS_INOUT(b, again, name) ROWS_OUT(b, name) ROWS_TEXEL_READER(again, name)
#else
#define ROWS_OUT(b, name) ROWS_BUFFER(b, name, writeonly) ROWS_WRITER(name)
#define ROWS_IN(b, name) ROWS_BUFFER(b, name, readonly) ROWS_READER(name)
#define ROWS_INOUT(b, again, name) ROWS_BUFFER(b, name, ) ROWS_READER(name) ROWS_WRITER(name)
#endif

#endif
