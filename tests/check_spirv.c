/* check_spirv - reflection of SPIR-V modules. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/spirv_modules.h"
#include "tests/suite.h"

/* ---- compiled modules ---- */

struct expectation {
	struct module module;
	uint32_t push_bytes, local[3];
	int32_t local_spec[3];
	uint32_t n_spec, spec_id[3], n_bindings;
	struct hlx_binding binding[5];
};

#define ALIAS .push_bytes = 28, .local = { 64, 2, 1 }, .local_spec = { -1, -1, -1 }, .n_bindings = 5, .binding = { \
	{ 0, 0, HLX_BIND_SSBO, true, false, 4 }, { 0, 1, HLX_BIND_SSBO, true, true, 8 }, \
	{ 0, 2, HLX_BIND_SSBO, false, true, 4 }, { 0, 3, HLX_BIND_SSBO, true, true, 8 }, \
	{ 0, 4, HLX_BIND_SSBO, true, true, 4 } }
/* The matrix is 2 rows, 16 bytes from one to the next, at 64. */
#define TEXEL .push_bytes = 96, .local = { 8, 4, 2 }, .local_spec = { -1, -1, -1 }, .n_bindings = 4, .binding = { \
	{ 0, 0, HLX_BIND_TEXEL, true, false, 0 }, { 0, 1, HLX_BIND_TEXEL, true, false, 0 }, \
	{ 0, 2, HLX_BIND_UBO, true, false, 0 }, { 0, 7, HLX_BIND_SSBO, true, true, 0 } }
#define SPEC .local = { 32, 2, 1 }, .local_spec = { 5, -1, 1 }, .n_spec = 4, .spec_id = { 1, 3, 5 }, \
	.n_bindings = 1, .binding = { { 0, 0, HLX_BIND_SSBO, true, true, 4 } }
#define PLAIN .local = { 1, 1, 1 }, .local_spec = { -1, -1, -1 }

static const struct expectation expectations[] = {
	{ .module = M(alias_v10), ALIAS }, { .module = M(alias_v15), ALIAS },
	{ .module = M(texel_v10), TEXEL }, { .module = M(texel_v15), TEXEL },
	{ .module = M(spec_v10), SPEC }, { .module = M(spec_v15), SPEC },
	{ .module = M(plain_v10), PLAIN }, { .module = M(plain_v15), PLAIN },
};

static void assert_binding(const struct hlx_binding *got, const struct hlx_binding *want)
{
	ck_assert_uint_eq(got->set, want->set);
	ck_assert_uint_eq(got->binding, want->binding);
	ck_assert_int_eq(got->kind, want->kind);
	ck_assert_msg(got->read == want->read && got->write == want->write, "binding %u: read %d write %d", got->binding,
			got->read, got->write);
	ck_assert_uint_eq(got->elem_bytes, want->elem_bytes);
}

START_TEST(compiled)
{
	const struct expectation *want = &expectations[_i];
	struct hlx_reflect got;
	int status = reflect(want->module.code, want->module.n_words, &got);

	ck_assert_msg(status == 0, "%s: %s", want->module.name, err);
	ck_assert_str_eq(got.entry, "main");
	ck_assert_uint_eq(got.push_bytes, want->push_bytes);
	ck_assert_mem_eq(got.local, want->local, sizeof got.local);
	ck_assert_mem_eq(got.local_spec, want->local_spec, sizeof got.local_spec);
	ck_assert_uint_eq(got.n_spec, want->n_spec);
	ck_assert_mem_eq(got.spec_id, want->spec_id, (want->n_spec < 3 ? want->n_spec : 3) * sizeof *got.spec_id);
	ck_assert_uint_eq(got.n_bindings, want->n_bindings);
	for (uint32_t i = 0; i < want->n_bindings; i++)
		assert_binding(&got.binding[i], &want->binding[i]);
}
END_TEST

START_TEST(capabilities)
{
	struct hlx_reflect r;

	ck_assert_int_eq(reflect(plain_v15, COUNT(plain_v15), &r), 0);
	ck_assert_uint_eq(r.n_capability, 1);
	ck_assert_uint_eq(r.capability[0], SpvCapabilityShader);
	ck_assert(!r.uses_subgroup && !r.int64 && !r.float16 && !r.float64 && !r.int16 && !r.int8);
	ck_assert_int_eq(reflect(caps_v15, COUNT(caps_v15), &r), 0);
	ck_assert(r.uses_subgroup && r.int64 && r.float16 && r.float64 && r.int16 && r.int8);
	ck_assert_uint_ge(r.n_capability, 7);
}
END_TEST

/* ---- planted modules ---- */

#define SSBO_AT(set, binding) .deco = W(AT(22, set, binding), DECO(20, Block)), \
	.global = W(STRUCT1(20, FLOATS), VAR(21, 22, StorageBuffer, 20))
#define OPAQUE_AT(binding, ...) .deco = W(AT(22, 0, binding)), \
	.global = W(__VA_ARGS__, VAR(21, 22, UniformConstant, 20))
#define PUSH(...) .deco = W(DECO(20, Block), OFFSET(20, 0, 0)), .global = W(__VA_ARGS__, VAR(21, 22, PushConstant, 20))

static const struct planted refusals[] = {
	/* entry points and modes */
	{ "several entry points", HLX_ENOTSUP, .entry = W(ENTRY(GLCompute, FN), ENTRY(GLCompute, FN)) },
	{ "execution model 4, hlx runs GLCompute only", HLX_ENOTSUP, .entry = W(ENTRY(Fragment, FN)) },
	{ "no GLCompute entry point", HLX_ENOTSUP, .entry = W(I(SpvOpNop, 1)), .mode = W(I(SpvOpNop, 1)) },
	{ "name does not end", HLX_EINVAL, .entry = W(I(SpvOpEntryPoint, 4), SpvExecutionModelGLCompute, FN, 0x6e69616d) },
	{ "name has 64 bytes, hlx keeps 63", HLX_ENOTSUP, .entry = W(I(SpvOpEntryPoint, 20), SpvExecutionModelGLCompute, FN,
		0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161,
		0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0x61616161, 0) },
	{ "the entry point is no function", HLX_EINVAL, .entry = W(ENTRY(GLCompute, UINT)),
		.mode = W(I(SpvOpExecutionMode, 6), UINT, SpvExecutionModeLocalSize, 4, 1, 1) },
	{ "id 70 is not defined", HLX_EINVAL, .entry = W(ENTRY(GLCompute, 70)),
		.mode = W(I(SpvOpExecutionMode, 6), 70, SpvExecutionModeLocalSize, 4, 1, 1) },
	{ "mode of id 4, which is no entry point", HLX_EINVAL, .mode = W(I(SpvOpExecutionMode, 6), UINT, 17, 4, 1, 1) },
	{ "workgroup size is 0 x 0 x 0", HLX_EINVAL, .mode = W(I(SpvOpNop, 1)) },
	{ "workgroup size is 4 x 0 x 1", HLX_EINVAL, .mode = W(I(SpvOpExecutionMode, 6), FN, 17, 4, 0, 1) },
	{ "LocalSize of 5 words", HLX_EINVAL, .mode = W(I(SpvOpExecutionMode, 5), FN, 17, 4, 1) },
	{ "id 100 is outside the bound 100", HLX_EINVAL, .mode = W(I(SpvOpExecutionModeId, 6), FN, 38, 100, ONE, ONE) },
	{ "part 1 is not a plain 32-bit constant", HLX_ENOTSUP,
		.mode = W(I(SpvOpExecutionModeId, 6), FN, 38, EIGHT, FLOAT, ONE) },
	/* structure */
	{ "instruction of 0 words", HLX_EINVAL, .body = W(0) },
	{ "runs past the end", HLX_EINVAL, .tail = W(I(SpvOpNop, 2)) },
	{ "opcode 22 has 2 words, want at least 3", HLX_EINVAL, .global = W(I(SpvOpTypeFloat, 2), 20) },
	{ "too few for its ids", HLX_EINVAL, .body = W(I(SpvOpFAdd, 2), FLOAT) },
	{ "result id 100 is outside the bound", HLX_EINVAL, .global = W(I(SpvOpTypeFloat, 3), 100, 32) },
	{ "result id 0 is outside the bound", HLX_EINVAL, .global = W(I(SpvOpTypeFloat, 3), 0, 32) },
	{ "type id 4000000000 is outside the bound", HLX_EINVAL, .global = W(I(SpvOpConstant, 4), 4000000000u, 20, 0) },
	{ "decorated id 100 is outside the bound", HLX_EINVAL, .deco = W(DECO(100, Block)) },
	{ "member 4294967295 is decorated", HLX_EINVAL, .deco = W(OFFSET(20, UINT32_MAX, 0)) },
	{ "id 5 is defined twice", HLX_EINVAL, .global = W(I(SpvOpTypeFloat, 3), FLOAT, 32) },
	{ "ends inside a function", HLX_EINVAL, .tail = W(I(SpvOpFunction, 5), VOID, 20, 0, FN_TYPE) },
	{ "begins inside another", HLX_EINVAL, .body = W(I(SpvOpFunction, 5), VOID, 20, 0, FN_TYPE) },
	{ "belongs before the first function", HLX_EINVAL, .body = W(I(SpvOpTypeFloat, 3), 20, 16) },
	{ "stands after the first function", HLX_EINVAL, .body = W(DECO(20, Block)) },
	{ "decoration groups are not supported", HLX_ENOTSUP, .deco = W(I(SpvOpDecorationGroup, 2), 20) },
	{ "decoration 33 lacks its number", HLX_EINVAL, .deco = W(DECO(22, Binding)) },
	{ "has decoration 33 twice, 1 and 2", HLX_EINVAL, .deco = W(DECO1(22, Binding, 1), DECO1(22, Binding, 2)) },
	{ "call of id 5, which is no function", HLX_EINVAL, .body = W(I(SpvOpFunctionCall, 4), VOID, 20, FLOAT) },
	{ "id 30 is not defined", HLX_EINVAL, .body = W(I(SpvOpFunctionCall, 4), VOID, 20, 30) },
	/* bindings */
	{ "binding 3 is in set 1, hlx knows set 0 only", HLX_ENOTSUP, SSBO_AT(1, 3) },
	{ "binding 256, hlx takes at most 255", HLX_ENOTSUP, SSBO_AT(0, 256) },
	{ "variable 22 has no Binding", HLX_EINVAL, .deco = W(DECO(20, Block), DECO1(22, DescriptorSet, 0)),
		.global = W(STRUCT1(20, FLOATS), VAR(21, 22, StorageBuffer, 20)) },
	{ "variable 22 has no DescriptorSet", HLX_EINVAL, .deco = W(DECO(20, Block), DECO1(22, Binding, 0)),
		.global = W(STRUCT1(20, FLOATS), VAR(21, 22, StorageBuffer, 20)) },
	{ "binding 3 is an image, hlx knows buffers only", HLX_ENOTSUP, OPAQUE_AT(3, IMAGE(20, 2D, 2)) },
	{ "binding 4 is a sampled image, hlx", HLX_ENOTSUP,
		OPAQUE_AT(4, IMAGE(23, 2D, 1), I(SpvOpTypeSampledImage, 3), 20, 23) },
	{ "binding 5 is a sampler, hlx", HLX_ENOTSUP, OPAQUE_AT(5, I(SpvOpTypeSampler, 2), 20) },
	{ "binding 6 is an imageBuffer", HLX_ENOTSUP, OPAQUE_AT(6, IMAGE(20, Buffer, 2)) },
	{ "binding 7 is an acceleration structure", HLX_ENOTSUP, OPAQUE_AT(7, I(SpvOpTypeAccelerationStructureKHR, 2), 20) },
	{ "binding 8 is a sampled image", HLX_ENOTSUP, OPAQUE_AT(8, I(SpvOpTypeSampledImage, 3), 20, 77) },
	{ "binding 1 is an array", HLX_ENOTSUP, .deco = W(AT(22, 0, 1), DECO(20, Block)), .global = W(STRUCT1(20, FLOATS),
		I(SpvOpTypeArray, 4), 23, 20, EIGHT, VAR(21, 22, StorageBuffer, 23)) },
	{ "binding 1 is a struct", HLX_ENOTSUP, .deco = W(AT(22, 0, 1)),
		.global = W(STRUCT1(20, FLOATS), VAR(21, 22, Uniform, 20)) },
	{ "binding 2 is both a storage buffer and a uniform buffer", HLX_EINVAL,
		.deco = W(AT(22, 0, 2), AT(25, 0, 2), DECO(20, Block), DECO(23, Block)),
		.global = W(STRUCT1(20, FLOATS), VAR(21, 22, StorageBuffer, 20), STRUCT1(23, UINT), VAR(24, 25, Uniform, 23)) },
	{ "runtime array without a stride", HLX_EINVAL, .deco = W(AT(22, 0, 2), DECO(20, Block)),
		.global = W(I(SpvOpTypeRuntimeArray, 3), 23, UINT, STRUCT1(20, 23), VAR(21, 22, StorageBuffer, 20)) },
	/* storage classes */
	{ "storage class Output", HLX_ENOTSUP, .global = W(VAR(21, 22, Output, FLOAT)) },
	{ "storage class PhysicalStorageBuffer", HLX_ENOTSUP,
		.global = W(I(SpvOpTypePointer, 4), 21, SpvStorageClassPhysicalStorageBuffer, FLOAT) },
	{ "storage class 999", HLX_ENOTSUP, .global = W(I(SpvOpTypePointer, 4), 21, 999, FLOAT) },
	{ "Function variable outside", HLX_EINVAL, .global = W(VAR(21, 22, Function, FLOAT)) },
	{ "variable 22 is no pointer into its storage class", HLX_EINVAL,
		.global = W(I(SpvOpTypePointer, 4), 21, SpvStorageClassPrivate, FLOAT, I(SpvOpVariable, 4), 21, 22,
			SpvStorageClassWorkgroup) },
	{ "variable 22 is no pointer", HLX_EINVAL, .global = W(I(SpvOpVariable, 4), UINT, 22, SpvStorageClassPrivate) },
	{ "id 77 is not defined", HLX_EINVAL, .global = W(I(SpvOpVariable, 4), 77, 22, SpvStorageClassPrivate) },
	{ "id 4000000000 is outside the bound", HLX_EINVAL, .global = W(VAR(21, 22, Private, 4000000000u)) },
	{ "an untyped variable", HLX_ENOTSUP, .global = W(I(4418, 4), UINT, 22, SpvStorageClassStorageBuffer) },
	/* push constants */
	{ "second push-constant block", HLX_ENOTSUP, PUSH(STRUCT1(20, UINT), VAR(23, 24, PushConstant, 20)) },
	{ "push constant is an integer, want a block", HLX_EINVAL, .global = W(VAR(21, 22, PushConstant, UINT)) },
	{ "member 0, a bool, has no size or offset", HLX_ENOTSUP, PUSH(STRUCT1(20, BOOL)) },
	{ "member 0, a runtime array, has no size", HLX_ENOTSUP, PUSH(STRUCT1(20, FLOATS)) },
	{ "member 0, an array, has no size", HLX_ENOTSUP, PUSH(I(SpvOpTypeArray, 4), 25, UINT, EIGHT, STRUCT1(20, 25)) },
	{ "member 0, a pointer, has no size", HLX_ENOTSUP,
		PUSH(I(SpvOpTypePointer, 4), 25, SpvStorageClassPrivate, UINT, STRUCT1(20, 25)) },
	{ "member 0, a struct, has no size", HLX_ENOTSUP, PUSH(STRUCT1(20, 20)) }, /* a struct of itself */
	{ "member 1, a float, has no size or offset", HLX_ENOTSUP, PUSH(I(SpvOpTypeStruct, 4), 20, UINT, FLOAT) },
	{ "id 90 is not defined", HLX_EINVAL, PUSH(STRUCT1(20, 90)) },
	{ "is empty or larger than 4 GiB", HLX_ENOTSUP, PUSH(I(SpvOpTypeStruct, 2), 20) },
	{ "is empty or larger than 4 GiB", HLX_ENOTSUP, .deco = W(DECO(20, Block), OFFSET(20, 0, UINT32_MAX)),
		.global = W(STRUCT1(20, UINT), VAR(21, 22, PushConstant, 20)) },
	/* specialization constants */
	{ "SpecId 2147483648", HLX_ENOTSUP, .deco = W(DECO1(20, SpecId, 0x80000000u)),
		.global = W(I(SpvOpSpecConstant, 4), UINT, 20, 1) },
	{ "constant 9 is not 32 bits wide", HLX_ENOTSUP, .deco = W(DECO1(20, SpecId, 9)),
		.global = W(I(SpvOpTypeInt, 4), 21, 64, 0, I(SpvOpSpecConstant, 5), 21, 20, 1, 0) },
};

START_TEST(refused)
{
	const struct planted *p = &refusals[_i];
	uint32_t code[1024];
	struct hlx_reflect out;
	int status = reflect(code, build(code, p), &out);

	ck_assert_msg(status == p->status, "\"%s\": status %d, want %d, said: %s", p->message, status, p->status, err);
	ck_assert_msg(strstr(err, p->message) != NULL, "said \"%s\", want \"%s\"", err, p->message);
	assert_refused(status, &out);
}
END_TEST

static void accept(const struct planted *p, struct hlx_reflect *out)
{
	uint32_t code[1024];
	int status = reflect(code, build(code, p), out);

	ck_assert_msg(status == 0, "refused: %s", err);
}

/* LocalSizeId with one constant that can be set, one that cannot; what a compiler for SPIR-V 1.6 writes. */
START_TEST(local_size_id)
{
	const struct planted p = { .mode = W(I(SpvOpExecutionModeId, 6), FN, 38, 20, EIGHT, 21),
		.deco = W(DECO1(20, SpecId, 11)),
		.global = W(I(SpvOpSpecConstant, 4), UINT, 20, 96, I(SpvOpSpecConstant, 4), UINT, 21, 3) };
	struct hlx_reflect r;

	accept(&p, &r);
	ck_assert_mem_eq(r.local, ((const uint32_t[]){ 96, 8, 3 }), sizeof r.local);
	ck_assert_mem_eq(r.local_spec, ((const int32_t[]){ 11, -1, -1 }), sizeof r.local_spec);
	ck_assert_uint_eq(r.n_spec, 1);
	ck_assert_uint_eq(r.spec_id[0], 11);
}
END_TEST

/* On the variable, as other compilers than glslang put it; and neither read nor written, which is .length() alone. */
START_TEST(access_on_variable)
{
	const struct planted p = { .deco = W(AT(22, 0, 0), AT(23, 0, 1), AT(24, 0, 2), DECO(20, Block), DECO(22, NonWritable),
			DECO(23, NonReadable), DECO(24, NonReadable), DECO(24, NonWritable)),
		.global = W(STRUCT1(20, FLOATS), VAR(21, 22, StorageBuffer, 20), SAME(23), SAME(24)) };
	struct hlx_reflect r;

	accept(&p, &r);
	ck_assert_uint_eq(r.n_bindings, 3);
	ck_assert(r.binding[0].read && !r.binding[0].write);
	ck_assert(!r.binding[1].read && r.binding[1].write);
	ck_assert(!r.binding[2].read && !r.binding[2].write);
}
END_TEST

/* Whichever view comes first, the reading or the writing one. */
START_TEST(access_merged)
{
	const struct planted p = { .deco = W(AT(22, 0, 0), AT(23, 0, 0), AT(24, 0, 1), AT(25, 0, 1), DECO(20, Block),
			DECO(22, NonWritable), DECO(23, NonReadable), DECO(24, NonReadable), DECO(25, NonWritable)),
		.global = W(STRUCT1(20, FLOATS), VAR(21, 22, StorageBuffer, 20), SAME(23), SAME(24), SAME(25)) };
	struct hlx_reflect r;

	accept(&p, &r);
	ck_assert_uint_eq(r.n_bindings, 2);
	ck_assert(r.binding[0].read && r.binding[0].write);
	ck_assert(r.binding[1].read && r.binding[1].write);
}
END_TEST

/* { mat4x3 (4 columns of 3) every 16 at 144; struct { vec3; u32 }[8] every 16 at 16; u32 at 4 }: the block
 * ends where its first member does. */
START_TEST(push_nested)
{
	const struct planted p = { .deco = W(DECO(20, Block), OFFSET(20, 0, 144), OFFSET(20, 1, 16), OFFSET(20, 2, 4),
			I(SpvOpMemberDecorate, 5), 20, 0, SpvDecorationMatrixStride, 16,
			OFFSET(24, 0, 0), OFFSET(24, 1, 12), DECO1(25, ArrayStride, 16)),
		.global = W(I(SpvOpTypeVector, 4), 23, FLOAT, 3, I(SpvOpTypeStruct, 4), 24, 23, UINT,
			I(SpvOpTypeArray, 4), 25, 24, EIGHT, I(SpvOpTypeMatrix, 4), 26, 23, 4,
			I(SpvOpTypeStruct, 5), 20, 26, 25, UINT, VAR(21, 22, PushConstant, 20)) };
	struct hlx_reflect r;

	accept(&p, &r);
	ck_assert_uint_eq(r.push_bytes, 144 + 4 * 16);
}
END_TEST

/* One more of each than hlx_reflect has room for. */
START_TEST(too_many)
{
	static const char *const messages[] = { "more than 32 capabilities", "more than 16 specialization constants",
		"more than 16 bindings" };
	uint32_t w[4 * 64], d[8 * 64], code[1024];
	struct words words = { w, 0 }, decos = { d, 0 };
	struct planted p = { 0 };
	struct hlx_reflect r;

	for (uint32_t i = 0; _i == 0 && i < 32; i++)
		words.n = append(w, words.n, (struct words)W(I(SpvOpCapability, 2), i + 2));
	for (uint32_t i = 0; _i == 1 && i < 17; i++) {
		words.n = append(w, words.n, (struct words)W(I(SpvOpSpecConstantTrue, 3), BOOL, 30 + i));
		decos.n = append(d, decos.n, (struct words)W(DECO1(30 + i, SpecId, 99 - i)));
	}
	if (_i == 2) {
		decos.n = append(d, decos.n, (struct words)W(DECO(20, Block)));
		words.n = append(w, words.n, (struct words)W(STRUCT1(20, FLOATS), VAR(21, 22, StorageBuffer, 20)));
		decos.n = append(d, decos.n, (struct words)W(AT(22, 0, 255)));
	}
	for (uint32_t i = 0; _i == 2 && i < 16; i++) {
		words.n = append(w, words.n, (struct words)W(SAME(30 + i)));
		decos.n = append(d, decos.n, (struct words)W(AT(30 + i, 0, 40 - i)));
	}
	*(_i ? &p.global : &p.capability) = words;
	p.deco = decos;
	assert_refused(reflect(code, build(code, &p), &r), &r);
	ck_assert_msg(strstr(err, messages[_i]) != NULL, "said \"%s\"", err);
}
END_TEST

/* 60 levels of two members each, 2^60 paths: nothing may visit a type once for every path to it. */
START_TEST(deep_structs)
{
	uint32_t w[4 * 64 + 8], d[10 * 64];
	struct words words = { w, 0 }, decos = { d, 0 };
	struct planted p = { 0 };
	struct hlx_reflect out;

	for (uint32_t i = 0; i < 60; i++) {
		uint32_t part = i ? 29 + i : FLOAT;
		words.n = append(w, words.n, (struct words)W(I(SpvOpTypeStruct, 4), 30 + i, part, part));
		decos.n = append(d, decos.n, (struct words)W(OFFSET(30 + i, 0, 0), OFFSET(30 + i, 1, 4 + 4 * i)));
	}
	words.n = append(w, words.n, (struct words)W(VAR(21, 22, PushConstant, 89)));
	decos.n = append(d, decos.n, (struct words)W(DECO(89, Block)));
	p.global = words;
	p.deco = decos;
	accept(&p, &out);
	ck_assert_uint_eq(out.push_bytes, 4 + 4 * (60 * 61 / 2));
}
END_TEST

int main(void)
{
	TCase *reading = tcase_create("spirv");

	tcase_add_checked_fixture(reading, setup_fence, NULL);
	tcase_set_timeout(reading, 60);
	tcase_add_loop_test(reading, compiled, 0, COUNT(expectations));
	tcase_add_test(reading, capabilities);
	tcase_add_loop_test(reading, refused, 0, COUNT(refusals));
	tcase_add_test(reading, local_size_id);
	tcase_add_test(reading, access_on_variable);
	tcase_add_test(reading, access_merged);
	tcase_add_test(reading, push_nested);
	tcase_add_loop_test(reading, too_many, 0, 3);
	tcase_add_test(reading, deep_structs);
	return suite_run("spirv", reading);
}
