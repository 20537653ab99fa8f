/*
 * core/spirv/lint.h - refuses SPIR-V whose bits may differ from driver to driver: a white list of what a portable kernel may use.
 *
 * What no lint can know, and the self-test and the authors answer for: that |i| <= 2^24 where an integer becomes a float,
 * that a float is in range where it becomes an integer, that no operand of min and max is a NaN, that glslang folded no
 * float constants (it does so in double), that denormals cannot arise, how often a loop runs.
 *
 * Threads: [any].
 * Errors:  HLX_EPLUGIN for what is refused, or what hlx_spirv_reflect() says of a broken module; one line,
 *          "word N: OpFDiv in scale() at scale.comp:12: division: ...", N a word offset in the module; the line is
 *          known where the module was compiled with -g.
 */
#ifndef HLX_CORE_LINT_H
#define HLX_CORE_LINT_H
#include "core/spirv/spirv_walk.h"

int hlx_lint(const uint32_t *code, size_t bytes, char *err, size_t err_size);

/* ---- tables: lint_table.c, and lint.c for the checks ---- */

/* Why something is refused. */
enum hlx_lint_rule {
	HLX_LINT_UNKNOWN, /* not on the list */
	HLX_LINT_CONTRACTION, HLX_LINT_FMA, HLX_LINT_DIVISION, HLX_LINT_SQRT, HLX_LINT_RSQRT, HLX_LINT_DOT, HLX_LINT_MATRIX,
	HLX_LINT_MOD, HLX_LINT_MIX, HLX_LINT_LENGTH, HLX_LINT_PACK, HLX_LINT_FUNCTION, HLX_LINT_ROUND, HLX_LINT_MINMAX,
	HLX_LINT_UINT, HLX_LINT_CONVERT, HLX_LINT_WIDTH, HLX_LINT_RELAXED, HLX_LINT_FAST, HLX_LINT_ATOMIC, HLX_LINT_GROUP,
	HLX_LINT_FOLDING, HLX_LINT_MODE, HLX_LINT_UNORDERED, HLX_LINT_NAN, HLX_LINT_UNDEF, HLX_LINT_DENORMAL, HLX_LINT_IMAGE,
	HLX_LINT_SET, HLX_LINT_DECORATION, HLX_LINT_RULES
};
struct hlx_lint_rule_text { const char *name, *why; };
extern const struct hlx_lint_rule_text hlx_lint_rules[HLX_LINT_RULES];

/* What the instruction's operands or decorations must be, beyond its being on the list. */
enum hlx_lint_need {
	HLX_LINT_FREE,
	HLX_LINT_FOLDS,   /* and OpSpecConstantOp may fold it: no float is computed */
	HLX_LINT_ROUNDS,  /* NoContraction */
	HLX_LINT_INTEGER, /* the result, or the stored value, is one */
	HLX_LINT_FLOAT32, HLX_LINT_CONSTANT, HLX_LINT_SPEC_OP, HLX_LINT_IMPORT, HLX_LINT_EXT, HLX_LINT_EXECUTION,
	HLX_LINT_TEXEL, HLX_LINT_FETCH
};
struct hlx_lint_op { uint16_t op, need; const char *name; };
const struct hlx_lint_op *hlx_lint_allowed(uint32_t op); /* or NULL */
/* Of what is not allowed: its name and rule, where they are known. */
struct hlx_lint_refused { uint32_t op; enum hlx_lint_rule rule; const char *name; };
const struct hlx_lint_refused *hlx_lint_refused(uint32_t op);
/* GLSL.std.450: HLX_LINT_RULES as the rule of those that are allowed.  NULL beyond its end. */
const struct hlx_lint_refused *hlx_lint_function(uint32_t number);
bool hlx_lint_decoration(uint32_t kind); /* allowed on anything */
bool hlx_lint_mode(uint32_t mode);
#endif
