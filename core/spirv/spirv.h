/*
 * core/spirv/spirv.h - what one compute SPIR-V module says about itself: its bindings, who reads and writes them, its push
 * constants, its workgroup size.  The core believes this and nothing else about a kernel.
 *
 * A module may come from anyone: see spirv_walk.h for what that costs.  Operands inside function bodies are not
 * checked (bar result ids, types and callees); that is the business of spirv-val and of the lint.
 *
 * Memory:  everything is copied into *out; memory taken meanwhile is in proportion to the module.
 * Threads: [any].
 * Errors:  0 or a negative hlx_status, HLX_EINVAL for a broken module, HLX_ENOTSUP for one hlx cannot run.  The
 *          message is one line, "word N: ...", N a word offset in the module.  *out is then all zeros.
 */
#ifndef HLX_CORE_SPIRV_H
#define HLX_CORE_SPIRV_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HLX_MAX_BINDINGS 16
#define HLX_MAX_BINDING_NUMBER 255 /* drivers size their tables by the highest number, not by the count */
#define HLX_MAX_SPEC 16
#define HLX_MAX_CAPABILITIES 32

enum hlx_binding_kind { HLX_BIND_SSBO = 1, HLX_BIND_UBO, HLX_BIND_TEXEL };

struct hlx_binding {
	uint32_t set, binding;
	enum hlx_binding_kind kind;
	/* From NonReadable and NonWritable on the variable or on all of the block's members; neither: both true.  Texel
	 * and uniform buffers are read only.  Both false: the kernel asks for the length alone. */
	bool read, write;
	uint32_t elem_bytes; /* array stride of the block's runtime array, 0 if it has none */
};

struct hlx_reflect {
	/* Sorted by (set, binding).  Variables on one binding (float[] and vec4[] views of a buffer) are merged: access
	 * is the union, elem_bytes the smallest that is not 0. */
	uint32_t n_bindings;
	struct hlx_binding binding[HLX_MAX_BINDINGS];
	/* Where the last member of the push-constant block ends, not rounded; 0 without a block.  Arrays and matrices take
	 * their stride for every element, as in std430. */
	uint32_t push_bytes;
	uint32_t local[3];     /* with default specialization constants */
	int32_t local_spec[3]; /* the SpecId that sets it, or -1 */
	uint32_t n_spec, spec_id[HLX_MAX_SPEC]; /* ascending; each is one 32-bit word, booleans included */
	/* As the module gives them, less repetitions: whether the device has them is the device's to say. */
	uint32_t n_capability, capability[HLX_MAX_CAPABILITIES];
	bool uses_subgroup, int64, float16, float64, int16, int8; /* from the capabilities */
	char entry[64];
};

int hlx_spirv_reflect(const uint32_t *code, size_t bytes, struct hlx_reflect *out, char *err, size_t err_size);
#endif
