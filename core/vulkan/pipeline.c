/* pipeline.c - from an op's shader to a VkPipeline, once for each shader and its specialization. */
#include "core/vulkan/pipeline.h"

#include "core/spirv/lint.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <spirv/unified1/spirv.h>

#define CAPABILITY_COOPERATIVE_MATRIX 6022 /* newer than some headers in use */

struct hlx_pipelines {
	struct hlx_device *dev;
	struct hlx_pipeline **pipeline; /* pointers: plugins hold them */
	uint32_t n;
	VkPipelineCache cache;
	atomic_bool built; /* something new is in the cache */
};

int hlx_pipelines_create(struct hlx_device *dev, struct hlx_pipelines **out)
{
	struct hlx_pipelines *p = calloc(1, sizeof(*p));
	VkPipelineCacheCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO };
	void *data;
	VkResult r;

	if (!p)
		return hlx_no_memory();
	p->dev = dev;
	hlx_cache_read(dev, &data, &info.initialDataSize);
	info.pInitialData = data;
	r = vkCreatePipelineCache(dev->vk, &info, NULL, &p->cache);
	free(data);
	if (r) {
		free(p);
		return hlx_vk_fail(r, "vkCreatePipelineCache");
	}
	*out = p;
	return 0;
}

static void save(struct hlx_pipelines *p)
{
	size_t size = 0;
	void *data;

	if (!p->built || vkGetPipelineCacheData(p->dev->vk, p->cache, &size, NULL) || !(data = malloc(size)))
		return;
	if (!vkGetPipelineCacheData(p->dev->vk, p->cache, &size, data))
		hlx_cache_write(p->dev, data, size);
	free(data);
}

void hlx_pipelines_destroy(struct hlx_pipelines *p)
{
	if (!p)
		return;
	save(p);
	for (uint32_t i = 0; i < p->n; i++) {
		vkDestroyPipeline(p->dev->vk, p->pipeline[i]->vk, NULL);
		vkDestroyPipelineLayout(p->dev->vk, p->pipeline[i]->layout, NULL);
		vkDestroyDescriptorSetLayout(p->dev->vk, p->pipeline[i]->set_layout, NULL);
		free(p->pipeline[i]);
	}
	vkDestroyPipelineCache(p->dev->vk, p->cache, NULL);
	free(p->pipeline);
	free(p);
}

static uint32_t local_size(const struct hlx_pipeline *p, int axis)
{
	for (uint32_t i = 0; i < p->n_spec; i++)
		if (p->reflect.local_spec[axis] == (int32_t)i)
			return p->spec[i];
	return p->reflect.local[axis];
}

/* Of what SPIR-V can ask for, what a device is opened with (device.c). */
static int check_capabilities(const struct hlx_caps *caps, const struct hlx_pipeline *p)
{
	const struct hlx_reflect *r = &p->reflect;

	for (uint32_t i = 0; i < r->n_capability; i++) {
		bool enabled = false;
		switch (r->capability[i]) {
		case SpvCapabilityInt64: enabled = caps->int64; break;
		case SpvCapabilityFloat16: enabled = caps->fp16; break;
		case SpvCapabilityInt8: enabled = caps->int8; break;
		case CAPABILITY_COOPERATIVE_MATRIX:
		case SpvCapabilityVulkanMemoryModel: enabled = caps->coopmat; break;
		case SpvCapabilityGroupNonUniformShuffle:
		case SpvCapabilityGroupNonUniformShuffleRelative: enabled = caps->shuffle; break;
		case SpvCapabilityMatrix:
		case SpvCapabilityShader:
		case SpvCapabilitySampledBuffer:
		case SpvCapabilityGroupNonUniform:
		case SpvCapabilityGroupNonUniformVote:
		case SpvCapabilityGroupNonUniformArithmetic:
		case SpvCapabilityGroupNonUniformBallot: enabled = true; break;
		}
		if (!enabled)
			return hlx_fail(HLX_ENOTSUP, "%s.comp: needs SPIR-V capability %u, which the device lacks or hlx does "
					"not enable", p->shader->name, r->capability[i]);
	}
	return 0;
}

/* What the module says, against what the device can do. */
static int check(const struct hlx_device *dev, const struct hlx_pipeline *p)
{
	const struct hlx_caps *caps = &dev->info.caps;
	const struct hlx_reflect *r = &p->reflect;
	uint64_t threads = (uint64_t)local_size(p, 0) * local_size(p, 1) * local_size(p, 2);

	if (!threads || threads > caps->max_invocations)
		return hlx_fail(HLX_ENOTSUP, "%s.comp: a workgroup of %llu invocations, the device takes 1 to %u",
				p->shader->name, (unsigned long long)threads, caps->max_invocations);
	if (r->push_bytes > caps->push_bytes)
		return hlx_fail(HLX_ENOTSUP, "%s.comp: %u bytes of push constants, the device takes %u", p->shader->name,
				r->push_bytes, caps->push_bytes);
	HLX_TRY(check_capabilities(caps, p));
	for (uint32_t i = 0; i < p->n_spec; i++) {
		bool known = false;
		for (uint32_t j = 0; j < r->n_spec; j++)
			known |= r->spec_id[j] == i;
		if (!known)
			return hlx_fail(HLX_EPLUGIN, "%s.comp: has no specialization constant %u", p->shader->name, i);
	}
	return 0;
}

static int lint_once(struct hlx_pipeline *p)
{
	char err[512];

	if (p->linted)
		return 0;
	if (hlx_lint(p->shader->code, p->shader->size, err, sizeof(err)) < 0)
		return hlx_fail(HLX_EPLUGIN, "%s.comp: not portable: %s", p->shader->name, err);
	p->linted = true;
	return 0;
}

int hlx_pipelines_get(struct hlx_pipelines *ps, const struct hlx_shader *shader, const uint32_t *spec, uint32_t n_spec,
		bool lint, struct hlx_pipeline **out)
{
	struct hlx_pipeline *p, **grown;
	char err[256];
	int status;

	for (uint32_t i = 0; i < ps->n; i++) {
		p = ps->pipeline[i];
		if (p->shader == shader && p->n_spec == n_spec && (!n_spec || !memcmp(p->spec, spec, n_spec * sizeof(*spec)))) {
			*out = p;
			return lint ? lint_once(p) : 0;
		}
	}
	if (n_spec > HLX_MAX_SPEC)
		return hlx_fail(HLX_EPLUGIN, "%s.comp: %u specialization constants, at most %d", shader->name, n_spec,
				HLX_MAX_SPEC);
	if (!(grown = realloc(ps->pipeline, (ps->n + 1) * sizeof(*grown))))
		return hlx_no_memory();
	ps->pipeline = grown;
	if (!(p = calloc(1, sizeof(*p))))
		return hlx_no_memory();
	p->shader = shader;
	p->n_spec = n_spec;
	for (uint32_t i = 0; i < n_spec; i++)
		p->spec[i] = spec[i];
	status = hlx_spirv_reflect(shader->code, shader->size, &p->reflect, err, sizeof(err));
	status = status < 0 ? hlx_fail(HLX_EPLUGIN, "%s.comp: %s", shader->name, err) : check(ps->dev, p);
	if (status >= 0 && lint)
		status = lint_once(p);
	if (status < 0) {
		free(p);
		return status;
	}
	ps->pipeline[ps->n++] = *out = p;
	return 0;
}

static int build_layouts(struct hlx_device *dev, struct hlx_pipeline *p)
{
	static const VkDescriptorType type[] = { [HLX_BIND_SSBO] = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		[HLX_BIND_UBO] = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, [HLX_BIND_TEXEL] = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER };
	VkDescriptorSetLayoutBinding b[HLX_MAX_BINDINGS] = { 0 };
	VkDescriptorSetLayoutCreateInfo set = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = p->reflect.n_bindings, .pBindings = b };
	VkPushConstantRange range = { VK_SHADER_STAGE_COMPUTE_BIT, 0, (p->reflect.push_bytes + 3) / 4 * 4 };
	VkPipelineLayoutCreateInfo layout = { .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 1,
		.pSetLayouts = &p->set_layout, .pushConstantRangeCount = range.size ? 1 : 0, .pPushConstantRanges = &range };
	VkResult r;

	for (uint32_t i = 0; i < p->reflect.n_bindings; i++)
		b[i] = (VkDescriptorSetLayoutBinding){ p->reflect.binding[i].binding, type[p->reflect.binding[i].kind], 1,
			VK_SHADER_STAGE_COMPUTE_BIT, NULL };
	if ((r = vkCreateDescriptorSetLayout(dev->vk, &set, NULL, &p->set_layout)))
		return hlx_vk_fail(r, "vkCreateDescriptorSetLayout");
	if ((r = vkCreatePipelineLayout(dev->vk, &layout, NULL, &p->layout)))
		return hlx_vk_fail(r, "vkCreatePipelineLayout");
	return 0;
}

static int build_pipeline(struct hlx_pipelines *ps, struct hlx_pipeline *p, VkShaderModule module)
{
	VkSpecializationMapEntry entry[HLX_MAX_SPEC];
	VkSpecializationInfo spec = { p->n_spec, entry, p->n_spec * sizeof(uint32_t), p->spec };
	VkPipelineShaderStageRequiredSubgroupSizeCreateInfo lanes = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
		.requiredSubgroupSize = ps->dev->info.caps.subgroup };
	VkComputePipelineCreateInfo info = { .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO, .layout = p->layout,
		.stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, .stage = VK_SHADER_STAGE_COMPUTE_BIT,
			.module = module, .pName = p->reflect.entry, .pSpecializationInfo = &spec } };
	VkResult r;

	for (uint32_t i = 0; i < p->n_spec; i++)
		entry[i] = (VkSpecializationMapEntry){ i, i * 4, 4 };
	if (p->shader->subgroup && ps->dev->size_control) {
		info.stage.pNext = &lanes;
		if (local_size(p, 0) % ps->dev->info.caps.subgroup == 0)
			info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT;
	}
	r = vkCreateComputePipelines(ps->dev->vk, ps->cache, 1, &info, NULL, &p->vk);
	return r ? hlx_vk_fail(r, p->shader->name) : 0;
}

int hlx_pipeline_build(struct hlx_pipelines *ps, struct hlx_pipeline *p)
{
	VkShaderModuleCreateInfo info = { .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.codeSize = p->shader->size, .pCode = p->shader->code };
	VkShaderModule module;
	VkResult r;
	int status;

	if (p->vk)
		return 0;
	HLX_TRY(build_layouts(ps->dev, p));
	if ((r = vkCreateShaderModule(ps->dev->vk, &info, NULL, &module)))
		return hlx_vk_fail(r, "vkCreateShaderModule");
	status = build_pipeline(ps, p, module);
	vkDestroyShaderModule(ps->dev->vk, module, NULL);
	ps->built = true;
	return status;
}
