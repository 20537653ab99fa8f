/*
 * core/spirv/spirv_types.h - the types, constants and decorations of one SPIR-V module, for spirv.c.
 *
 * A type is measured when the walk meets it, from types measured before it.  Nothing recurses, so a struct of structs
 * of structs costs no more than its words; what is used before it is declared has no size.
 *
 * Memory, threads, errors: as in spirv_walk.h.
 */
#ifndef HLX_CORE_SPIRV_TYPES_H
#define HLX_CORE_SPIRV_TYPES_H
#include "core/spirv/spirv_walk.h"

struct hlx_spirv_types {
	struct hlx_spirv_iter it; /* at the first instruction */
	struct hlx_spirv_defs defs;
	struct hlx_spirv_decos decos;
	uint32_t *size; /* by place in defs: bytes in memory, 0 for what has none that can be known */
};

int hlx_spirv_types_init(struct hlx_spirv_types *t, const uint32_t *code, size_t bytes, char *err, size_t err_size);
void hlx_spirv_types_finish(struct hlx_spirv_types *t); /* also after a failed init */

/* The instruction that defines id; `at` names the user in the message. */
int hlx_spirv_types_find(const struct hlx_spirv_types *t, size_t at, uint32_t id, struct hlx_spirv_inst *in);
int hlx_spirv_types_measure(struct hlx_spirv_types *t, const struct hlx_spirv_inst *type);
uint32_t hlx_spirv_types_size(const struct hlx_spirv_types *t, uint32_t id);
/* Names the member that kept the block from having a size. */
int hlx_spirv_types_fail_size(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *block, const char *what);

bool hlx_spirv_types_is_block(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *type, uint32_t decoration);
/* samplerBuffer or textureBuffer; else *what says what it is, if that is known better than by the opcode. */
bool hlx_spirv_types_is_texel(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *type, const char **what);
/* A constant, specializable or not, of a 32-bit integer type: its (default) value is w[3]. */
bool hlx_spirv_types_is_word(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *constant);
int64_t hlx_spirv_types_spec_id(const struct hlx_spirv_types *t, uint32_t id); /* -1 if it has none */
const char *hlx_spirv_type_name(uint32_t op); /* with its article: "an image" */
#endif
