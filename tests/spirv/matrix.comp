#version 450
/*
 * Cooperative matrices as tools/matrix.h has them: components that are numbers of bits, sizes that are numbers of specialization
 * constants.  glslang makes constants of names alone: a bare 16u would be taken for an id.
 */
#pragma use_vulkan_memory_model
#extension GL_EXT_spirv_intrinsics : require
layout(local_size_x = 32) in;
const uint HALF = 16u, FLOAT = 32u, SUBGROUP = 3u, ROWS = 65536u + 4u, COLS = 65536u + 7u, DEPTH = 8u, USE_A = 0u, USE_C = 2u;
#define TYPE(component, rows, columns, use) \
	spirv_type(extensions = ["SPV_KHR_cooperative_matrix"], capabilities = [6022, 9], id = 4456, component, SUBGROUP, rows, columns, use)
#define matrix_a TYPE(HALF, ROWS, DEPTH, USE_A)
#define matrix_c TYPE(FLOAT, ROWS, COLS, USE_C)
spirv_instruction(id = 4457) matrix_a load_a(spirv_by_reference float from, uint order, uint stride);
spirv_instruction(id = 4457) matrix_c load_c(spirv_by_reference float from, uint order, uint stride);
spirv_instruction(id = 4458) void store(spirv_by_reference float to, matrix_c c, uint order, uint stride);
spirv_instruction(id = 129) matrix_a add_a(matrix_a x, matrix_a y);
spirv_instruction(id = 129) matrix_c add(matrix_c x, matrix_c y);
spirv_instruction(id = 143) matrix_c times(matrix_c x, float y);
layout(binding = 0) buffer data { float x[]; };
layout(constant_id = 4) const uint M = 8u;
layout(constant_id = 7) const uint N = 8u;

void main()
{
	matrix_a a = load_a(x[M], 0u, DEPTH), b = add_a(a, a);
	matrix_c c = load_c(x[0], 0u, N), d = add(c, c);
	store(x[0], times(d, x[1] + x[2]), 0u, N);
}
