#version 450
/*
 * One offence against numerics.md section 1 for each macro, on the line that names it; made with -g, so that the lint can
 * name that line too.  Without a macro: what is allowed, which must pass.
 */
#ifdef HALF
#extension GL_EXT_shader_explicit_arithmetic_types : require
#endif
#if defined(ATOMIC_ADD) || defined(ATOMIC_SWAP)
#extension GL_EXT_shader_atomic_float : require
#endif
#if defined(GROUP_ADD) || defined(GROUP_MAX)
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif
#ifdef COOPERATIVE
#extension GL_KHR_memory_scope_semantics : require
#extension GL_NV_cooperative_matrix : require
#endif
#ifdef COOPERATIVE_KHR
#extension GL_GOOGLE_include_directive : require
#define HLX_MATRIX_ID 1
#include "matrix.glsl"
#endif
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint WIDTH = 4;
layout(binding = 0) buffer data { float x[]; };
layout(binding = 1) buffer vectors { vec4 v[]; };
layout(binding = 2) buffer words { uint u[]; };
layout(binding = 3) uniform samplerBuffer texels;
#ifdef IMAGE
layout(binding = 4, r32f) uniform imageBuffer image;
#endif
shared float sums[64 + WIDTH + 1];

float planted(uint i)
{
	float a = x[i], b = x[i + 1], r = 0;
#if defined(DIVISION)
	r = a / b; /* DIVISION */
#elif defined(FMA)
	r = fma(a, b, 1.0); /* FMA */
#elif defined(SQRT)
	r = sqrt(a); /* SQRT */
#elif defined(INVERSE)
	r = inversesqrt(a); /* INVERSE */
#elif defined(DOT)
	r = dot(v[i], v[i + 1]); /* DOT */
#elif defined(MATRIX_VECTOR)
	r = (mat4(v[i], v[i + 1], v[i + 2], v[i + 3]) * v[i]).x; /* MATRIX_VECTOR */
#elif defined(VECTOR_MATRIX)
	r = (v[i] * mat4(v[i], v[i + 1], v[i + 2], v[i + 3])).x; /* VECTOR_MATRIX */
#elif defined(OUTER)
	r = outerProduct(v[i], v[i + 1])[0].x; /* OUTER */
#elif defined(INVERTED)
	r = inverse(mat4(v[i], v[i + 1], v[i + 2], v[i + 3]))[0].x; /* INVERTED */
#elif defined(COOPERATIVE)
	fcoopmatNV<32, gl_ScopeSubgroup, 8, 8> m = fcoopmatNV<32, gl_ScopeSubgroup, 8, 8>(a); /* COOPERATIVE */
#elif defined(COOPERATIVE_KHR)
	hlx_matrix_c m = hlx_matrix_add(hlx_matrix_of(a), hlx_matrix_of(b)); /* COOPERATIVE_KHR */
	hlx_matrix_store(x[i], m, HLX_MATRIX_ROWS, HLX_MATRIX_N);
#elif defined(MODULO)
	r = mod(a, b); /* MODULO */
#elif defined(FRACTION)
	r = fract(a); /* FRACTION */
#elif defined(MIXED)
	r = mix(a, b, 0.5); /* MIXED */
#elif defined(SMOOTH)
	r = smoothstep(a, b, 0.5); /* SMOOTH */
#elif defined(LENGTH)
	r = length(v[i]); /* LENGTH */
#elif defined(NORMALIZED)
	r = normalize(v[i]).x; /* NORMALIZED */
#elif defined(PACKED)
	u[i] = packHalf2x16(vec2(a, b)); /* PACKED */
#elif defined(UNPACKED)
	r = unpackUnorm4x8(u[i]).x; /* UNPACKED */
#elif defined(EXP)
	r = exp(a); /* EXP */
#elif defined(LOG)
	r = log(a); /* LOG */
#elif defined(TANH)
	r = tanh(a); /* TANH */
#elif defined(POW)
	r = pow(a, b); /* POW */
#elif defined(SINE)
	r = sin(a); /* SINE */
#elif defined(STEPPED)
	r = step(a, b); /* STEPPED */
#elif defined(SCALED)
	r = ldexp(a, 3); /* SCALED */
#elif defined(ROUNDED)
	r = round(a); /* ROUNDED */
#elif defined(CEILING)
	r = ceil(a); /* CEILING */
#elif defined(CLAMPED)
	r = clamp(a, 0.0, b); /* CLAMPED */
#elif defined(UNSIGNED)
	r = float(u[i]); /* UNSIGNED */
#elif defined(UNEQUAL)
	r = a != b ? 1.0 : 0.0; /* UNEQUAL */
#elif defined(NOT_A_NUMBER)
	r = isnan(a) ? 1.0 : 0.0; /* NOT_A_NUMBER */
#elif defined(INFINITE)
	r = isinf(a) ? 1.0 : 0.0; /* INFINITE */
#elif defined(HALF)
	r = float(float16_t(a) + float16_t(b)); /* HALF */
#elif defined(DOUBLE)
	r = float(double(a) + double(b)); /* DOUBLE */
#elif defined(MEDIUM)
	mediump float m = a, n = b;
	r = m * n; /* MEDIUM */
#elif defined(ATOMIC_ADD)
	r = atomicAdd(x[i], a); /* ATOMIC_ADD */
#elif defined(ATOMIC_SWAP)
	r = atomicExchange(x[i], a); /* ATOMIC_SWAP */
#elif defined(GROUP_ADD)
	r = subgroupAdd(a); /* GROUP_ADD */
#elif defined(GROUP_MAX)
	r = subgroupMax(a); /* GROUP_MAX */
#elif defined(IMAGE)
	r = imageLoad(image, int(i)).x; /* IMAGE */
#elif defined(DENORMAL)
	r = a * 1e-40; /* DENORMAL */
#endif
	return r;
}

void main()
{
	uint i = gl_GlobalInvocationID.x;
	float a = x[i] * x[i + 1] + x[i + 2] - float(int(i & 0xffffu));
	vec4 t = texelFetch(texels, int(i)) * a;
	sums[i & 63u] = max(min(abs(a), 3.0), roundEven(t.x)) + floor(-a) + trunc(a);
	barrier();
	if (a < t.y && a == t.z)
		u[i] = atomicAdd(u[0], uint(a)) % 7u + bitCount(u[1]) + uint(findMSB(u[2]));
	x[i] = sums[(i + 1u) & 63u] + uintBitsToFloat(floatBitsToUint(a) ^ u[i]) + planted(i) + t.w;
}
