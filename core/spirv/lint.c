/* core/spirv/lint.c - see lint.h.  One walk over the instructions, one over the decorations; tables say what is allowed. */
#include "core/spirv/lint.h"

#include <stdio.h>
#include <string.h>

#include <spirv/unified1/spirv.h>

#include "hlx/plugin.h"

#define MODE_FAST_DEFAULT 6028 /* FPFastMathDefault: newer than some headers in use */

struct lint {
	struct hlx_spirv_iter it;
	struct hlx_spirv_defs defs;
	struct hlx_spirv_decos decos;
	uint32_t glsl; /* the id of GLSL.std.450, 0 without it */
};

static bool find(const struct lint *l, uint32_t id, struct hlx_spirv_inst *out)
{
	const struct hlx_spirv_def *def = hlx_spirv_defs_find(&l->defs, id);

	return def && hlx_spirv_at(&l->it, def->at, out) == 0;
}

/* ---- what a refusal says ---- */

/* What is known of a place: the function it lies in, and the line it was made from. */
struct place {
	uint32_t function, file, line;
	const char *function_name, *file_name;
};

static const char *name_of(const struct lint *l, uint32_t id)
{
	struct hlx_spirv_iter it = l->it;
	struct hlx_spirv_inst in;

	for (it.at = HLX_SPIRV_HEADER_WORDS; hlx_spirv_next(&it, &in) > 0 && in.op != SpvOpFunction;)
		if (in.op == SpvOpName && in.n >= 3 && in.w[1] == id)
			return hlx_spirv_string(&in, 2);
	return NULL;
}

static struct place find_place(const struct lint *l, size_t at)
{
	struct hlx_spirv_iter it = l->it;
	struct hlx_spirv_inst in;
	struct place p = { 0 };

	it.at = HLX_SPIRV_HEADER_WORDS;
	while (it.at <= at && hlx_spirv_next(&it, &in) > 0) {
		if (in.op == SpvOpFunction)
			p.function = in.result;
		if (in.op == SpvOpFunctionEnd)
			p.function = 0;
		if (in.op == SpvOpLine && in.n >= 3) {
			p.file = in.w[1];
			p.line = in.w[2];
		} else if (in.op == SpvOpNoLine || in.op == SpvOpFunctionEnd) {
			p.file = 0;
		}
	}
	if (p.function)
		p.function_name = name_of(l, p.function);
	if (p.file && find(l, p.file, &in) && in.op == SpvOpString)
		p.file_name = hlx_spirv_string(&in, 2);
	return p;
}

static int refuse(const struct lint *l, size_t at, enum hlx_lint_rule rule, const char *what)
{
	const struct hlx_lint_rule_text *text = &hlx_lint_rules[rule];
	struct place p = find_place(l, at);
	const char *slash = p.file_name ? strrchr(p.file_name, '/') : NULL;
	char where[160] = "";
	int n = 0;

	if (p.function_name) /* glslang writes scale(f1; */
		n = snprintf(where, sizeof where, " in %.*s()", (int)strcspn(p.function_name, "("), p.function_name);
	if (p.file_name && n >= 0 && (size_t)n < sizeof where)
		snprintf(where + n, sizeof where - (size_t)n, " at %s:%u", slash ? slash + 1 : p.file_name, p.line);
	return hlx_spirv_fail(&l->it, at, HLX_EPLUGIN, "%s%s: %s: %s", what, where, text->name, text->why);
}

/* ---- instructions ---- */

static bool is_integer(const struct lint *l, uint32_t type)
{
	struct hlx_spirv_inst in;

	return find(l, type, &in) && in.op == SpvOpTypeInt;
}

static uint32_t type_of(const struct lint *l, uint32_t id)
{
	struct hlx_spirv_inst in;

	return find(l, id, &in) ? in.type : 0;
}

static int check_constant(const struct lint *l, const struct hlx_spirv_inst *in, const char *name)
{
	struct hlx_spirv_inst type;

	if (!find(l, in->type, &type) || type.op != SpvOpTypeFloat)
		return 0;
	if ((in->w[3] & 0x7f800000u) || !(in->w[3] & 0x7fffffffu))
		return 0;
	return refuse(l, in->at, HLX_LINT_DENORMAL, name);
}

static int check_spec_op(const struct lint *l, const struct hlx_spirv_inst *in)
{
	const struct hlx_lint_op *op = in->n > 3 ? hlx_lint_allowed(in->w[3]) : NULL;
	const struct hlx_lint_refused *no = in->n > 3 ? hlx_lint_refused(in->w[3]) : NULL;
	char what[96];

	if (op && op->need == HLX_LINT_FOLDS)
		return 0;
	snprintf(what, sizeof what, "OpSpecConstantOp %s", op ? op->name : no ? no->name : "of an opcode that is not listed");
	return refuse(l, in->at, op || no ? HLX_LINT_FOLDING : HLX_LINT_UNKNOWN, what);
}

static int check_import(struct lint *l, const struct hlx_spirv_inst *in)
{
	const char *set = hlx_spirv_string(in, 2);
	char what[96];

	if (set && !strcmp(set, "GLSL.std.450"))
		l->glsl = in->result;
	else if (!set || strncmp(set, "NonSemantic.", 12)) {
		snprintf(what, sizeof what, "OpExtInstImport \"%.60s\"", set ? set : "?");
		return refuse(l, in->at, HLX_LINT_SET, what);
	}
	return 0;
}

static int check_ext(const struct lint *l, const struct hlx_spirv_inst *in)
{
	const struct hlx_lint_refused *f;
	char what[96];

	if (in->n < 5)
		return hlx_spirv_fail(&l->it, in->at, HLX_EINVAL, "OpExtInst has %u words, want at least 5", in->n);
	if (in->w[3] != l->glsl)
		return 0; /* a set that says nothing: others are refused where they are imported */
	f = hlx_lint_function(in->w[4]);
	if (f && f->rule == HLX_LINT_RULES)
		return 0;
	snprintf(what, sizeof what, "OpExtInst %s", f ? f->name : "of an unknown number");
	return refuse(l, in->at, f ? f->rule : HLX_LINT_UNKNOWN, what);
}

static int check_mode(const struct lint *l, const struct hlx_spirv_inst *in)
{
	static const struct { uint32_t mode; const char *name; } names[] = {
		{ SpvExecutionModeDenormPreserve, "DenormPreserve" }, { SpvExecutionModeRoundingModeRTZ, "RoundingModeRTZ" },
		{ SpvExecutionModeDenormFlushToZero, "DenormFlushToZero" }, { SpvExecutionModeContractionOff, "ContractionOff" },
		{ MODE_FAST_DEFAULT, "FPFastMathDefault" },
	};
	char what[96];

	if (hlx_lint_mode(in->w[2]))
		return 0;
	snprintf(what, sizeof what, "OpExecutionMode %u", in->w[2]);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].mode == in->w[2])
			snprintf(what, sizeof what, "OpExecutionMode %s", names[i].name);
	return refuse(l, in->at, in->w[2] == MODE_FAST_DEFAULT ? HLX_LINT_FAST : HLX_LINT_MODE, what);
}

static int check_integer(const struct lint *l, const struct hlx_spirv_inst *in, const char *name)
{
	if (in->op == SpvOpAtomicStore && in->n < 5)
		return hlx_spirv_fail(&l->it, in->at, HLX_EINVAL, "%s has %u words, want 5", name, in->n);
	if (is_integer(l, in->op == SpvOpAtomicStore ? type_of(l, in->w[4]) : in->type))
		return 0;
	return refuse(l, in->at, HLX_LINT_ATOMIC, name);
}

static int check_inst(struct lint *l, const struct hlx_spirv_inst *in, const struct hlx_lint_op *op)
{
	enum hlx_lint_rule rule = HLX_LINT_RULES;

	switch (op->need) {
	case HLX_LINT_ROUNDS:
		if (!hlx_spirv_decos_find(&l->decos, in->result, HLX_SPIRV_WHOLE, SpvDecorationNoContraction))
			rule = HLX_LINT_CONTRACTION;
		break;
	case HLX_LINT_FLOAT32:
		if (in->w[2] != 32 || in->n != 3)
			rule = HLX_LINT_WIDTH;
		break;
	case HLX_LINT_TEXEL:
		if (in->w[3] != SpvDimBuffer || in->w[7] != 1)
			rule = HLX_LINT_IMAGE;
		break;
	case HLX_LINT_FETCH:
		if (in->n != 5) /* image operands */
			rule = HLX_LINT_IMAGE;
		break;
	case HLX_LINT_INTEGER: return check_integer(l, in, op->name);
	case HLX_LINT_CONSTANT: return check_constant(l, in, op->name);
	case HLX_LINT_SPEC_OP: return check_spec_op(l, in);
	case HLX_LINT_IMPORT: return check_import(l, in);
	case HLX_LINT_EXT: return check_ext(l, in);
	case HLX_LINT_EXECUTION: return check_mode(l, in);
	}
	return rule == HLX_LINT_RULES ? 0 : refuse(l, in->at, rule, op->name);
}

static int refuse_op(const struct lint *l, const struct hlx_spirv_inst *in)
{
	const struct hlx_lint_refused *no = hlx_lint_refused(in->op);
	char what[32];

	snprintf(what, sizeof what, "opcode %u", in->op);
	return refuse(l, in->at, no ? no->rule : HLX_LINT_UNKNOWN, no ? no->name : what);
}

static int check_instructions(struct lint *l)
{
	struct hlx_spirv_iter it = l->it;
	struct hlx_spirv_inst in;
	int status;

	while ((status = hlx_spirv_next(&it, &in)) > 0) {
		const struct hlx_lint_op *op = hlx_lint_allowed(in.op);
		status = op ? check_inst(l, &in, op) : refuse_op(l, &in);
		if (status < 0)
			return status;
	}
	return status;
}

/* ---- decorations ---- */

/* glslang calls gl_SubgroupInvocationID and its like mediump: numbers far below 2^15, which 16 bits hold. */
static bool is_builtin(const struct lint *l, uint32_t id)
{
	struct hlx_spirv_inst in;

	if (!find(l, id, &in))
		return false;
	if (in.op == SpvOpLoad && in.n >= 4)
		id = in.w[3];
	return hlx_spirv_decos_find(&l->decos, id, HLX_SPIRV_WHOLE, SpvDecorationBuiltIn) != NULL;
}

static int check_decorations(const struct lint *l)
{
	static const struct { uint32_t kind; enum hlx_lint_rule rule; const char *name; } bad[] = {
		{ SpvDecorationRelaxedPrecision, HLX_LINT_RELAXED, "RelaxedPrecision" },
		{ SpvDecorationFPFastMathMode, HLX_LINT_FAST, "FPFastMathMode" },
		{ SpvDecorationFPRoundingMode, HLX_LINT_FAST, "FPRoundingMode" },
	};

	for (size_t i = 0; i < l->decos.n; i++) {
		const struct hlx_spirv_deco *d = &l->decos.deco[i];
		const struct hlx_spirv_def *def = hlx_spirv_defs_find(&l->defs, d->target);
		enum hlx_lint_rule rule = HLX_LINT_DECORATION;
		char what[64];

		if (hlx_lint_decoration(d->kind) || (d->kind == SpvDecorationRelaxedPrecision && is_builtin(l, d->target)))
			continue;
		snprintf(what, sizeof what, "decoration %u", d->kind);
		for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
			if (bad[k].kind == d->kind) {
				rule = bad[k].rule;
				snprintf(what, sizeof what, "OpDecorate %s", bad[k].name);
			}
		return refuse(l, def ? def->at : d->at, rule, what); /* where the decorated thing is made */
	}
	return 0;
}

int hlx_lint(const uint32_t *code, size_t bytes, char *err, size_t err_size)
{
	struct lint l = { 0 };
	int status = hlx_spirv_begin(&l.it, code, bytes, err, err_size);

	if (!status)
		status = hlx_spirv_defs_init(&l.defs, l.it);
	if (!status)
		status = hlx_spirv_decos_init(&l.decos, l.it);
	if (!status)
		status = check_instructions(&l);
	if (!status)
		status = check_decorations(&l);
	hlx_spirv_decos_finish(&l.decos);
	hlx_spirv_defs_finish(&l.defs);
	return status;
}
