/*
 * spirv_modules.h - modules for check_spirv, check_spirv_damage, check_decorate and check_matrix.
 *
 * They come from two places: tests/spirv/NAME.comp, compiled as SPIR-V 1.0 (NAME.v10.h, where a storage buffer is a
 * BufferBlock) and 1.5 (NAME.v15.h), and words planted into a minimal module, for what a compiler would not write.
 * Every module is read from memory that ends at a page nobody may touch, so that one word too far is a crash.
 */
#ifndef TESTS_SPIRV_MODULES_H
#define TESTS_SPIRV_MODULES_H

#include <check.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <spirv/unified1/spirv.h>

#include "core/spirv/spirv.h"
#include "core/spirv/spirv_walk.h"
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

static inline void setup_fence(void)
{
	char *map = mmap(NULL, 2 * FENCED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mprotect(map + FENCED_BYTES, FENCED_BYTES, PROT_NONE), 0);
	fence = map + FENCED_BYTES;
}

static inline uint32_t *fenced(const uint32_t *code, size_t n_words)
{
	ck_assert_uint_le(n_words * 4, FENCED_BYTES);
	return memcpy(fence - n_words * 4, code, n_words * 4);
}

static char err[256];

static inline int reflect(const uint32_t *code, size_t n_words, struct hlx_reflect *out)
{
	memset(out, 0xa5, sizeof *out);
	err[0] = 0;
	return hlx_spirv_reflect(fenced(code, n_words), n_words * 4, out, err, sizeof err);
}

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

static inline size_t append(uint32_t *code, size_t n, struct words words)
{
	ck_assert_uint_le(n + words.n, 1024);
	if (words.n)
		memcpy(code + n, words.w, words.n * 4);
	return n + words.n;
}

static inline size_t build(uint32_t code[1024], const struct planted *p)
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

/* A refusal says where, in one line, and leaves nothing behind. */
static inline void assert_refused(int status, const struct hlx_reflect *out)
{
	static const struct hlx_reflect nothing;

	ck_assert_msg(status == HLX_EINVAL || status == HLX_ENOTSUP, "status %d: %s", status, err);
	ck_assert_msg(!strncmp(err, "word ", 5) && isdigit((unsigned char)err[5]), "message: %s", err);
	ck_assert_msg(strlen(err) < sizeof err - 1 && !strchr(err, '\n'), "message: %s", err);
	ck_assert_mem_eq(out, &nothing, sizeof nothing);
}

#endif
