/*
 * check_lint - a planted offence against every rule of the lint is refused by rule, instruction and place; what is allowed,
 * and every kernel of ours, passes.  tests/lint/offenders.comp has what glslang can be made to write, patches the rest.
 */
#include <check.h>
#include <ctype.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spirv/unified1/spirv.h>

#include "core/spirv/lint.h"
#include "tests/lint/offenders.h"
#include "tests/suite.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define MAX_WORDS 65536u

static char err[512];

static int lint(const uint32_t *code, size_t bytes)
{
	int status;

	err[0] = 0;
	status = hlx_lint(code, bytes, err, sizeof err);
	ck_assert_msg(!strpbrk(err, "\r\n"), "more than one line: %s", err);
	ck_assert_msg((status < 0) == (err[0] != 0), "status %d, \"%s\"", status, err);
	return status;
}

static void ck_says(const char *words)
{
	ck_assert_msg(strstr(err, words) != NULL, "\"%s\" lacks \"%s\"", err, words);
}

/* The line of offenders.comp that names the offence. */
static unsigned line_of(const char *name)
{
	char path[4096], text[512], mark[64];
	unsigned n = 0;
	const char *src = getenv("top_srcdir");
	FILE *f;

	snprintf(path, sizeof path, "%s/tests/lint/offenders.comp", src ? src : ".");
	snprintf(mark, sizeof mark, "/* %s */", name);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s is missing", path);
	while (fgets(text, sizeof text, f)) {
		n++;
		if (strstr(text, mark)) {
			fclose(f);
			return n;
		}
	}
	ck_abort_msg("%s has no line %s", path, mark);
}

/* ---- offences that a compiler writes ---- */

#define O(name, what, rule, where) { #name, lint_##name, sizeof lint_##name, what, rule, where }
static const struct offence {
	const char *name;
	const uint32_t *code;
	size_t bytes;
	const char *what, *rule;
	bool where; /* stands in a function, on a line of its own; else among the types */
} offences[] = {
	O(DIVISION, "OpFDiv", "division", true), O(FMA, "OpExtInst Fma", "fma", true), O(SQRT, "OpExtInst Sqrt", "sqrt", true),
	O(INVERSE, "OpExtInst InverseSqrt", "inversesqrt", true), O(DOT, "OpDot", "dot", true),
	O(MATRIX_VECTOR, "OpMatrixTimesVector", "matrix", true), O(VECTOR_MATRIX, "OpVectorTimesMatrix", "matrix", true),
	O(OUTER, "OpOuterProduct", "matrix", true), O(INVERTED, "OpExtInst MatrixInverse", "matrix", true),
	O(COOPERATIVE, "OpTypeCooperativeMatrixNV", "matrix", false),
	O(COOPERATIVE_KHR, "OpTypeCooperativeMatrixKHR", "matrix", false), O(MODULO, "OpFMod", "mod", true),
	O(FRACTION, "OpExtInst Fract", "mod", true), O(MIXED, "OpExtInst FMix", "mix", true),
	O(SMOOTH, "OpExtInst SmoothStep", "mix", true), O(LENGTH, "OpExtInst Length", "length", true),
	O(NORMALIZED, "OpExtInst Normalize", "length", true), O(PACKED, "OpExtInst PackHalf2x16", "pack", true),
	O(UNPACKED, "OpExtInst UnpackUnorm4x8", "pack", true), O(EXP, "OpExtInst Exp", "function", true),
	O(LOG, "OpExtInst Log", "function", true), O(TANH, "OpExtInst Tanh", "function", true),
	O(POW, "OpExtInst Pow", "function", true), O(SINE, "OpExtInst Sin", "function", true),
	O(STEPPED, "OpExtInst Step", "function", true), O(SCALED, "OpExtInst Ldexp", "function", true),
	O(ROUNDED, "OpExtInst Round", "round", true), O(CEILING, "OpExtInst Ceil", "round", true),
	O(CLAMPED, "OpExtInst FClamp", "clamp", true), O(UNSIGNED, "OpConvertUToF", "uint to float", true),
	O(UNEQUAL, "OpFUnordNotEqual", "unordered compare", true), O(NOT_A_NUMBER, "OpIsNan", "NaN test", true),
	O(INFINITE, "OpIsInf", "NaN test", true), O(HALF, "OpTypeFloat", "float width", false),
	O(DOUBLE, "OpTypeFloat", "float width", false), O(MEDIUM, "OpDecorate RelaxedPrecision", "RelaxedPrecision", true),
	O(ATOMIC_ADD, "OpAtomicFAddEXT", "float atomic", true), O(ATOMIC_SWAP, "OpAtomicExchange", "float atomic", true),
	O(GROUP_ADD, "OpGroupNonUniformFAdd", "float group arithmetic", true),
	O(GROUP_MAX, "OpGroupNonUniformFMax", "float group arithmetic", true), O(IMAGE, "OpTypeImage", "image", false),
	O(DENORMAL, "OpConstant", "denormal constant", false),
};

START_TEST(refuses_what_is_planted)
{
	const struct offence *o = &offences[_i];
	char place[64], rule[64];

	ck_assert_int_lt(lint(o->code, o->bytes), 0);
	snprintf(rule, sizeof rule, ": %s: ", o->rule);
	ck_says(o->what);
	ck_says(rule);
	ck_assert_msg(!strncmp(err, "word ", 5) && strtoul(err + 5, NULL, 10) < o->bytes / 4, "no place: %s", err);
	if (!o->where)
		return;
	/* glslang puts the line of a mediump declaration's first operand at its load */
	snprintf(place, sizeof place, " in planted() at offenders.comp:%u: ", line_of(o->name));
	if (strcmp(o->name, "MEDIUM"))
		ck_says(place);
	else
		ck_says(" in planted() at offenders.comp:");
}
END_TEST

START_TEST(passes_what_is_allowed)
{
	int status = lint(lint_NOTHING, sizeof lint_NOTHING);

	ck_assert_msg(status == 0, "%s", err);
}
END_TEST

/* ---- offences that have to be patched in ---- */

enum { WORD_OP = 100 }; /* as a word: the opcode itself */
static const struct patch {
	uint32_t op;          /* the first instruction of it */
	uint32_t word, value; /* gets this */
	const char *what, *rule, *function;
} patches[] = {
	{ SpvOpFAdd, WORD_OP, 9999, "opcode 9999", "unknown", "main" },
	{ SpvOpFAdd, WORD_OP, SpvOpFRem, "OpFRem", "mod", "main" },
	{ SpvOpConvertSToF, WORD_OP, SpvOpQuantizeToF16, "OpQuantizeToF16", "float conversion", "main" },
	{ SpvOpConvertSToF, WORD_OP, SpvOpFConvert, "OpFConvert", "float conversion", "main" },
	{ SpvOpFOrdLessThan, WORD_OP, SpvOpFUnordLessThan, "OpFUnordLessThan", "unordered compare", "main" },
	{ SpvOpFOrdLessThan, WORD_OP, SpvOpOrdered, "OpOrdered", "NaN test", "main" },
	{ SpvOpFNegate, WORD_OP, SpvOpUndef, "OpUndef", "undefined value", "main" },
	{ SpvOpSpecConstantOp, 3, SpvOpFAdd, "OpSpecConstantOp OpFAdd", "float folding", NULL },
	{ SpvOpSpecConstantOp, 3, SpvOpFDiv, "OpSpecConstantOp OpFDiv", "float folding", NULL },
	{ SpvOpSpecConstantOp, 3, SpvOpConvertFToS, "OpSpecConstantOp OpConvertFToS", "float folding", NULL },
	{ SpvOpSpecConstantOp, 3, 9999, "OpSpecConstantOp", "unknown", NULL },
	{ SpvOpExecutionMode, 2, SpvExecutionModeDenormFlushToZero, "DenormFlushToZero", "execution mode", NULL },
	{ SpvOpExecutionMode, 2, SpvExecutionModeDenormPreserve, "DenormPreserve", "execution mode", NULL },
	{ SpvOpExecutionMode, 2, SpvExecutionModeRoundingModeRTZ, "RoundingModeRTZ", "execution mode", NULL },
	{ SpvOpExecutionMode, 2, SpvExecutionModeContractionOff, "ContractionOff", "execution mode", NULL },
	{ SpvOpExecutionMode, 2, 6028, "FPFastMathDefault", "fast math", NULL },
	{ SpvOpExecutionMode, 2, 9999, "OpExecutionMode 9999", "execution mode", NULL },
	{ SpvOpExtInstImport, 2, 0x6e65704f, "OpExtInstImport \"Open", "instruction set", NULL },
	{ SpvOpExtInstImport, 2, 0x6e0a704f, "OpExtInstImport \"Op n", "instruction set", NULL },
	{ SpvOpExtInst, 4, 500, "OpExtInst", "unknown", "main" },
	{ SpvOpTypeFloat, 2, 16, "OpTypeFloat", "float width", NULL },
	{ SpvOpTypeFloat, 2, 64, "OpTypeFloat", "float width", NULL },
	{ SpvOpTypeImage, 3, SpvDim2D, "OpTypeImage", "image", NULL },
	{ SpvOpTypeImage, 7, 2, "OpTypeImage", "image", NULL },
	{ SpvOpImageFetch, WORD_OP, SpvOpImageRead, "OpImageRead", "image", "main" },
};

/* The first OpDecorate NoContraction is patched to another kind, so that the place is an operation's. */
static const struct { uint32_t kind; const char *what, *rule; } decorations[] = {
	{ SpvDecorationRelaxedPrecision, "OpDecorate RelaxedPrecision", "RelaxedPrecision" },
	{ SpvDecorationFPFastMathMode, "OpDecorate FPFastMathMode", "fast math" },
	{ SpvDecorationFPRoundingMode, "OpDecorate FPRoundingMode", "fast math" },
	{ SpvDecorationSaturatedConversion, "decoration 28", "decoration" }, { 9999, "decoration 9999", "decoration" },
	{ SpvDecorationUniform, "OpF", "contraction" }, /* nothing but that NoContraction is gone */
};

static uint32_t copy[MAX_WORDS];

static struct hlx_spirv_inst find_first(uint32_t op, uint32_t kind)
{
	struct hlx_spirv_iter it;
	struct hlx_spirv_inst in;

	memcpy(copy, lint_NOTHING, sizeof lint_NOTHING);
	ck_assert_int_eq(hlx_spirv_begin(&it, copy, sizeof lint_NOTHING, err, sizeof err), 0);
	while (hlx_spirv_next(&it, &in) > 0)
		if (in.op == op && (op != SpvOpDecorate || in.w[2] == kind))
			return in;
	ck_abort_msg("no opcode %u", op);
}

START_TEST(refuses_what_is_patched)
{
	const struct patch *p = &patches[_i];
	struct hlx_spirv_inst in;
	char rule[64], place[64];

	ck_assert_uint_le(sizeof lint_NOTHING, sizeof copy);
	in = find_first(p->op, 0);
	if (p->word == WORD_OP)
		copy[in.at] = in.n << 16 | p->value;
	else
		copy[in.at + p->word] = p->value;
	ck_assert_int_lt(lint(copy, sizeof lint_NOTHING), 0);
	snprintf(rule, sizeof rule, ": %s: ", p->rule);
	snprintf(place, sizeof place, "word %zu: ", in.at);
	ck_says(p->what);
	ck_says(rule);
	ck_assert_msg(!strncmp(err, place, strlen(place)), "\"%s\" is not at \"%s\"", err, place);
	if (p->function) {
		snprintf(place, sizeof place, " in %s() at offenders.comp:", p->function);
		ck_says(place);
	}
}
END_TEST

START_TEST(refuses_decorations)
{
	struct hlx_spirv_inst in = find_first(SpvOpDecorate, SpvDecorationNoContraction);
	char rule[64];

	/* The operation keeps another NoContraction where that is not what is asked. */
	copy[in.at + 2] = decorations[_i].kind;
	ck_assert_int_lt(lint(copy, sizeof lint_NOTHING), 0);
	snprintf(rule, sizeof rule, ": %s: ", decorations[_i].rule);
	if (_i + 1 == (int)COUNT(decorations)) {
		ck_says(decorations[_i].what);
		ck_says(rule);
		ck_says(" in main() at offenders.comp:");
	}
}
END_TEST

/* A decoration besides NoContraction: one of another target is moved to the first operation. */
START_TEST(refuses_more_decorations)
{
	uint32_t target = find_first(SpvOpDecorate, SpvDecorationNoContraction).w[1];
	struct hlx_spirv_inst in = find_first(SpvOpDecorate, SpvDecorationBuiltIn);
	char rule[64];

	copy[in.at + 1] = target;
	copy[in.at + 2] = decorations[_i].kind;
	if (decorations[_i].kind == SpvDecorationUniform) {
		ck_assert_msg(lint(copy, sizeof lint_NOTHING) == 0, "%s", err);
		return;
	}
	ck_assert_int_lt(lint(copy, sizeof lint_NOTHING), 0);
	snprintf(rule, sizeof rule, ": %s: ", decorations[_i].rule);
	ck_says(decorations[_i].what);
	ck_says(rule);
	ck_says(" in main() at offenders.comp:");
}
END_TEST

/* What glslang writes, before hlx-spirv has seen it. */
START_TEST(refuses_undecorated)
{
	ck_assert_int_lt(lint(lint_raw, sizeof lint_raw), 0);
	ck_says(": contraction: ");
	ck_says(" in main() at offenders.comp:");
}
END_TEST

/* ---- modules that nobody should have made ---- */

START_TEST(survives_broken_modules)
{
	uint32_t seed = 1;

	for (size_t words = 0; words < sizeof lint_NOTHING / 4; words += 7)
		lint(lint_NOTHING, words * 4);
	for (unsigned turn = 0; turn < 4000; turn++) {
		memcpy(copy, lint_NOTHING, sizeof lint_NOTHING);
		for (unsigned k = 0; k < 3; k++) {
			seed = seed * 1664525u + 1013904223u;
			copy[5 + (seed >> 8) % (sizeof lint_NOTHING / 4 - 5)] = turn & 1 ? seed >> 16 : seed;
		}
		lint(copy, sizeof lint_NOTHING);
	}
}
END_TEST

/* ---- our own kernels ---- */

static size_t read_words(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n = 0, length = strlen(path);
	int c;

	ck_assert_msg(f != NULL, "%s is gone", path);
	if (strcmp(path + length - 2, ".h")) {
		n = fread(copy, 4, MAX_WORDS, f);
	} else { /* 0x07230203, 0x... */
		while ((c = fgetc(f)) != EOF && c != '{')
			;
		while (n < MAX_WORDS && fscanf(f, " 0x%x ,", &copy[n]) == 1)
			n++;
	}
	fclose(f);
	ck_assert_msg(n > 5 && n < MAX_WORDS, "%s: %zu words", path, n);
	return n;
}

/* Kernels of the device tier, which the lint is to refuse: plugin/kernel up to here, and why. */
static const struct { const char *path, *says; } device_tier[] = {
	{ "/attention/fma_", "fma" }, { "/gemm/coopmat_", "OpTypeFloat: float width" }, { "/gemm/fma_", "fma" },
};

/* What the lint is to say of a kernel, NULL: nothing. */
static const char *refusal_of(const char *path)
{
	for (size_t i = 0; i < COUNT(device_tier); i++)
		if (strstr(path, device_tier[i].path))
			return device_tier[i].says;
	return NULL;
}

/* Those that this device does not use, and those installed as .spv, too. */
START_TEST(passes_every_kernel)
{
	const char *build = getenv("top_builddir");
	char pattern[4096];
	glob_t g = { 0 };

	snprintf(pattern, sizeof pattern, "%s/plugins/*/*.spv", build ? build : ".");
	glob(pattern, 0, NULL, &g);
	snprintf(pattern, sizeof pattern, "%s/plugins/*/*.spv.h", build ? build : ".");
	glob(pattern, GLOB_APPEND, NULL, &g);
	ck_assert_uint_gt(g.gl_pathc, 40);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		size_t n = read_words(g.gl_pathv[i]);
		int status = lint(copy, n * 4);
		const char *says = refusal_of(g.gl_pathv[i]);
		if (says)
			ck_assert_msg(status < 0 && strstr(err, says), "%s: \"%s\"", g.gl_pathv[i], err);
		else
			ck_assert_msg(status == 0, "%s: %s", g.gl_pathv[i], err);
	}
	globfree(&g);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("lint");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, passes_what_is_allowed);
	tcase_add_loop_test(t, refuses_what_is_planted, 0, COUNT(offences));
	tcase_add_loop_test(t, refuses_what_is_patched, 0, COUNT(patches));
	tcase_add_loop_test(t, refuses_decorations, 0, COUNT(decorations));
	tcase_add_loop_test(t, refuses_more_decorations, 0, COUNT(decorations));
	tcase_add_test(t, refuses_undecorated);
	tcase_add_test(t, survives_broken_modules);
	tcase_add_test(t, passes_every_kernel);
	return suite_run("lint", t);
}
