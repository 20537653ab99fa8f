/*
 * check_spirv - reflection of SPIR-V modules, and the program that decorates them.
 *
 * Modules come from two places: tests/spirv/NAME.comp, compiled as SPIR-V 1.0 (NAME.v10.h, where a storage buffer is a
 * BufferBlock) and 1.5 (NAME.v15.h), and words planted into a minimal module, for what a compiler would not write.
 * Every module is read from memory that ends at a page nobody may touch, so that one word too far is a crash.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <spirv/unified1/spirv.h>

#include "core/spirv.h"
#include "core/spirv_walk.h"
#include "hlx/plugin.h"
#include "tests/spirv/alias.v10.h"
#include "tests/spirv/alias.v15.h"
#include "tests/spirv/caps.v15.h"
#include "tests/spirv/ops.v10.h"
#include "tests/spirv/ops.v15.h"
#include "tests/spirv/plain.v10.h"
#include "tests/spirv/plain.v15.h"
#include "tests/spirv/spec.v10.h"
#include "tests/spirv/spec.v15.h"
#include "tests/spirv/texel.v10.h"
#include "tests/spirv/texel.v15.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define M(name) { #name, name, sizeof name / 4 }

struct module { const char *name; const uint32_t *code; size_t n_words; };
static const struct module modules[] = {
	M(alias_v10), M(alias_v15), M(texel_v10), M(texel_v15), M(spec_v10), M(spec_v15), M(caps_v15), M(ops_v10),
	M(ops_v15), M(plain_v10), M(plain_v15),
};

/* ---- memory with a fence behind it ---- */

#define FENCED_BYTES (1u << 16)
static char *fence; /* the first byte that must not be read */

static void setup_fence(void)
{
	char *map = mmap(NULL, 2 * FENCED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mprotect(map + FENCED_BYTES, FENCED_BYTES, PROT_NONE), 0);
	fence = map + FENCED_BYTES;
}

static uint32_t *fenced(const uint32_t *code, size_t n_words)
{
	ck_assert_uint_le(n_words * 4, FENCED_BYTES);
	return memcpy(fence - n_words * 4, code, n_words * 4);
}

static char err[256];

static int reflect(const uint32_t *code, size_t n_words, struct hlx_reflect *out)
{
	memset(out, 0xa5, sizeof *out);
	err[0] = 0;
	return hlx_spirv_reflect(fenced(code, n_words), n_words * 4, out, err, sizeof err);
}

/* A refusal says where, in one line, and leaves nothing behind. */
static void assert_refused(int status, const struct hlx_reflect *out)
{
	static const struct hlx_reflect nothing;

	ck_assert_msg(status == HLX_EINVAL || status == HLX_ENOTSUP, "status %d: %s", status, err);
	ck_assert_msg(!strncmp(err, "word ", 5) && isdigit((unsigned char)err[5]), "message: %s", err);
	ck_assert_msg(strlen(err) < sizeof err - 1 && !strchr(err, '\n'), "message: %s", err);
	ck_assert_mem_eq(out, &nothing, sizeof nothing);
}

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

#define I(op, words) ((uint32_t)(words) << 16 | (op))
#define W(...) { (const uint32_t[]){ __VA_ARGS__ }, sizeof(const uint32_t[]){ __VA_ARGS__ } / 4 }
#define DECO(id, kind) I(SpvOpDecorate, 3), id, SpvDecoration##kind
#define DECO1(id, kind, value) I(SpvOpDecorate, 4), id, SpvDecoration##kind, value
#define OFFSET(id, member, value) I(SpvOpMemberDecorate, 5), id, member, SpvDecorationOffset, value
#define AT(id, set, binding) DECO1(id, DescriptorSet, set), DECO1(id, Binding, binding)
#define STRUCT1(id, member) I(SpvOpTypeStruct, 3), id, member
#define VAR(pointer, id, class, to) I(SpvOpTypePointer, 4), pointer, SpvStorageClass##class, to, \
	I(SpvOpVariable, 4), pointer, id, SpvStorageClass##class
#define SAME(id) I(SpvOpVariable, 4), 21, id, SpvStorageClassStorageBuffer /* another of VAR(21, ...) */
#define IMAGE(id, dim, sampled) I(SpvOpTypeImage, 9), id, FLOAT, SpvDim##dim, 0, 0, 0, sampled, 0
#define MAIN 0x6e69616d, 0 /* "main" */
#define ENTRY(model, id) I(SpvOpEntryPoint, 5), SpvExecutionModel##model, id, MAIN

/* Ids of the minimal module; planted words use 20 to 99. */
enum { FN = 1, VOID, FN_TYPE, UINT, FLOAT, FLOATS, ONE, EIGHT, BOOL, LABEL, PLANTED_BOUND = 100 };

struct words { const uint32_t *w; size_t n; };
struct planted {
	const char *message; /* NULL: accepted */
	int status;
	struct words capability, entry, mode, deco, global, body, tail; /* entry and mode replace the usual ones */
};

static const struct words usual_entry = W(ENTRY(GLCompute, FN));
static const struct words usual_mode = W(I(SpvOpExecutionMode, 6), FN, SpvExecutionModeLocalSize, 4, 1, 1);
static const struct words types = W(I(SpvOpTypeVoid, 2), VOID, I(SpvOpTypeFunction, 3), FN_TYPE, VOID,
	I(SpvOpTypeInt, 4), UINT, 32, 0, I(SpvOpTypeFloat, 3), FLOAT, 32, I(SpvOpTypeRuntimeArray, 3), FLOATS, FLOAT,
	I(SpvOpConstant, 4), UINT, ONE, 1, I(SpvOpConstant, 4), UINT, EIGHT, 8, I(SpvOpTypeBool, 2), BOOL);
static const struct words function = W(I(SpvOpFunction, 5), VOID, FN, 0, FN_TYPE, I(SpvOpLabel, 2), LABEL);
static const struct words function_end = W(I(SpvOpReturn, 1), I(SpvOpFunctionEnd, 1));
static const struct words opening = W(I(SpvOpCapability, 2), SpvCapabilityShader);
static const struct words memory = W(I(SpvOpMemoryModel, 3), 0, 1);
static const struct words stride = W(DECO1(FLOATS, ArrayStride, 4));

static size_t append(uint32_t *code, size_t n, struct words words)
{
	ck_assert_uint_le(n + words.n, 1024);
	if (words.n)
		memcpy(code + n, words.w, words.n * 4);
	return n + words.n;
}

static size_t build(uint32_t code[1024], const struct planted *p)
{
	const struct words parts[] = {
		opening, p->capability, memory, p->entry.w ? p->entry : usual_entry, p->mode.w ? p->mode : usual_mode,
		stride, p->deco, types, p->global, function, p->body, function_end, p->tail,
	};
	size_t n = HLX_SPIRV_HEADER_WORDS;

	memcpy(code, (const uint32_t[]){ SpvMagicNumber, 0x00010300, 0, PLANTED_BOUND, 0 }, 4 * n);
	for (size_t i = 0; i < COUNT(parts); i++)
		n = append(code, n, parts[i]);
	return n;
}

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

/* ---- headers, truncation, mutation ---- */

START_TEST(headers)
{
	static const struct { uint32_t at, word; const char *message; } cases[] = {
		{ 0, 0x03022307, "word 0: this SPIR-V is in the other byte order" }, { 0, 0x464c457f, "word 0: not SPIR-V" },
		{ 1, 0x00010700, "word 1: SPIR-V version" }, { 1, 0x00020000, "word 1: SPIR-V version" },
		{ 1, 0x00010001, "word 1: SPIR-V version" }, { 3, 0, "word 3: id bound is 0" },
		{ 3, 0x400000, "word 3: id bound is 4194304" }, { 3, 5, "outside the bound 5" }, { 4, 1, "word 4: schema" },
	};
	uint32_t code[COUNT(plain_v10)];
	struct hlx_reflect out;

	for (size_t i = 0; i < COUNT(cases); i++) {
		memcpy(code, plain_v10, sizeof code);
		code[cases[i].at] = cases[i].word;
		assert_refused(reflect(code, COUNT(code), &out), &out);
		ck_assert_msg(strstr(err, cases[i].message) != NULL, "said \"%s\", want \"%s\"", err, cases[i].message);
	}
	for (size_t bytes = 1; bytes < 4; bytes++) {
		int status = hlx_spirv_reflect(plain_v10, sizeof plain_v10 - bytes, &out, err, sizeof err);
		assert_refused(status, &out);
		ck_assert_msg(strstr(err, "not a whole number of words") != NULL, "said \"%s\"", err);
	}
}
END_TEST

/* The message may be cut or unwanted; the status stays. */
START_TEST(small_error_buffers)
{
	struct hlx_reflect out;
	char small[8] = "xxxxxxx";

	for (size_t size = 0; size <= sizeof small; size++)
		ck_assert_int_eq(hlx_spirv_reflect(plain_v10, 20, &out, size ? small : NULL, size), HLX_ENOTSUP);
	ck_assert_str_eq(small, "word 5:");
}
END_TEST

START_TEST(truncated)
{
	const struct module *m = &modules[_i];
	struct hlx_reflect out;

	for (size_t n = 0; n < m->n_words; n++)
		assert_refused(reflect(m->code, n, &out), &out);
	ck_assert_int_eq(reflect(m->code, m->n_words, &out), 0);
}
END_TEST

static uint64_t random_state;

static uint32_t random_u32(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

static void mutate(uint32_t *code, size_t n)
{
	static const uint32_t interesting[] = { 0, 1, 16, 255, 0x7fffffff, 0x80000000, UINT32_MAX, I(SpvOpTypeStruct, 3) };
	uint32_t *word = code + random_u32() % n;

	switch (random_u32() % 5) {
	case 0: *word = code[random_u32() % n]; break;
	case 1: *word = interesting[random_u32() % COUNT(interesting)]; break;
	case 2: *word += random_u32() % 9 - 4; break;
	default: ((uint8_t *)word)[random_u32() % 4] = (uint8_t)random_u32();
	}
}

START_TEST(mutated)
{
	const struct module *m = &modules[_i];
	struct hlx_reflect out;
	int accepted = 0, refused = 0;

	random_state = 0x9e3779b97f4a7c15u + (uint64_t)_i;
	for (int i = 0; i < 4000; i++) {
		uint32_t *code = fenced(m->code, m->n_words);
		for (uint32_t changes = 1 + random_u32() % 6; changes; changes--)
			mutate(code, m->n_words);
		err[0] = 0;
		if (hlx_spirv_reflect(code, m->n_words * 4, &out, err, sizeof err)) {
			assert_refused(HLX_EINVAL, &out);
			refused++;
			continue;
		}
		accepted++;
		ck_assert(out.n_bindings <= HLX_MAX_BINDINGS && out.n_spec <= HLX_MAX_SPEC);
		ck_assert(out.n_capability <= HLX_MAX_CAPABILITIES && memchr(out.entry, 0, sizeof out.entry));
	}
	ck_assert_msg(accepted > 100 && refused > 100, "%d accepted, %d refused", accepted, refused);
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

/* ---- hlx-spirv ---- */

static char dir[] = "/tmp/check_spirv.XXXXXX";
static char path_in[64], path_out[64], path_again[64], path_header[64], path_err[64];

static void setup_dir(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path_in, sizeof path_in, "%s/in-1.comp.spv", dir);
	snprintf(path_out, sizeof path_out, "%s/out.spv", dir);
	snprintf(path_again, sizeof path_again, "%s/again.raw", dir);
	snprintf(path_header, sizeof path_header, "%s/out.h", dir);
	snprintf(path_err, sizeof path_err, "%s/err", dir);
}

static void teardown_dir(void)
{
	char *const made[] = { path_in, path_out, path_again, path_header, path_err };

	for (size_t i = 0; i < COUNT(made); i++)
		remove(made[i]);
	ck_assert_msg(rmdir(dir) == 0, "%s holds a file that hlx-spirv left", dir);
	strcpy(dir, "/tmp/check_spirv.XXXXXX");
}

static int shell(const char *command)
{
	int status = system(command);

	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The program's exit status; what it said is in path_err. */
__attribute__((format(printf, 1, 2)))
static int tool(const char *fmt, ...)
{
	const char *program = getenv("HLX_SPIRV"), *build_dir = getenv("top_builddir");
	char args[512], command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args, sizeof args, fmt, ap);
	va_end(ap);
	snprintf(command, sizeof command, "'%s%s' %s >'%s' 2>&1", program ? program : build_dir ? build_dir : ".",
			program ? "" : "/hlx-spirv", args, path_err);
	return shell(command);
}

static void save(const char *path, const void *data, size_t bytes)
{
	FILE *f = fopen(path, "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, bytes, f), bytes);
	ck_assert_int_eq(fclose(f), 0);
}

/* At most room bytes, and a 0 behind them. */
static size_t load(const char *path, void *data, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t bytes;

	ck_assert_msg(f != NULL, "no %s", path);
	bytes = fread(data, 1, room, f);
	ck_assert_uint_lt(bytes, room);
	((char *)data)[bytes] = 0;
	fclose(f);
	return bytes;
}

/* By number, so as not to believe the list under test: FAdd FSub FMul FDiv FRem FMod, VectorTimesScalar to Dot. */
static bool rounds(uint32_t op)
{
	return op == 129 || op == 131 || op == 133 || op == 136 || (op >= 140 && op <= 148);
}

struct tally { int floats, decorated, decorations, functions; };

static struct tally count_floats(const uint32_t *code, size_t n)
{
	static uint8_t marks[4096];
	struct tally t = { 0 };
	bool fresh = false; /* in a function with no float operation yet */

	memset(marks, 0, sizeof marks);
	for (size_t at = 5; at < n; at += code[at] >> 16) {
		uint32_t op = code[at] & 0xffff;
		fresh |= op == SpvOpFunction;
		if (op == SpvOpDecorate && code[at + 2] == SpvDecorationNoContraction) {
			ck_assert_uint_lt(code[at + 1], sizeof marks);
			marks[code[at + 1]]++;
			t.decorations++;
		} else if (rounds(op)) {
			t.floats++;
			t.decorated += marks[code[at + 2]] == 1;
			t.functions += fresh;
			fresh = false;
		}
	}
	return t;
}

static void validate(const char *path)
{
	char command[256];

	if (shell("command -v spirv-val >/dev/null 2>&1"))
		return;
	snprintf(command, sizeof command, "spirv-val --target-env vulkan1.2 '%s'", path);
	ck_assert_int_eq(shell(command), 0);
}

/* What was there is still there, in order: only the decorations are new, and they stand together. */
static void assert_only_added(const struct module *m, const uint32_t *code, size_t n)
{
	size_t added = n - m->n_words, same = 0;

	while (same < m->n_words && code[same] == m->code[same])
		same++;
	if (added == 0)
		ck_assert_uint_eq(same, n);
	else /* the first added word may equal the one it displaced */
		ck_assert_mem_eq(code + same + added, m->code + same, (m->n_words - same) * 4);
}

START_TEST(decorated)
{
	const struct module *m = &modules[_i];
	static uint32_t code[16384], again[16384];
	struct tally before = count_floats(m->code, m->n_words), after;
	struct hlx_reflect r, r_out;
	size_t bytes;

	save(path_in, m->code, m->n_words * 4);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 0);
	bytes = load(path_out, code, sizeof code);
	after = count_floats(code, bytes / 4);
	ck_assert_int_eq(after.floats, before.floats);
	ck_assert_int_eq(after.decorated, after.floats);
	ck_assert_int_eq(after.decorations - before.decorations, before.floats - before.decorated);
	ck_assert_uint_eq(bytes / 4, m->n_words + 3 * (size_t)(after.decorations - before.decorations));
	assert_only_added(m, code, bytes / 4);
	validate(path_out);
	ck_assert_int_eq(reflect(m->code, m->n_words, &r), 0);
	ck_assert_int_eq(reflect(code, bytes / 4, &r_out), 0);
	ck_assert_mem_eq(&r, &r_out, sizeof r);

	ck_assert_int_eq(tool("--binary '%s' -o '%s'", path_out, path_again), 0);
	ck_assert_uint_eq(load(path_again, again, sizeof again), bytes);
	ck_assert_mem_eq(again, code, bytes);
}
END_TEST

START_TEST(ops_are_what_they_test)
{
	struct tally t = count_floats(ops_v15, COUNT(ops_v15));

	ck_assert_int_ge(t.floats, 18);
	ck_assert_int_ge(t.functions, 3);
	ck_assert_int_gt(t.decorated, 0); /* the precise ones */
	ck_assert_int_lt(t.decorated, t.floats);
}
END_TEST

/* Each operation, whatever compilers write today; and none of the others, the integer ones and FNegate among them. */
START_TEST(every_operation)
{
	uint32_t w[5 * 40], in[1024];
	static uint32_t out[1024];
	struct words body = { w, 0 };
	struct planted p = { 0 };
	struct tally t;
	size_t n;

	for (uint32_t op = 126; op < 160; op++)
		body.n = append(w, body.n, (struct words)W(I(op, 5), FLOAT, op - 90, ONE, ONE));
	p.body = body;
	n = build(in, &p);
	save(path_in, in, n * 4);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 0);
	ck_assert_uint_eq(load(path_out, out, sizeof out), (n + 3 * 13) * 4);
	t = count_floats(out, n + 3 * 13);
	ck_assert_int_eq(t.decorated, 13);
	ck_assert_int_eq(t.decorations, 13);
}
END_TEST

/* A module without one annotation: the decoration goes before the types. */
START_TEST(no_annotations)
{
	const struct words parts[] = {
		W(0x07230203, 0x00010300, 0, 20, 0, I(SpvOpCapability, 2), SpvCapabilityShader, I(SpvOpMemoryModel, 3), 0, 1,
			ENTRY(GLCompute, FN), I(SpvOpExecutionMode, 6), FN, SpvExecutionModeLocalSize, 1, 1, 1),
		W(I(SpvOpTypeVoid, 2), VOID, I(SpvOpTypeFunction, 3), FN_TYPE, VOID, I(SpvOpTypeFloat, 3), FLOAT, 32,
			I(SpvOpConstant, 4), FLOAT, ONE, 0x3f800000, I(SpvOpFunction, 5), VOID, FN, 0, FN_TYPE,
			I(SpvOpLabel, 2), LABEL, I(SpvOpFAdd, 5), FLOAT, 12, ONE, ONE, I(SpvOpReturn, 1), I(SpvOpFunctionEnd, 1)),
	};
	uint32_t in[1024], out[1024];
	size_t head = append(in, 0, parts[0]), n = append(in, head, parts[1]);

	save(path_in, in, n * 4);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 0);
	ck_assert_uint_eq(load(path_out, out, sizeof out), (n + 3) * 4);
	ck_assert_mem_eq(out + head, ((const uint32_t[]){ DECO(12, NoContraction) }), 12);
	ck_assert_mem_eq(out + head + 3, in + head, (n - head) * 4);
	validate(path_out);
}
END_TEST

START_TEST(header_text)
{
	static const char *const forms[] = { "--name my_kernel", "" }, *const names[] = { "my_kernel", "in_1_spv" };
	static char text[65536], want[128];
	static uint32_t code[8192];
	size_t n = 0, n_code;
	char *s;

	save(path_in, ops_v15, sizeof ops_v15);
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_out), 0);
	n_code = load(path_out, code, sizeof code) / 4;
	ck_assert_int_eq(tool("%s '%s' -o '%s'", forms[_i], path_in, path_header), 0);
	load(path_header, text, sizeof text);
	snprintf(want, sizeof want, "\nstatic const uint32_t %s[] = {\n\t0x07230203, ", names[_i]);
	ck_assert_msg(strstr(text, want) != NULL, "header begins\n%.200s", text);
	for (s = strchr(text, '{'); (s = strstr(s, "0x")) != NULL; n++) {
		ck_assert_uint_lt(n, n_code);
		ck_assert_uint_eq(strtoul(s, &s, 16), code[n]);
	}
	ck_assert_uint_eq(n, n_code);
	ck_assert_str_eq(text + strlen(text) - 4, "\n};\n");
}
END_TEST

static void assert_says(const char *want)
{
	char text[4096];

	load(path_err, text, sizeof text);
	ck_assert_msg(strstr(text, want) != NULL, "said \"%s\", want \"%s\"", text, want);
}

static void assert_one_line(void)
{
	char text[4096];
	size_t n = load(path_err, text, sizeof text);

	ck_assert_msg(n > 0 && strchr(text, '\n') == text + n - 1, "said \"%s\"", text);
}

START_TEST(tool_usage)
{
	static const char *const bad[] = { "", "in.spv", "-o out.h", "a b -o c", "--nonsense", "--name 1a in -o out",
		"--name 'a b' in -o out", "in -o" };

	ck_assert_int_eq(tool("--help"), 0);
	assert_says("usage: hlx-spirv [--name SYMBOL] IN.spv -o OUT");
	for (size_t i = 0; i < COUNT(bad); i++) {
		ck_assert_msg(tool("%s", bad[i]) == 2, "hlx-spirv %s", bad[i]);
		assert_says("usage: hlx-spirv");
	}
}
END_TEST

/* A failed run keeps what OUT held. */
START_TEST(tool_input)
{
	static const struct { size_t bytes; const char *says; } cases[] = {
		{ 0, "0 bytes cannot be" }, { 7, "7 bytes cannot be" }, { 12, "ends inside its header" },
		{ sizeof ops_v10 - 8, "runs past the end" },
	};
	char held[64];

	save(path_header, "old", 3);
	for (size_t i = 0; i < COUNT(cases); i++) {
		save(path_in, ops_v10, cases[i].bytes);
		ck_assert_int_eq(tool("'%s' -o '%s'", path_in, path_header), 4);
		assert_says(path_in);
		assert_says(cases[i].says);
		assert_one_line();
	}
	ck_assert_int_eq(tool("'%s/none.spv' -o '%s'", dir, path_header), 4);
	assert_says("none.spv: No such file");
	ck_assert_int_eq(tool("'%s' -o '%s'", dir, path_header), 4);
	assert_says("not a regular file");
	load(path_header, held, sizeof held);
	ck_assert_str_eq(held, "old");
}
END_TEST

START_TEST(tool_output)
{
	save(path_in, ops_v10, sizeof ops_v10);
	ck_assert_int_eq(tool("'%s' -o '%s/none/out.h'", path_in, dir), 6);
	assert_one_line();
	ck_assert_int_eq(tool("'%s' -o '%s'", path_in, dir), 6); /* a folder of that name */
	assert_one_line();
}
END_TEST

static Suite *spirv_suite(void)
{
	Suite *s = suite_create("spirv");
	TCase *reading = tcase_create("reflect"), *program = tcase_create("hlx-spirv");

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
	tcase_add_test(reading, headers);
	tcase_add_test(reading, small_error_buffers);
	tcase_add_loop_test(reading, truncated, 0, COUNT(modules));
	tcase_add_loop_test(reading, mutated, 0, COUNT(modules));
	tcase_add_test(reading, deep_structs);
	suite_add_tcase(s, reading);

	tcase_add_checked_fixture(program, setup_fence, NULL);
	tcase_add_checked_fixture(program, setup_dir, teardown_dir);
	tcase_set_timeout(program, 60);
	tcase_add_loop_test(program, decorated, 0, COUNT(modules));
	tcase_add_test(program, ops_are_what_they_test);
	tcase_add_test(program, every_operation);
	tcase_add_test(program, no_annotations);
	tcase_add_loop_test(program, header_text, 0, 2);
	tcase_add_test(program, tool_usage);
	tcase_add_test(program, tool_input);
	tcase_add_test(program, tool_output);
	suite_add_tcase(s, program);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(spirv_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
