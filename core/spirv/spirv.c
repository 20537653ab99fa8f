/* core/spirv/spirv.c - see spirv.h.  One walk over the module; each instruction that matters has a reader in a table. */
#include "core/spirv/spirv.h"

#include <string.h>

#include <spirv/unified1/spirv.h>

#include "core/spirv/spirv_types.h"
#include "core/spirv/spirv_vars.h"
#include "core/spirv/spirv_walk.h"
#include "hlx/plugin.h"

/* Newer than some headers in use.  A buffer declared by an untyped variable would escape the reader. */
#define OP_UNTYPED_VARIABLE 4418
#define CAPABILITY_ROTATE 6026

struct reader {
	struct hlx_spirv_types types; /* with the walker, ids and decorations */
	struct hlx_reflect *out;
	uint32_t entry; /* id of the entry function, 0 until OpEntryPoint */
	bool in_functions; /* past the first OpFunction */
};

#define FAIL(r, in, status, ...) hlx_spirv_fail(&(r)->types.it, (in)->at, status, __VA_ARGS__)

/* ---- capabilities, entry point ---- */

static void note_capability(struct hlx_reflect *out, uint32_t cap)
{
	switch (cap) {
	case SpvCapabilityInt8: out->int8 = true; break;
	case SpvCapabilityInt16: out->int16 = true; break;
	case SpvCapabilityInt64: out->int64 = true; break;
	case SpvCapabilityFloat16: out->float16 = true; break;
	case SpvCapabilityFloat64: out->float64 = true; break;
	case SpvCapabilityGroups:
	case SpvCapabilityGroupNonUniform:
	case SpvCapabilityGroupNonUniformVote:
	case SpvCapabilityGroupNonUniformArithmetic:
	case SpvCapabilityGroupNonUniformBallot:
	case SpvCapabilityGroupNonUniformShuffle:
	case SpvCapabilityGroupNonUniformShuffleRelative:
	case SpvCapabilityGroupNonUniformClustered:
	case SpvCapabilityGroupNonUniformQuad:
	case SpvCapabilityGroupNonUniformPartitionedNV:
	case CAPABILITY_ROTATE:
	case SpvCapabilitySubgroupBallotKHR:
	case SpvCapabilitySubgroupVoteKHR: out->uses_subgroup = true; break;
	}
}

static int read_capability(struct reader *r, const struct hlx_spirv_inst *in)
{
	struct hlx_reflect *out = r->out;

	for (uint32_t i = 0; i < out->n_capability; i++)
		if (out->capability[i] == in->w[1])
			return 0;
	if (out->n_capability == HLX_MAX_CAPABILITIES)
		return FAIL(r, in, HLX_ENOTSUP, "more than %d capabilities", HLX_MAX_CAPABILITIES);
	out->capability[out->n_capability++] = in->w[1];
	note_capability(out, in->w[1]);
	return 0;
}

static int read_entry_point(struct reader *r, const struct hlx_spirv_inst *in)
{
	const char *name = hlx_spirv_string(in, 3);

	if (in->w[1] != SpvExecutionModelGLCompute)
		return FAIL(r, in, HLX_ENOTSUP, "entry point of execution model %u, hlx runs GLCompute only", in->w[1]);
	if (r->entry)
		return FAIL(r, in, HLX_ENOTSUP, "several entry points, want one");
	if (!name)
		return FAIL(r, in, HLX_EINVAL, "the entry point's name does not end");
	if (strlen(name) >= sizeof r->out->entry)
		return FAIL(r, in, HLX_ENOTSUP, "the entry point's name has %zu bytes, hlx keeps %zu", strlen(name),
				sizeof r->out->entry - 1);
	r->entry = in->w[2];
	strcpy(r->out->entry, name);
	return 0;
}

/* ---- workgroup size, specialization constants ---- */

static int read_spec_constant(struct reader *r, const struct hlx_spirv_inst *in)
{
	struct hlx_reflect *out = r->out;
	int64_t id = hlx_spirv_types_spec_id(&r->types, in->result);
	uint32_t place = 0;

	if (id < 0)
		return 0; /* nobody can set it */
	if (id > INT32_MAX)
		return FAIL(r, in, HLX_ENOTSUP, "SpecId %lld, hlx takes at most %d", (long long)id, INT32_MAX);
	if (in->op == SpvOpSpecConstant && hlx_spirv_types_size(&r->types, in->type) != 4)
		return FAIL(r, in, HLX_ENOTSUP, "specialization constant %lld is not 32 bits wide", (long long)id);
	while (place < out->n_spec && out->spec_id[place] < (uint32_t)id)
		place++;
	if (place < out->n_spec && out->spec_id[place] == (uint32_t)id)
		return 0; /* glslang makes two constants of local_size_x_id = 0 beside constant_id = 0 */
	if (out->n_spec == HLX_MAX_SPEC)
		return FAIL(r, in, HLX_ENOTSUP, "more than %d specialization constants", HLX_MAX_SPEC);
	memmove(&out->spec_id[place + 1], &out->spec_id[place], (out->n_spec - place) * sizeof *out->spec_id);
	out->spec_id[place] = (uint32_t)id;
	out->n_spec++;
	return 0;
}

static int read_local_ids(struct reader *r, const struct hlx_spirv_inst *in)
{
	struct hlx_spirv_inst constant;

	if (in->n != 6)
		return FAIL(r, in, HLX_EINVAL, "a workgroup size of %u words, want 6", in->n);
	for (int i = 0; i < 3; i++) {
		int status = hlx_spirv_types_find(&r->types, in->at, in->w[3 + i], &constant);
		if (status)
			return status;
		if (!hlx_spirv_types_is_word(&r->types, &constant))
			return FAIL(r, in, HLX_ENOTSUP, "the workgroup size's part %d is not a plain 32-bit constant", i);
		r->out->local[i] = constant.w[3];
		r->out->local_spec[i] = constant.op == SpvOpConstant ? -1
			: (int32_t)hlx_spirv_types_spec_id(&r->types, constant.result);
	}
	return 0;
}

/* A constant decorated WorkgroupSize overrides what the execution mode says, and comes after it. */
static int read_composite(struct reader *r, const struct hlx_spirv_inst *in)
{
	const struct hlx_spirv_deco *builtin =
		hlx_spirv_decos_find(&r->types.decos, in->result, HLX_SPIRV_WHOLE, SpvDecorationBuiltIn);

	if (!builtin || builtin->value != SpvBuiltInWorkgroupSize)
		return 0;
	return read_local_ids(r, in);
}

static int read_mode(struct reader *r, const struct hlx_spirv_inst *in)
{
	if (in->w[1] != r->entry)
		return FAIL(r, in, HLX_EINVAL, "an execution mode of id %u, which is no entry point", in->w[1]);
	if (in->w[2] == SpvExecutionModeLocalSizeId)
		return read_local_ids(r, in);
	if (in->w[2] != SpvExecutionModeLocalSize)
		return 0;
	if (in->n != 6)
		return FAIL(r, in, HLX_EINVAL, "LocalSize of %u words, want 6", in->n);
	memcpy(r->out->local, in->w + 3, sizeof r->out->local);
	return 0;
}

/* ---- the walk ---- */

static int read_pointer(struct reader *r, const struct hlx_spirv_inst *in)
{
	return hlx_spirv_vars_check_class(&r->types, in, in->w[2]);
}

static int read_variable(struct reader *r, const struct hlx_spirv_inst *in)
{
	return hlx_spirv_vars_read(&r->types, in, r->out);
}

static int read_untyped(struct reader *r, const struct hlx_spirv_inst *in)
{
	return FAIL(r, in, HLX_ENOTSUP, "an untyped variable, hlx cannot reflect it");
}

static int read_type(struct reader *r, const struct hlx_spirv_inst *in)
{
	return hlx_spirv_types_measure(&r->types, in);
}

static const struct { uint32_t op; int (*read)(struct reader *, const struct hlx_spirv_inst *); } readers[] = {
	{ SpvOpCapability, read_capability }, { SpvOpEntryPoint, read_entry_point },
	{ SpvOpExecutionMode, read_mode }, { SpvOpExecutionModeId, read_mode },
	{ SpvOpTypeInt, read_type }, { SpvOpTypeFloat, read_type }, { SpvOpTypeVector, read_type },
	{ SpvOpTypeArray, read_type }, { SpvOpTypeStruct, read_type }, { SpvOpTypePointer, read_pointer },
	{ SpvOpSpecConstant, read_spec_constant }, { SpvOpSpecConstantTrue, read_spec_constant },
	{ SpvOpSpecConstantFalse, read_spec_constant },
	{ SpvOpConstantComposite, read_composite }, { SpvOpSpecConstantComposite, read_composite },
	{ SpvOpVariable, read_variable }, { OP_UNTYPED_VARIABLE, read_untyped },
};

static int read_global(struct reader *r, const struct hlx_spirv_inst *in)
{
	for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
		if (readers[i].op != in->op)
			continue;
		if (r->in_functions)
			return FAIL(r, in, HLX_EINVAL, "opcode %u belongs before the first function", in->op);
		return readers[i].read(r, in);
	}
	return 0;
}

static int read_call(const struct reader *r, const struct hlx_spirv_inst *in)
{
	struct hlx_spirv_inst callee;
	int status = hlx_spirv_types_find(&r->types, in->at, in->w[3], &callee);

	if (!status && callee.op != SpvOpFunction)
		return FAIL(r, in, HLX_EINVAL, "a call of id %u, which is no function", in->w[3]);
	return status;
}

static int walk(struct reader *r)
{
	struct hlx_spirv_iter *it = &r->types.it;
	struct hlx_spirv_inst in;
	bool open = false; /* between OpFunction and OpFunctionEnd */
	int status;

	while ((status = hlx_spirv_next(it, &in)) > 0) {
		if (in.op == SpvOpFunction || in.op == SpvOpFunctionEnd) {
			if (open == (in.op == SpvOpFunction))
				return FAIL(r, &in, HLX_EINVAL, "a function begins inside another, or ends outside one");
			open = !open;
			r->in_functions = true;
		}
		if (in.op == SpvOpVariable && open && in.w[3] == SpvStorageClassFunction)
			continue;
		status = in.op == SpvOpFunctionCall ? read_call(r, &in) : read_global(r, &in);
		if (status)
			return status;
	}
	if (!status && open)
		return hlx_spirv_fail(it, it->n_words, HLX_EINVAL, "the module ends inside a function");
	return status;
}

static int check_whole(const struct reader *r)
{
	const struct hlx_spirv_iter *it = &r->types.it;
	const uint32_t *local = r->out->local;
	struct hlx_spirv_inst function;
	int status;

	if (!r->entry)
		return hlx_spirv_fail(it, it->n_words, HLX_ENOTSUP, "no GLCompute entry point");
	status = hlx_spirv_types_find(&r->types, it->n_words, r->entry, &function);
	if (status)
		return status;
	if (function.op != SpvOpFunction)
		return hlx_spirv_fail(it, function.at, HLX_EINVAL, "the entry point is no function");
	if (!local[0] || !local[1] || !local[2])
		return hlx_spirv_fail(it, it->n_words, HLX_EINVAL, "workgroup size is %u x %u x %u", local[0], local[1],
				local[2]);
	return 0;
}

int hlx_spirv_reflect(const uint32_t *code, size_t bytes, struct hlx_reflect *out, char *err, size_t err_size)
{
	struct reader r = { .out = out };
	int status = hlx_spirv_types_init(&r.types, code, bytes, err, err_size);

	*out = (struct hlx_reflect){ .local_spec = { -1, -1, -1 } };
	if (!status)
		status = walk(&r);
	if (!status)
		status = check_whole(&r);
	hlx_spirv_types_finish(&r.types);
	if (status)
		*out = (struct hlx_reflect){ 0 };
	return status;
}
