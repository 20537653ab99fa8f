/* core/spirv/spirv_walk.c - see spirv_walk.h */
#include "core/spirv/spirv_walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPV_ENABLE_UTILITY_CODE /* SpvHasResultAndType() */
#include <spirv/unified1/spirv.h>

#include "core/error.h"
#include "hlx/plugin.h"

/* The header defines it as plain inline; C wants one external definition for calls that are not inlined. */
extern inline void SpvHasResultAndType(SpvOp opcode, bool *hasResult, bool *hasResultType);

#define MAX_BOUND 0x3fffffu /* SPIR-V's own universal limit */

/* Words an instruction must have before anyone in the core reads its operands by position. */
static const struct { uint16_t op, words; } shortest[] = {
	{ SpvOpCapability, 2 }, { SpvOpEntryPoint, 4 }, { SpvOpExecutionMode, 3 }, { SpvOpExecutionModeId, 3 },
	{ SpvOpDecorate, 3 }, { SpvOpDecorateId, 3 }, { SpvOpMemberDecorate, 4 },
	{ SpvOpTypeInt, 4 }, { SpvOpTypeFloat, 3 }, { SpvOpTypeVector, 4 }, { SpvOpTypeMatrix, 4 },
	{ SpvOpTypeImage, 9 }, { SpvOpTypeSampledImage, 3 }, { SpvOpTypeArray, 4 }, { SpvOpTypeRuntimeArray, 3 },
	{ SpvOpTypeStruct, 2 }, { SpvOpTypePointer, 4 }, { SpvOpConstant, 4 }, { SpvOpSpecConstant, 4 },
	{ SpvOpVariable, 4 }, { SpvOpFunction, 5 }, { SpvOpFunctionCall, 4 },
};

int hlx_spirv_fail(const struct hlx_spirv_iter *it, size_t at, int status, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(it->err, it->err_size, "word %zu: ", at);

	if (n < 0 || (size_t)n >= it->err_size)
		return status;
	va_start(ap, fmt);
	vsnprintf(it->err + n, it->err_size - (size_t)n, fmt, ap);
	va_end(ap);
	hlx_one_line(it->err + n);
	return status;
}

static int check_header(const struct hlx_spirv_iter *it)
{
	const uint32_t *code = it->code;
	uint32_t minor = code[1] >> 8 & 0xff;

	if (code[0] == 0x03022307)
		return hlx_spirv_fail(it, 0, HLX_EINVAL, "this SPIR-V is in the other byte order, hlx wants the host's");
	if (code[0] != SpvMagicNumber)
		return hlx_spirv_fail(it, 0, HLX_EINVAL, "not SPIR-V: magic is 0x%08x, want 0x%08x", code[0], SpvMagicNumber);
	if (code[1] >> 16 != 1 || (code[1] & 0xff) || minor > 6)
		return hlx_spirv_fail(it, 1, HLX_ENOTSUP, "SPIR-V version word is 0x%08x, hlx reads 1.0 to 1.6", code[1]);
	if (code[3] == 0 || code[3] > MAX_BOUND)
		return hlx_spirv_fail(it, 3, HLX_EINVAL, "id bound is %u, want 1 to %u", code[3], MAX_BOUND);
	if (code[4] != 0)
		return hlx_spirv_fail(it, 4, HLX_EINVAL, "schema word is %u, want 0", code[4]);
	return 0;
}

int hlx_spirv_begin(struct hlx_spirv_iter *it, const uint32_t *code, size_t bytes, char *err, size_t err_size)
{
	int status;

	*it = (struct hlx_spirv_iter){ .code = code, .n_words = bytes / 4, .at = HLX_SPIRV_HEADER_WORDS,
		.err = err, .err_size = err_size };
	if (bytes % 4)
		return hlx_spirv_fail(it, bytes / 4, HLX_EINVAL, "module is %zu bytes, not a whole number of words", bytes);
	if (it->n_words < HLX_SPIRV_HEADER_WORDS)
		return hlx_spirv_fail(it, it->n_words, HLX_EINVAL, "module ends inside its header");
	if (it->n_words > HLX_SPIRV_MAX_WORDS)
		return hlx_spirv_fail(it, 0, HLX_EINVAL, "module is %zu words, hlx reads at most %u", it->n_words,
				HLX_SPIRV_MAX_WORDS);
	status = check_header(it);
	if (status)
		return status;
	it->version = code[1];
	it->bound = code[3];
	return 0;
}

static int check_id(const struct hlx_spirv_iter *it, size_t at, const char *what, uint32_t id)
{
	if (id == 0 || id >= it->bound)
		return hlx_spirv_fail(it, at, HLX_EINVAL, "%s id %u is outside the bound %u", what, id, it->bound);
	return 0;
}

static void find_ids(uint32_t op, bool *has_result, bool *has_type)
{
	if (op < HLX_SPIRV_MATRIX_TYPE || op > HLX_SPIRV_MATRIX_LENGTH) {
		SpvHasResultAndType((SpvOp)op, has_result, has_type);
		return;
	}
	*has_result = op != HLX_SPIRV_MATRIX_STORE;
	*has_type = *has_result && op != HLX_SPIRV_MATRIX_TYPE;
}

static int read_ids(const struct hlx_spirv_iter *it, struct hlx_spirv_inst *in)
{
	bool has_result, has_type;
	int status = 0;

	find_ids(in->op, &has_result, &has_type);
	if (in->n < 1u + has_result + has_type)
		return hlx_spirv_fail(it, in->at, HLX_EINVAL, "opcode %u has %u words, too few for its ids", in->op, in->n);
	in->type = has_type ? in->w[1] : 0;
	in->result = has_result ? in->w[1 + has_type] : 0;
	if (has_type)
		status = check_id(it, in->at, "type", in->type);
	if (!status && has_result)
		status = check_id(it, in->at, "result", in->result);
	return status;
}

int hlx_spirv_at(const struct hlx_spirv_iter *it, size_t at, struct hlx_spirv_inst *in)
{
	const uint32_t *w = it->code + at;

	if (at < HLX_SPIRV_HEADER_WORDS || at >= it->n_words)
		return hlx_spirv_fail(it, at, HLX_EINVAL, "no instruction here");
	*in = (struct hlx_spirv_inst){ .w = w, .op = w[0] & 0xffff, .n = w[0] >> 16, .at = at };
	if (in->n == 0)
		return hlx_spirv_fail(it, at, HLX_EINVAL, "instruction of 0 words");
	if (in->n > it->n_words - at)
		return hlx_spirv_fail(it, at, HLX_EINVAL, "opcode %u of %u words runs past the end of the module", in->op, in->n);
	for (size_t i = 0; i < sizeof shortest / sizeof *shortest; i++)
		if (shortest[i].op == in->op && in->n < shortest[i].words)
			return hlx_spirv_fail(it, at, HLX_EINVAL, "opcode %u has %u words, want at least %u", in->op, in->n,
					shortest[i].words);
	return read_ids(it, in);
}

int hlx_spirv_next(struct hlx_spirv_iter *it, struct hlx_spirv_inst *in)
{
	int status;

	if (it->at == it->n_words)
		return 0;
	status = hlx_spirv_at(it, it->at, in);
	if (status)
		return status;
	it->at += in->n;
	return 1;
}

const char *hlx_spirv_string(const struct hlx_spirv_inst *in, uint32_t first)
{
	const char *s = (const char *)(in->w + first);

	if (first >= in->n || !memchr(s, 0, (in->n - first) * 4))
		return NULL;
	return s;
}

bool hlx_spirv_is_float_arith(uint32_t op)
{
	/* Each is defined on floats alone, so the opcode tells the type. */
	static const uint16_t arith[] = {
		SpvOpFAdd, SpvOpFSub, SpvOpFMul, SpvOpFDiv, SpvOpFRem, SpvOpFMod,
		SpvOpVectorTimesScalar, SpvOpMatrixTimesScalar, SpvOpVectorTimesMatrix, SpvOpMatrixTimesVector,
		SpvOpMatrixTimesMatrix, SpvOpOuterProduct, SpvOpDot,
	};

	for (size_t i = 0; i < sizeof arith / sizeof *arith; i++)
		if (arith[i] == op)
			return true;
	return false;
}

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_def(const void *a, const void *b)
{
	return compare_u32(((const struct hlx_spirv_def *)a)->id, ((const struct hlx_spirv_def *)b)->id);
}

static int count_results(struct hlx_spirv_iter it, size_t *n)
{
	struct hlx_spirv_inst in;
	int more;

	for (*n = 0; (more = hlx_spirv_next(&it, &in)) > 0;)
		*n += in.result != 0;
	return more;
}

int hlx_spirv_defs_init(struct hlx_spirv_defs *defs, struct hlx_spirv_iter it)
{
	struct hlx_spirv_inst in;
	size_t n, i = 0;
	int status = count_results(it, &n);

	*defs = (struct hlx_spirv_defs){ 0 };
	if (status)
		return status;
	defs->def = calloc(n + 1, sizeof *defs->def);
	if (!defs->def)
		return hlx_spirv_fail(&it, 0, HLX_ENOMEM, "no memory for %zu ids", n);
	defs->n = n;
	while (hlx_spirv_next(&it, &in) > 0)
		if (in.result)
			defs->def[i++] = (struct hlx_spirv_def){ in.result, (uint32_t)in.at };
	qsort(defs->def, n, sizeof *defs->def, compare_def);
	for (i = 1; i < n; i++)
		if (defs->def[i].id == defs->def[i - 1].id) {
			status = hlx_spirv_fail(&it, defs->def[i].at, HLX_EINVAL, "id %u is defined twice, also at word %u",
					defs->def[i].id, defs->def[i - 1].at);
			hlx_spirv_defs_finish(defs);
			return status;
		}
	return 0;
}

void hlx_spirv_defs_finish(struct hlx_spirv_defs *defs)
{
	free(defs->def);
	*defs = (struct hlx_spirv_defs){ 0 };
}

const struct hlx_spirv_def *hlx_spirv_defs_find(const struct hlx_spirv_defs *defs, uint32_t id)
{
	struct hlx_spirv_def key = { .id = id };

	return defs->def ? bsearch(&key, defs->def, defs->n, sizeof key, compare_def) : NULL;
}

static int compare_deco_key(const struct hlx_spirv_deco *a, const struct hlx_spirv_deco *b)
{
	int order = compare_u32(a->target, b->target);

	if (!order)
		order = compare_u32(a->member, b->member);
	return order ? order : compare_u32(a->kind, b->kind);
}

static int compare_deco(const void *a, const void *b)
{
	const struct hlx_spirv_deco *x = a, *y = b;
	int order = compare_deco_key(x, y);

	return order ? order : compare_u32(x->value, y->value);
}

/* 1 if the instruction is a decoration that we keep, 0 if it is something else. */
static int read_deco(const struct hlx_spirv_iter *it, const struct hlx_spirv_inst *in, struct hlx_spirv_deco *deco)
{
	uint32_t kind = in->op == SpvOpMemberDecorate ? 3 : 2; /* the word it stands in */

	if (in->op == SpvOpDecorationGroup || in->op == SpvOpGroupDecorate || in->op == SpvOpGroupMemberDecorate)
		return hlx_spirv_fail(it, in->at, HLX_ENOTSUP, "decoration groups are not supported");
	if (in->op != SpvOpDecorate && in->op != SpvOpDecorateId && in->op != SpvOpMemberDecorate)
		return 0;
	*deco = (struct hlx_spirv_deco){ .target = in->w[1], .member = kind == 3 ? in->w[2] : HLX_SPIRV_WHOLE,
		.kind = in->w[kind], .n_operands = in->n - kind - 1, .at = (uint32_t)in->at };
	if (deco->n_operands)
		deco->value = in->w[kind + 1];
	if (kind == 3 && deco->member == HLX_SPIRV_WHOLE)
		return hlx_spirv_fail(it, in->at, HLX_EINVAL, "member %u is decorated", deco->member);
	return check_id(it, in->at, "decorated", deco->target) ? HLX_EINVAL : 1;
}

static int count_decos(struct hlx_spirv_iter it, size_t *n)
{
	struct hlx_spirv_inst in;
	struct hlx_spirv_deco deco;
	bool in_functions = false;
	int more, kept;

	for (*n = 0; (more = hlx_spirv_next(&it, &in)) > 0; *n += (size_t)kept) {
		in_functions |= in.op == SpvOpFunction;
		kept = read_deco(&it, &in, &deco);
		if (kept < 0)
			return kept;
		if (kept && in_functions)
			return hlx_spirv_fail(&it, in.at, HLX_EINVAL, "a decoration stands after the first function");
	}
	return more;
}

int hlx_spirv_decos_init(struct hlx_spirv_decos *decos, struct hlx_spirv_iter it)
{
	struct hlx_spirv_inst in;
	size_t n, i = 0;
	int status = count_decos(it, &n);

	*decos = (struct hlx_spirv_decos){ 0 };
	if (status)
		return status;
	decos->deco = calloc(n + 1, sizeof *decos->deco);
	if (!decos->deco)
		return hlx_spirv_fail(&it, 0, HLX_ENOMEM, "no memory for %zu decorations", n);
	decos->n = n;
	while (i < n && hlx_spirv_next(&it, &in) > 0)
		i += read_deco(&it, &in, &decos->deco[i]) > 0;
	qsort(decos->deco, n, sizeof *decos->deco, compare_deco);
	return 0;
}

void hlx_spirv_decos_finish(struct hlx_spirv_decos *decos)
{
	free(decos->deco);
	*decos = (struct hlx_spirv_decos){ 0 };
}

const struct hlx_spirv_deco *hlx_spirv_decos_find(const struct hlx_spirv_decos *decos, uint32_t target,
		uint32_t member, uint32_t kind)
{
	struct hlx_spirv_deco key = { .target = target, .member = member, .kind = kind };
	size_t low = 0, high = decos->n;

	while (low < high) { /* not bsearch(), which may hand out any of several equal keys */
		size_t middle = low + (high - low) / 2;

		if (compare_deco_key(&decos->deco[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < decos->n && compare_deco_key(&decos->deco[low], &key) == 0)
		return &decos->deco[low];
	return NULL;
}
