/*
 * matrix.glsl - matrices of a subgroup (VK_KHR_cooperative_matrix), for kernels of the device tier on devices that have
 * caps->coopmat: a is (M, K) and b (K, N) in fp16, c is (M, N) in fp32, and the sizes are the device's.
 *
 *     #version 450
 *     #extension GL_GOOGLE_include_directive : require
 *     #pragma use_vulkan_memory_model
 *     #define HLX_MATRIX_ID 8                  // M, N and K are specialization constants 8, 9 and 10:
 *     #include "matrix.glsl"                   // caps->coopmat_m, coopmat_n and coopmat_k
 *
 *     shared uvec2 piece[...];                 // 4 fp16s an element
 *     hlx_matrix_c sum = hlx_matrix_of(0.0);
 *     hlx_matrix_a a = hlx_matrix_load_a(piece[at], HLX_MATRIX_ROWS, row);
 *
 * A matrix is a local variable, or an array of them; the invocations of a subgroup, all of them active and each with the same
 * arguments, hold it together.
 *
 * For glslang from 12 on, which lacks GL_KHR_cooperative_matrix, it is said by GL_EXT_spirv_intrinsics.  There operands of a type
 * are numbers, where SPIR-V wants ids of types and of specialization constants: hlx-spirv puts them in (16 and 32: floats
 * of that many bits; HLX_MATRIX_SPEC + i: specialization constant i).
 */
#ifndef HLX_MATRIX_GLSL
#define HLX_MATRIX_GLSL
#ifndef HLX_MATRIX_ID
#error HLX_MATRIX_ID: define it as the first of three specialization constants, for M, N and K
#endif

#extension GL_EXT_spirv_intrinsics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require

layout(constant_id = HLX_MATRIX_ID) const uint HLX_MATRIX_M = 16u;
layout(constant_id = HLX_MATRIX_ID + 1) const uint HLX_MATRIX_N = 16u;
layout(constant_id = HLX_MATRIX_ID + 2) const uint HLX_MATRIX_K = 16u;

/* Names, as glslang takes a bare number there for an id. */
#define HLX_MATRIX_SPEC 65536u
const uint HLX_MATRIX_HALF = 16u, HLX_MATRIX_FLOAT = 32u, HLX_MATRIX_SUBGROUP = 3u;
const uint HLX_MATRIX_SPEC_M = HLX_MATRIX_SPEC + HLX_MATRIX_ID, HLX_MATRIX_SPEC_N = HLX_MATRIX_SPEC_M + 1u,
	HLX_MATRIX_SPEC_K = HLX_MATRIX_SPEC_M + 2u;
const uint HLX_MATRIX_USE_A = 0u, HLX_MATRIX_USE_B = 1u, HLX_MATRIX_USE_C = 2u;
#define HLX_MATRIX(component, rows, columns, use) \
	spirv_type(extensions = ["SPV_KHR_cooperative_matrix"], capabilities = [6022, 9], id = 4456, \
		   component, HLX_MATRIX_SUBGROUP, rows, columns, use)
#define hlx_matrix_a HLX_MATRIX(HLX_MATRIX_HALF, HLX_MATRIX_SPEC_M, HLX_MATRIX_SPEC_K, HLX_MATRIX_USE_A)
#define hlx_matrix_b HLX_MATRIX(HLX_MATRIX_HALF, HLX_MATRIX_SPEC_K, HLX_MATRIX_SPEC_N, HLX_MATRIX_USE_B)
#define hlx_matrix_c HLX_MATRIX(HLX_MATRIX_FLOAT, HLX_MATRIX_SPEC_M, HLX_MATRIX_SPEC_N, HLX_MATRIX_USE_C)

/*
 * From and to an array in shared memory or in a buffer, from the element that is named on; order says whether what follows is a row
 * or a column, stride how many array elements the next row (column) is further.  An element is as many of the matrix' components as its
 * bytes hold, of whatever type it is declared: a uvec2 is 4 fp16s or 2 floats.  Rows start at multiples of 16 bytes, or of a whole
 * row (column) where that is less.  Nothing is checked: all of a matrix lies inside.
 */
#define HLX_MATRIX_ROWS 0u
#define HLX_MATRIX_COLUMNS 1u
#define HLX_MATRIX_ARRAY_OF(type) \
	spirv_instruction(id = 4457) hlx_matrix_a hlx_matrix_read_a(spirv_by_reference type from, uint order, uint stride, \
								    spirv_literal uint access, uint scope); \
	spirv_instruction(id = 4457) hlx_matrix_b hlx_matrix_read_b(spirv_by_reference type from, uint order, uint stride, \
								    spirv_literal uint access, uint scope); \
	spirv_instruction(id = 4457) hlx_matrix_c hlx_matrix_read_c(spirv_by_reference type from, uint order, uint stride, \
								    spirv_literal uint access, uint scope); \
	spirv_instruction(id = 4458) void hlx_matrix_write(spirv_by_reference type to, hlx_matrix_c c, uint order, uint stride, \
							   spirv_literal uint access, uint scope);
HLX_MATRIX_ARRAY_OF(uint)
HLX_MATRIX_ARRAY_OF(uvec2)
HLX_MATRIX_ARRAY_OF(uvec4)
HLX_MATRIX_ARRAY_OF(float)
HLX_MATRIX_ARRAY_OF(vec4)
/* In Vulkan's memory model an access is the invocation's own unless it says otherwise: these are visible (48) and available (40) to a
 * workgroup (scope 2), as those are that glslang makes of shared memory. */
#define hlx_matrix_load_a(from, order, stride) hlx_matrix_read_a(from, order, stride, 48u, 2u)
#define hlx_matrix_load_b(from, order, stride) hlx_matrix_read_b(from, order, stride, 48u, 2u)
#define hlx_matrix_load_c(from, order, stride) hlx_matrix_read_c(from, order, stride, 48u, 2u)
#define hlx_matrix_store(to, c, order, stride) hlx_matrix_write(to, c, order, stride, 40u, 2u)

/* a b + c: how the products of K terms are rounded, and in which order they are added, is the device's. */
spirv_instruction(id = 4459) hlx_matrix_c hlx_matrix_multiply_add(hlx_matrix_a a, hlx_matrix_b b, hlx_matrix_c c);
/* Element by element: x + y, x y, and x everywhere. */
spirv_instruction(id = 129) hlx_matrix_c hlx_matrix_add(hlx_matrix_c x, hlx_matrix_c y);
spirv_instruction(id = 143) hlx_matrix_c hlx_matrix_times(hlx_matrix_c x, float y);
spirv_instruction(id = 80) hlx_matrix_c hlx_matrix_of(float x);
#endif
