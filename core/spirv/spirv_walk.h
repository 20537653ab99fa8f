/*
 * core/spirv/spirv_walk.h - steps through the instructions of one SPIR-V module.
 *
 *   word 0      1        2          3      4       5 ...
 *   | magic | version | generator | bound | 0 | instruction | instruction | ...
 *                                             | words << 16 | opcode |  operands  |
 *
 * A module is not trusted: whatever it holds, nothing is read outside it, and memory is taken in proportion to its
 * length, never to a number found in it.  Of each instruction the walker checks the length, that the operands the
 * core reads by position are there, and that result and type are ids below the bound; what other operands mean is
 * the reader's affair.
 *
 * Memory:  the words stay the caller's and must outlive what points into them.
 * Threads: [any], no state but the caller's structs.
 * Errors:  0 or a negative hlx_status; the message "word N: ..." goes to the caller's buffer.
 */
#ifndef HLX_CORE_SPIRV_WALK_H
#define HLX_CORE_SPIRV_WALK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HLX_SPIRV_HEADER_WORDS 5
#define HLX_SPIRV_MAX_WORDS (1u << 24) /* 64 MiB; the largest kernel of ggml-vulkan has about 0.1 */

struct hlx_spirv_iter {
	const uint32_t *code; /* host byte order */
	size_t n_words, at;   /* at: the next instruction */
	uint32_t version, bound;
	char *err;            /* NULL only if err_size is 0 */
	size_t err_size;
};

struct hlx_spirv_inst {
	const uint32_t *w;     /* w[0] is the opcode word */
	uint32_t op, n;        /* n words, w[0] included */
	uint32_t type, result; /* ids; 0 where the instruction has none */
	size_t at;             /* word offset in the module */
};

/* Checks the header. */
int hlx_spirv_begin(struct hlx_spirv_iter *it, const uint32_t *code, size_t bytes, char *err, size_t err_size);
/* 1 an instruction, 0 the end, negative an error. */
int hlx_spirv_next(struct hlx_spirv_iter *it, struct hlx_spirv_inst *in);
/* The instruction at a place that hlx_spirv_next() gave before; does not move the iterator. */
int hlx_spirv_at(const struct hlx_spirv_iter *it, size_t at, struct hlx_spirv_inst *in);
/* Says "word <at>: ..." and returns status. */
__attribute__((format(printf, 4, 5)))
int hlx_spirv_fail(const struct hlx_spirv_iter *it, size_t at, int status, const char *fmt, ...);

/* SPV_KHR_cooperative_matrix: newer than some headers in use. */
enum { HLX_SPIRV_MATRIX_TYPE = 4456, HLX_SPIRV_MATRIX_LOAD, HLX_SPIRV_MATRIX_STORE, HLX_SPIRV_MATRIX_MULTIPLY_ADD,
	HLX_SPIRV_MATRIX_LENGTH };

/* The string operand at word `first`, or NULL if it does not end inside the instruction. */
const char *hlx_spirv_string(const struct hlx_spirv_inst *in, uint32_t first);
/* True of the float arithmetic that NoContraction governs.  Negation is not among it: it rounds nothing. */
bool hlx_spirv_is_float_arith(uint32_t op);

/* Where each result id is defined, sorted by id.  An id defined twice is an error. */
struct hlx_spirv_def { uint32_t id, at; };
struct hlx_spirv_defs { struct hlx_spirv_def *def; size_t n; };
int hlx_spirv_defs_init(struct hlx_spirv_defs *defs, struct hlx_spirv_iter it);
void hlx_spirv_defs_finish(struct hlx_spirv_defs *defs);
const struct hlx_spirv_def *hlx_spirv_defs_find(const struct hlx_spirv_defs *defs, uint32_t id); /* or NULL */

/* The decorations, sorted by target, member, kind, value.  Decoration groups (deprecated, and emitted by no compiler of
 * ours) are an error, so that nobody can miss a decoration that came through one. */
#define HLX_SPIRV_WHOLE UINT32_MAX /* as member: the target itself */
struct hlx_spirv_deco { uint32_t target, member, kind, n_operands, value /* first operand or 0 */, at; };
struct hlx_spirv_decos { struct hlx_spirv_deco *deco; size_t n; };
int hlx_spirv_decos_init(struct hlx_spirv_decos *decos, struct hlx_spirv_iter it);
void hlx_spirv_decos_finish(struct hlx_spirv_decos *decos);
const struct hlx_spirv_deco *hlx_spirv_decos_find(const struct hlx_spirv_decos *decos, uint32_t target,
		uint32_t member, uint32_t kind); /* the first of its kind, or NULL */
#endif
