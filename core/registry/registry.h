/* registry.h - the registry as the rest of the core sees it. */
#ifndef HLX_CORE_REGISTRY_H
#define HLX_CORE_REGISTRY_H

#include "core/error.h"

struct hlx_core_host;

#define HLX_MAX_ATTRS 256 /* of an op */

/* Members that came later: a plugin made before them has a smaller struct. */
#define HLX_LATER(s, member) \
	((s)->struct_size >= offsetof(__typeof__(*(s)), member) + sizeof((s)->member) ? (s)->member : 0)

/* From now on what is there stays: an op or implementation of the same name, from a later plugin, is left out. */
void hlx_registry_shadow(struct hlx_registry *);
/* A plugin that is part of the core; file: what to call it. */
int hlx_registry_add(struct hlx_registry *, const struct hlx_plugin *, const char *file);
const struct hlx_op *hlx_registry_op_of_kind(const struct hlx_registry *, enum hlx_kind);
size_t hlx_registry_op_names(const struct hlx_registry *, const char **out, size_t room);
/* The implementation for node: the named one, or the one of highest priority among those that support it on host's
 * device (all do while there is no device).  Of tier portable, unless mode is HLX_DEVICE. */
int hlx_registry_choose(const struct hlx_registry *, const struct hlx_host *, const struct hlx_node *, const char *op,
		const char *named, enum hlx_tier mode, const struct hlx_impl **out);
/* What a plugin whose ABI words are ours holds, after its init(); path: its file. */
int hlx_registry_add(struct hlx_registry *, const struct hlx_plugin *, const char *path);
/* The plugin's file, or NULL. */
const char *hlx_registry_file(const struct hlx_registry *, const void *op_or_impl);
int hlx_registry_has_impl(const struct hlx_registry *, const char *op, const char *named);
/* The host without a device, for infer(). */
struct hlx_core_host *hlx_registry_host(struct hlx_registry *);

#endif
