/*
 * rows.glsl - how the row kernels (layernorm, softmax, xent, gradient) read and write rows of any length.
 *
 * A buffer is declared twice, as float data[] and as vec4 data4[].  Rows whose length is a multiple of 4 are seen as
 * vec4s: one load of 16 bytes a lane.  Others go by floats, so that nothing past an element is ever touched.
 */
#ifndef ROWS_GLSL
#define ROWS_GLSL

#ifdef HLX_PUBLIC
#define ROWS_VEC(cols) ((cols) % 4u == 0u)
#else
#ifndef ROWS_VEC_ID
#define ROWS_VEC_ID 1
#endif
layout(constant_id = ROWS_VEC_ID) const bool rows_vec = false;
#define ROWS_VEC(cols) rows_vec
#endif

/* vec4 name(row, g, cols): group g of a row.  A group past the row's end reads what is there at its end. */
#define ROWS_READER(name, data, data4) \
	vec4 name(uint row, uint g, uint cols) \
	{ \
		if (ROWS_VEC(cols)) \
			return data4[row * (cols / 4u) + min(g, cols / 4u - 1u)]; \
		uvec4 at = uvec4(row * cols) + min(uvec4(4u * g) + uvec4(0u, 1u, 2u, 3u), uvec4(cols - 1u)); \
		return vec4(data[at.x], data[at.y], data[at.z], data[at.w]); \
	}

/* void name(row, g, cols, live, v): writes group g of a row, and nothing from element `live` on. */
#define ROWS_WRITER(name, data, data4) \
	void name(uint row, uint g, uint cols, uint live, vec4 v) \
	{ \
		if (ROWS_VEC(cols)) { \
			if (4u * g < live) \
				data4[row * (cols / 4u) + g] = v; \
			return; \
		} \
		uint at = row * cols + 4u * g; \
		if (4u * g < live) \
			data[at] = v.x; \
		if (4u * g + 1u < live) \
			data[at + 1u] = v.y; \
		if (4u * g + 2u < live) \
			data[at + 2u] = v.z; \
		if (4u * g + 3u < live) \
			data[at + 3u] = v.w; \
	}

#endif
