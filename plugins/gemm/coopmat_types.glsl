/*
 * coopmat_types.glsl - VK_KHR_cooperative_matrix for a glslang that does not know it (Debian 12's), by GL_EXT_spirv_intrinsics:
 * matrices of a subgroup, a of (M, K) and b of (K, N) in fp16, c of (M, N) in fp32, whose sizes are the device's.
 *
 * Operands of a type are numbers here, where SPIR-V wants ids of types and of specialization constants: hlx-spirv puts them in
 * (16 and 32: floats of that many bits; COOPMAT_SPEC + i: specialization constant i).
 */
#extension GL_EXT_spirv_intrinsics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require

#define COOPMAT_SPEC 65536u
const uint COOPMAT_HALF = 16u, COOPMAT_FLOAT = 32u, COOPMAT_SUBGROUP = 3u;
const uint COOPMAT_M = COOPMAT_SPEC + 8u, COOPMAT_N = COOPMAT_SPEC + 9u, COOPMAT_K = COOPMAT_SPEC + 10u;
const uint COOPMAT_USE_A = 0u, COOPMAT_USE_B = 1u, COOPMAT_USE_C = 2u;
layout(constant_id = 8) const uint M = 16u;
layout(constant_id = 9) const uint N = 16u;
layout(constant_id = 10) const uint K = 16u;

#define COOPMAT(component, rows, columns, use) \
	spirv_type(extensions = ["SPV_KHR_cooperative_matrix"], capabilities = [6022, 9], id = 4456, \
		   component, COOPMAT_SUBGROUP, rows, columns, use)
#define matrix_a COOPMAT(COOPMAT_HALF, COOPMAT_M, COOPMAT_K, COOPMAT_USE_A)
#define matrix_b COOPMAT(COOPMAT_HALF, COOPMAT_K, COOPMAT_N, COOPMAT_USE_B)
#define matrix_c COOPMAT(COOPMAT_FLOAT, COOPMAT_M, COOPMAT_N, COOPMAT_USE_C)

/* order: 0 row after row, 1 column after column, which are stride array elements apart.  An array's elements may be of any type. */
spirv_instruction(id = 4457) matrix_a matrix_load_a(spirv_by_reference uvec2 from, uint order, uint stride);
spirv_instruction(id = 4457) matrix_b matrix_load_b(spirv_by_reference uvec2 from, uint order, uint stride);
spirv_instruction(id = 4458) void matrix_store(spirv_by_reference uvec2 to, matrix_c c, uint order, uint stride);
spirv_instruction(id = 4459) matrix_c matrix_multiply_add(matrix_a a, matrix_b b, matrix_c c);
spirv_instruction(id = 129) matrix_c matrix_add(matrix_c x, matrix_c y);
spirv_instruction(id = 143) matrix_c matrix_times(matrix_c x, float y);
spirv_instruction(id = 80) matrix_c matrix_of(float x);
