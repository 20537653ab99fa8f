/*
 * core/spirv/spirv_vars.h - bindings and push constants out of a module's variables, for spirv.c.
 * Memory, threads, errors: as in spirv_walk.h.
 */
#ifndef HLX_CORE_SPIRV_VARS_H
#define HLX_CORE_SPIRV_VARS_H
#include "core/spirv/spirv.h"
#include "core/spirv/spirv_types.h"

/* Refuses a storage class that a buffer could hide behind; in is the pointer type or variable that names it. */
int hlx_spirv_vars_check_class(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *in, uint32_t class);
/* Adds what a global variable stands for to out's bindings or push bytes; the types must have been measured. */
int hlx_spirv_vars_read(const struct hlx_spirv_types *t, const struct hlx_spirv_inst *in, struct hlx_reflect *out);
#endif
