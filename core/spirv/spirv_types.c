/* core/spirv/spirv_types.c - see spirv_types.h */
#include "core/spirv/spirv_types.h"

#include <stdlib.h>

#include <spirv/unified1/spirv.h>

#include "hlx/plugin.h"

/* Decorations read for their number: it must be there, and there must be one. */
static const uint32_t numbered[] = {
	SpvDecorationSpecId, SpvDecorationArrayStride, SpvDecorationMatrixStride, SpvDecorationBuiltIn,
	SpvDecorationBinding, SpvDecorationDescriptorSet, SpvDecorationOffset,
};

static bool is_numbered(uint32_t kind)
{
	for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++)
		if (numbered[i] == kind)
			return true;
	return false;
}

static int check_decos(const struct hlx_spirv_types *t)
{
	for (size_t i = 0; i < t->decos.n; i++) {
		const struct hlx_spirv_deco *d = &t->decos.deco[i], *last = i ? d - 1 : NULL;

		if (!is_numbered(d->kind))
			continue;
		if (!d->n_operands)
			return hlx_spirv_fail(&t->it, d->at, HLX_EINVAL, "decoration %u lacks its number", d->kind);
		if (last && last->target == d->target && last->member == d->member && last->kind == d->kind
				&& last->value != d->value)
			return hlx_spirv_fail(&t->it, d->at, HLX_EINVAL, "id %u has decoration %u twice, %u and %u", d->target,
					d->kind, last->value, d->value);
	}
	return 0;
}

int hlx_spirv_types_init(struct hlx_spirv_types *t, const uint32_t *code, size_t bytes, char *err, size_t err_size)
{
	int status;

	*t = (struct hlx_spirv_types){ 0 };
	status = hlx_spirv_begin(&t->it, code, bytes, err, err_size);
	if (!status)
		status = hlx_spirv_defs_init(&t->defs, t->it);
	if (!status)
		status = hlx_spirv_decos_init(&t->decos, t->it);
	if (!status)
		status = check_decos(t);
	if (status)
		return status;
	t->size = calloc(t->defs.n + 1, sizeof *t->size);
	return t->size ? 0 : hlx_spirv_fail(&t->it, 0, HLX_ENOMEM, "no memory for %zu sizes", t->defs.n);
}

void hlx_spirv_types_finish(struct hlx_spirv_types *t)
{
	free(t->size);
	hlx_spirv_decos_finish(&t->decos);
	hlx_spirv_defs_finish(&t->defs);
	*t = (struct hlx_spirv_types){ 0 };
}

int hlx_spirv_types_find(const struct hlx_spirv_types *t, size_t at, uint32_t id, struct hlx_spirv_inst *in)
{
	const struct hlx_spirv_def *def = hlx_spirv_defs_find(&t->defs, id);

	if (!def && (id == 0 || id >= t->it.bound))
		return hlx_spirv_fail(&t->it, at, HLX_EINVAL, "id %u is outside the bound %u", id, t->it.bound);
	if (!def)
		return hlx_spirv_fail(&t->it, at, HLX_EINVAL, "id %u is not defined", id);
	return hlx_spirv_at(&t->it, def->at, in);
}

uint32_t hlx_spirv_types_size(const struct hlx_spirv_types *t, uint32_t id)
{
	const struct hlx_spirv_def *def = hlx_spirv_defs_find(&t->defs, id);

	return def ? t->size[def - t->defs.def] : 0;
}

static uint32_t deco_value(const struct hlx_spirv_types *t, uint32_t target, uint32_t member, uint32_t kind)
{
	const struct hlx_spirv_deco *deco = hlx_spirv_decos_find(&t->decos, target, member, kind);

	return deco ? deco->value : 0;
}

bool hlx_spirv_types_is_word(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *constant)
{
	const struct hlx_spirv_def *def;

	if (constant->op != SpvOpConstant && constant->op != SpvOpSpecConstant)
		return false;
	def = hlx_spirv_defs_find(&t->defs, constant->type);
	return def && (t->it.code[def->at] & 0xffff) == SpvOpTypeInt && t->it.code[def->at + 2] == 32;
}

int64_t hlx_spirv_types_spec_id(const struct hlx_spirv_types *t, uint32_t id)
{
	const struct hlx_spirv_deco *deco = hlx_spirv_decos_find(&t->decos, id, HLX_SPIRV_WHOLE, SpvDecorationSpecId);

	return deco ? (int64_t)deco->value : -1;
}

static int measure_array(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *type, uint64_t *bytes)
{
	struct hlx_spirv_inst length;
	int status = hlx_spirv_types_find(t, type->at, type->w[3], &length);

	/* A length that can be specialized is no size that can be known. */
	if (!status && length.op == SpvOpConstant && hlx_spirv_types_is_word(t, &length))
		*bytes = (uint64_t)length.w[3] * deco_value(t, type->result, HLX_SPIRV_WHOLE, SpvDecorationArrayStride);
	return status;
}

/* A matrix has no size of its own: the stride is the member's, and runs from row to row in a row-major one. */
static int measure_matrix(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *matrix, uint32_t owner,
		uint32_t member, uint64_t *bytes)
{
	uint64_t stride = deco_value(t, owner, member, SpvDecorationMatrixStride);
	struct hlx_spirv_inst column;
	int status = hlx_spirv_types_find(t, matrix->at, matrix->w[2], &column);

	*bytes = matrix->w[3] * stride;
	if (!status && hlx_spirv_decos_find(&t->decos, owner, member, SpvDecorationRowMajor))
		*bytes = column.op == SpvOpTypeVector ? column.w[3] * stride : 0;
	return status;
}

/* Where the member ends in its struct; 0 if that cannot be known. */
static int measure_member(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *owner, uint32_t member,
		uint64_t *end)
{
	const struct hlx_spirv_deco *offset =
		hlx_spirv_decos_find(&t->decos, owner->result, member, SpvDecorationOffset);
	struct hlx_spirv_inst type;
	uint64_t bytes;
	int status = hlx_spirv_types_find(t, owner->at, owner->w[2 + member], &type);

	*end = 0;
	if (status)
		return status;
	if (type.op == SpvOpTypeMatrix)
		status = measure_matrix(t, &type, owner->result, member, &bytes);
	else
		bytes = hlx_spirv_types_size(t, type.result);
	if (!status && offset && bytes)
		*end = offset->value + bytes;
	return status;
}

static int measure_struct(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *type, uint64_t *bytes)
{
	bool whole = true;
	uint64_t end;

	for (uint32_t i = 0; i + 2 < type->n; i++) {
		int status = measure_member(t, type, i, &end);
		if (status)
			return status;
		whole &= end != 0;
		if (end > *bytes)
			*bytes = end;
	}
	if (!whole)
		*bytes = 0;
	return 0;
}

int hlx_spirv_types_measure(struct hlx_spirv_types *t, const struct hlx_spirv_inst *type)
{
	const struct hlx_spirv_def *def = hlx_spirv_defs_find(&t->defs, type->result);
	uint64_t bytes = 0;
	int status = 0;

	switch (type->op) {
	case SpvOpTypeInt:
	case SpvOpTypeFloat: bytes = type->w[2] / 8; break;
	case SpvOpTypeVector: bytes = (uint64_t)type->w[3] * hlx_spirv_types_size(t, type->w[2]); break;
	case SpvOpTypeArray: status = measure_array(t, type, &bytes); break;
	case SpvOpTypeStruct: status = measure_struct(t, type, &bytes); break;
	}
	if (def && bytes <= UINT32_MAX)
		t->size[def - t->defs.def] = (uint32_t)bytes;
	return status;
}

int hlx_spirv_types_fail_size(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *block, const char *what)
{
	struct hlx_spirv_inst type;
	uint64_t end;

	for (uint32_t i = 0; i + 2 < block->n; i++) {
		int status = measure_member(t, block, i, &end);
		if (!status && end == 0)
			status = hlx_spirv_types_find(t, block->at, block->w[2 + i], &type);
		if (status)
			return status;
		if (end == 0)
			return hlx_spirv_fail(&t->it, block->at, HLX_ENOTSUP, "%s: member %u, %s, has no size or offset that hlx can know",
					what, i, hlx_spirv_type_name(type.op));
	}
	return hlx_spirv_fail(&t->it, block->at, HLX_ENOTSUP, "%s is empty or larger than 4 GiB", what);
}

bool hlx_spirv_types_is_block(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *type, uint32_t decoration)
{
	return type->op == SpvOpTypeStruct
		&& hlx_spirv_decos_find(&t->decos, type->result, HLX_SPIRV_WHOLE, decoration);
}

bool hlx_spirv_types_is_texel(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *type, const char **what)
{
	const struct hlx_spirv_def *def;
	struct hlx_spirv_inst image = *type;

	if (type->op == SpvOpTypeSampledImage) {
		def = hlx_spirv_defs_find(&t->defs, type->w[2]);
		if (!def || hlx_spirv_at(&t->it, def->at, &image))
			return false;
	}
	if (image.op != SpvOpTypeImage || image.w[3] != SpvDimBuffer)
		return false;
	if (image.w[7] != 1)
		*what = "an imageBuffer (a storage image)";
	return image.w[7] == 1;
}

static const struct { uint32_t op; const char *name; } type_names[] = {
	{ SpvOpTypeBool, "a bool" }, { SpvOpTypeInt, "an integer" }, { SpvOpTypeFloat, "a float" },
	{ SpvOpTypeVector, "a vector" }, { SpvOpTypeMatrix, "a matrix" }, { SpvOpTypeArray, "an array" },
	{ SpvOpTypeRuntimeArray, "a runtime array" }, { SpvOpTypeStruct, "a struct" }, { SpvOpTypePointer, "a pointer" },
	{ SpvOpTypeImage, "an image" }, { SpvOpTypeSampler, "a sampler" }, { SpvOpTypeSampledImage, "a sampled image" },
	{ SpvOpTypeAccelerationStructureKHR, "an acceleration structure" },
};

const char *hlx_spirv_type_name(uint32_t op)
{
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
		if (type_names[i].op == op)
			return type_names[i].name;
	return "of a type hlx does not know";
}
