/* pipeline.h - kernels: reflected when first named, compiled when a program wants them, cached on disk.  [main] */
#ifndef HLX_CORE_PIPELINE_H
#define HLX_CORE_PIPELINE_H

#include "core/vulkan/device.h"
#include "core/spirv/spirv.h"

struct hlx_pipeline {
	const struct hlx_shader *shader;
	struct hlx_reflect reflect;
	uint32_t spec[HLX_MAX_SPEC], n_spec;
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkPipeline vk; /* NULL until built */
	bool linted;
};

int hlx_pipelines_create(struct hlx_device *, struct hlx_pipelines **out);
void hlx_pipelines_destroy(struct hlx_pipelines *); /* writes the cache to disk, where it can */
/* lint: refuses what lint.h refuses. */
int hlx_pipelines_get(struct hlx_pipelines *, const struct hlx_shader *, const uint32_t *spec, uint32_t n_spec, bool lint,
		struct hlx_pipeline **out);
/* [any] on distinct pipelines */
int hlx_pipeline_build(struct hlx_pipelines *, struct hlx_pipeline *);

/* cache.c: files that belong to this device and driver; load: NULL, 0 where there is none that is whole */
void hlx_cache_load(struct hlx_device *, const char *kind, void **data, size_t *size);
void hlx_cache_store(struct hlx_device *, const char *kind, const void *data, size_t size);
void hlx_cache_read(struct hlx_device *, void **data, size_t *size); /* NULL, 0 where there is none that fits */
void hlx_cache_write(struct hlx_device *, const void *data, size_t size);

#endif
