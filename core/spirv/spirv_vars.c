/* core/spirv/spirv_vars.c - see spirv_vars.h */
#include "core/spirv/spirv_vars.h"

#include <string.h>

#include <spirv/unified1/spirv.h>

#include "hlx/plugin.h"

#define FAIL(t, in, status, ...) hlx_spirv_fail(&(t)->it, (in)->at, status, __VA_ARGS__)

/* Storage classes that no kernel of ours can use, with the names for the message. */
static const struct { uint32_t class; const char *name; } refused_classes[] = {
	{ SpvStorageClassOutput, "Output" }, { SpvStorageClassCrossWorkgroup, "CrossWorkgroup" },
	{ SpvStorageClassGeneric, "Generic" }, { SpvStorageClassAtomicCounter, "AtomicCounter" },
	{ SpvStorageClassImage, "Image" }, { SpvStorageClassPhysicalStorageBuffer, "PhysicalStorageBuffer" },
};

int hlx_spirv_vars_check_class(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *in, uint32_t class)
{
	switch (class) {
	case SpvStorageClassUniformConstant:
	case SpvStorageClassInput:
	case SpvStorageClassUniform:
	case SpvStorageClassWorkgroup:
	case SpvStorageClassPrivate:
	case SpvStorageClassFunction:
	case SpvStorageClassPushConstant:
	case SpvStorageClassStorageBuffer: return 0;
	}
	for (size_t i = 0; i < sizeof refused_classes / sizeof *refused_classes; i++)
		if (refused_classes[i].class == class)
			return FAIL(t, in, HLX_ENOTSUP, "storage class %s, hlx cannot reflect it", refused_classes[i].name);
	return FAIL(t, in, HLX_ENOTSUP, "storage class %u, hlx cannot reflect it", class);
}

static int read_push_block(const struct hlx_spirv_types *t, struct hlx_reflect *out, const struct hlx_spirv_inst *var,
		const struct hlx_spirv_inst *block)
{
	if (out->push_bytes)
		return FAIL(t, var, HLX_ENOTSUP, "a second push-constant block");
	if (!hlx_spirv_types_is_block(t, block, SpvDecorationBlock))
		return FAIL(t, var, HLX_EINVAL, "the push constant is %s, want a block", hlx_spirv_type_name(block->op));
	out->push_bytes = hlx_spirv_types_size(t, block->result);
	return out->push_bytes ? 0 : hlx_spirv_types_fail_size(t, block, "the push-constant block");
}

/* The binding's kind, or 0 with the name of what it is instead. */
static int binding_kind(const struct hlx_spirv_types *t, uint32_t class, const struct hlx_spirv_inst *type,
		const char **what)
{
	*what = hlx_spirv_type_name(type->op);
	if (class == SpvStorageClassUniformConstant)
		return hlx_spirv_types_is_texel(t, type, what) ? HLX_BIND_TEXEL : 0;
	if (class == SpvStorageClassUniform && hlx_spirv_types_is_block(t, type, SpvDecorationBufferBlock))
		return HLX_BIND_SSBO; /* how SPIR-V up to 1.2 says StorageBuffer */
	if (!hlx_spirv_types_is_block(t, type, SpvDecorationBlock))
		return 0;
	return class == SpvStorageClassUniform ? HLX_BIND_UBO : HLX_BIND_SSBO;
}

/* On the variable, or on every member of its block. */
static bool has_everywhere(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *var,
		const struct hlx_spirv_inst *block, uint32_t kind)
{
	const struct hlx_spirv_decos *decos = &t->decos;

	if (hlx_spirv_decos_find(decos, var->result, HLX_SPIRV_WHOLE, kind))
		return true;
	for (uint32_t i = 0; i + 2 < block->n; i++)
		if (!hlx_spirv_decos_find(decos, block->result, i, kind))
			return false;
	return block->n > 2;
}

static int read_elem_bytes(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *block, uint32_t *elem_bytes)
{
	struct hlx_spirv_inst last;
	const struct hlx_spirv_deco *stride;
	int status;

	if (block->n == 2)
		return 0;
	status = hlx_spirv_types_find(t, block->at, block->w[block->n - 1], &last);
	if (status || last.op != SpvOpTypeRuntimeArray)
		return status;
	stride = hlx_spirv_decos_find(&t->decos, last.result, HLX_SPIRV_WHOLE, SpvDecorationArrayStride);
	if (!stride || !stride->value)
		return FAIL(t, &last, HLX_EINVAL, "a runtime array without a stride in a storage buffer");
	*elem_bytes = stride->value;
	return 0;
}

static const char *const kind_names[] = {
	[HLX_BIND_SSBO] = "a storage buffer", [HLX_BIND_UBO] = "a uniform buffer", [HLX_BIND_TEXEL] = "a texel buffer",
};

static int merge_binding(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *var, struct hlx_binding *old,
		const struct hlx_binding *new)
{
	if (old->kind != new->kind)
		return FAIL(t, var, HLX_EINVAL, "binding %u is both %s and %s", new->binding, kind_names[old->kind],
				kind_names[new->kind]);
	old->read |= new->read;
	old->write |= new->write;
	if (new->elem_bytes && (!old->elem_bytes || new->elem_bytes < old->elem_bytes))
		old->elem_bytes = new->elem_bytes;
	return 0;
}

static int add_binding(const struct hlx_spirv_types *t, struct hlx_reflect *out, const struct hlx_spirv_inst *var,
		const struct hlx_binding *new)
{
	uint32_t place = 0;

	while (place < out->n_bindings && out->binding[place].binding < new->binding)
		place++;
	if (place < out->n_bindings && out->binding[place].binding == new->binding)
		return merge_binding(t, var, &out->binding[place], new);
	if (out->n_bindings == HLX_MAX_BINDINGS)
		return FAIL(t, var, HLX_ENOTSUP, "more than %d bindings", HLX_MAX_BINDINGS);
	memmove(&out->binding[place + 1], &out->binding[place], (out->n_bindings - place) * sizeof *new);
	out->binding[place] = *new;
	out->n_bindings++;
	return 0;
}

static int read_place(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *var, struct hlx_binding *new)
{
	const struct hlx_spirv_decos *decos = &t->decos;
	const struct hlx_spirv_deco *set, *binding;

	set = hlx_spirv_decos_find(decos, var->result, HLX_SPIRV_WHOLE, SpvDecorationDescriptorSet);
	binding = hlx_spirv_decos_find(decos, var->result, HLX_SPIRV_WHOLE, SpvDecorationBinding);
	if (!set || !binding)
		return FAIL(t, var, HLX_EINVAL, "variable %u has no %s", var->result, binding ? "DescriptorSet" : "Binding");
	if (set->value != 0)
		return FAIL(t, var, HLX_ENOTSUP, "binding %u is in set %u, hlx knows set 0 only", binding->value, set->value);
	if (binding->value > HLX_MAX_BINDING_NUMBER)
		return FAIL(t, var, HLX_ENOTSUP, "binding %u, hlx takes at most %d", binding->value, HLX_MAX_BINDING_NUMBER);
	new->binding = binding->value;
	return 0;
}

static int read_binding(const struct hlx_spirv_types *t, struct hlx_reflect *out, const struct hlx_spirv_inst *var,
		const struct hlx_spirv_inst *type)
{
	struct hlx_binding new = { .read = true };
	const char *what;
	int status = read_place(t, var, &new);

	if (status)
		return status;
	new.kind = binding_kind(t, var->w[3], type, &what);
	if (!new.kind)
		return FAIL(t, var, HLX_ENOTSUP, "binding %u is %s, hlx knows buffers only", new.binding, what);
	if (new.kind == HLX_BIND_SSBO) {
		new.read = !has_everywhere(t, var, type, SpvDecorationNonReadable);
		new.write = !has_everywhere(t, var, type, SpvDecorationNonWritable);
		status = read_elem_bytes(t, type, &new.elem_bytes);
	}
	return status ? status : add_binding(t, out, var, &new);
}

int hlx_spirv_vars_read(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *in, struct hlx_reflect *out)
{
	struct hlx_spirv_inst pointer, type;
	uint32_t class = in->w[3];
	int status = hlx_spirv_vars_check_class(t, in, class);

	if (!status)
		status = hlx_spirv_types_find(t, in->at, in->type, &pointer);
	if (status)
		return status;
	if (pointer.op != SpvOpTypePointer || pointer.w[2] != class)
		return FAIL(t, in, HLX_EINVAL, "variable %u is no pointer into its storage class", in->result);
	status = hlx_spirv_types_find(t, pointer.at, pointer.w[3], &type);
	if (status)
		return status;
	switch (class) {
	case SpvStorageClassFunction: return FAIL(t, in, HLX_EINVAL, "a Function variable outside a function");
	case SpvStorageClassPushConstant: return read_push_block(t, out, in, &type);
	case SpvStorageClassUniformConstant:
	case SpvStorageClassUniform:
	case SpvStorageClassStorageBuffer: return read_binding(t, out, in, &type);
	}
	return 0;
}
