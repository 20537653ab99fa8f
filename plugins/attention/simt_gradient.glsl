/* simt_gradient.glsl - how a gradient is written. */
/* The end of 4 elements of row t, from d on, of a gradient: its chain, its old values. */
vec4 gradient(vec4 acc, vec4 old, bool add)
{
	return add ? hlx_accum(old, acc) : hlx_store(acc);
}

#define GRADIENT_WRITER(name, out1, out4) \
	void name(int s, uint t, uint d, uint rows, vec4 acc, bool add) \
	{ \
		uint at = head[s] + t * p.row[s] + d; \
		if (t >= rows || d >= p.dh) \
			return; \
		if (!SCALAR) { \
			vec4 old = vec4(0.0); \
			if (add) \
				old = out4[at >> 2]; \
			out4[at >> 2] = gradient(acc, old, add); \
			return; \
		} \
		for (uint c = 0u; c < 4u; c++) \
			if (d + c < p.dh) { \
				float old = 0.0; \
				if (add) \
					old = out1[at + c]; \
				out1[at + c] = add ? hlx_accum(old, acc[c]) : hlx_store(acc[c]); \
			} \
	}
