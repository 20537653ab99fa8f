/*
 * cpu.glsl - for the builds of kernels that only CPU drivers run (they define CPU_BUILD before it); to others it does nothing.
 *
 *     layout(push_constant) uniform Push { uint n; } ONCE_BLOCK(push);
 *     ONCE(uint, push, n)     // n is a variable, read where main() begins; without CPU_BUILD it is the block's member
 *     CPU_OUT(1, y, WIDE)     // void put_y(uint i, vec4 v): element i of a buffer of vec4s; WIDE: cpu_wide() of cpu.h
 *
 * lavapipe 22.3.6 reads a block's member with one load and a broadcast as long as there was no branch and no loop; from then on it
 * gathers it lane by lane, each time: some 50 instructions for 16 lanes.
 */
#ifndef CPU_GLSL
#define CPU_GLSL

#ifdef CPU_BUILD
#extension GL_ARB_gpu_shader_int64 : require

#define ONCE_BLOCK(name) name
#define ONCE(type, block, member) type member = block.member;

#define CPU_OUT(b, name, wide) \
	layout(binding = b) restrict writeonly buffer name##_by4 { vec4 name##4[]; }; \
	layout(binding = b) restrict writeonly buffer name##_by8 { u64vec2 name##8[]; }; \
	void put_##name(uint i, vec4 v) \
	{ \
		uvec4 w = floatBitsToUint(v); \
		if (wide) \
			name##8[i] = u64vec2(packUint2x32(w.xy), packUint2x32(w.zw)); \
		else \
			name##4[i] = v; \
	}
#else
#define ONCE_BLOCK(name)
#define ONCE(type, block, member)
#endif

#endif
