/* tools/matrix.h - types of cooperative matrices, as GLSL's spirv_type can say them: with numbers for operands. */
#ifndef HLX_TOOLS_MATRIX_H
#define HLX_TOOLS_MATRIX_H
#include <stddef.h>
#include <stdint.h>

struct spirv_module { uint32_t *code; size_t n_words; };

/*
 * In each OpTypeCooperativeMatrixKHR a component that is a number (16, 32 or 64) becomes the float type of so many bits, and rows
 * or columns of MATRIX_SPEC + i become specialization constant i; what they name is moved before the first of them.
 * A module without one stays as it is.  0, or negative with a message ("word N: ...") in err.
 */
#define MATRIX_SPEC 65536u
int matrix_resolve(struct spirv_module *m, char *err, size_t err_size);

#endif
