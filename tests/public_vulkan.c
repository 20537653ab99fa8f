#include "tests/public_vulkan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ARRAYS 8u
#define CANARY 64u
#define CHECK(call) check(call, #call)

struct storage {
	VkBuffer buffer;
	VkDeviceMemory memory;
	unsigned char *map;
};

struct pipeline {
	VkShaderModule module;
	VkDescriptorSetLayout set_layout;
	VkPipelineLayout layout;
	VkPipeline pipeline;
	VkDescriptorPool pool;
	VkDescriptorSet set;
};

static void check(VkResult r, const char *what)
{
	if (r == VK_SUCCESS)
		return;
	fprintf(stderr, "public_shaders: %s: %d\n", what, (int)r);
	exit(1);
}

static void fail(const char *path, const char *why)
{
	fprintf(stderr, "public_shaders: %s: %s\n", path, why);
	exit(1);
}

/* -- the device -------------------------------------------------------------------------------------------- */

static uint32_t compute_family(VkPhysicalDevice p)
{
	VkQueueFamilyProperties family[16];
	uint32_t n = 16;

	vkGetPhysicalDeviceQueueFamilyProperties(p, &n, family);
	for (uint32_t i = 0; i < n; i++)
		if (family[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
			return i;
	fail("device 0", "no compute queue");
	return 0;
}

void vulkan_open(struct vulkan *v)
{
	const VkApplicationInfo app = { .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_2 };
	const VkInstanceCreateInfo instance = { .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &app };
	const float priority = 1;
	VkDeviceQueueCreateInfo queue = { .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1,
		.pQueuePriorities = &priority };
	const VkDeviceCreateInfo device = { .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue };
	VkCommandPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO };
	uint32_t one = 1;
	VkResult r;

	CHECK(vkCreateInstance(&instance, NULL, &v->instance));
	r = vkEnumeratePhysicalDevices(v->instance, &one, &v->physical);
	if ((r != VK_SUCCESS && r != VK_INCOMPLETE) || one != 1)
		fail("Vulkan", "no device");
	queue.queueFamilyIndex = pool.queueFamilyIndex = compute_family(v->physical);
	CHECK(vkCreateDevice(v->physical, &device, NULL, &v->device));
	vkGetDeviceQueue(v->device, queue.queueFamilyIndex, 0, &v->queue);
	CHECK(vkCreateCommandPool(v->device, &pool, NULL, &v->pool));
	vkGetPhysicalDeviceMemoryProperties(v->physical, &v->memory);
}

void vulkan_close(struct vulkan *v)
{
	vkDestroyCommandPool(v->device, v->pool, NULL);
	vkDestroyDevice(v->device, NULL);
	vkDestroyInstance(v->instance, NULL);
}

/* -- buffers ----------------------------------------------------------------------------------------------- */

static uint32_t host_type(const struct vulkan *v, uint32_t bits)
{
	const VkMemoryPropertyFlags want = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

	for (uint32_t i = 0; i < v->memory.memoryTypeCount; i++)
		if ((bits >> i & 1) && (v->memory.memoryTypes[i].propertyFlags & want) == want)
			return i;
	fail("device 0", "no memory that the host sees");
	return 0;
}

static void make_storage(const struct vulkan *v, const struct array *a, struct storage *s)
{
	const VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = a->bytes + CANARY,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT };
	VkMemoryAllocateInfo allocate = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO };
	VkMemoryRequirements need;

	CHECK(vkCreateBuffer(v->device, &info, NULL, &s->buffer));
	vkGetBufferMemoryRequirements(v->device, s->buffer, &need);
	allocate.allocationSize = need.size;
	allocate.memoryTypeIndex = host_type(v, need.memoryTypeBits);
	CHECK(vkAllocateMemory(v->device, &allocate, NULL, &s->memory));
	CHECK(vkBindBufferMemory(v->device, s->buffer, s->memory, 0));
	CHECK(vkMapMemory(v->device, s->memory, 0, VK_WHOLE_SIZE, 0, (void **)&s->map));
	memcpy(s->map, a->data, a->bytes);
	memset(s->map + a->bytes, 0xa5, CANARY);
}

static void take_storage(const struct vulkan *v, const struct array *a, struct storage *s, const char *spv)
{
	memcpy(a->data, s->map, a->bytes);
	for (size_t i = 0; i < CANARY; i++)
		if (s->map[a->bytes + i] != 0xa5)
			fail(spv, "wrote past the end of a buffer");
	vkDestroyBuffer(v->device, s->buffer, NULL);
	vkFreeMemory(v->device, s->memory, NULL);
}

/* -- the shader -------------------------------------------------------------------------------------------- */

/* It may ask for nothing but plain compute shaders: OpCapability Shader. */
static void check_capabilities(const char *path, const uint32_t *code, size_t words)
{
	for (size_t i = 5; i < words && (code[i] & 0xffff) == 17; i += code[i] >> 16)
		if (code[i + 1] != 1)
			fail(path, "needs a capability that not every device has");
}

static void load_module(const struct vulkan *v, const char *path, VkShaderModule *out)
{
	uint32_t code[32768];
	VkShaderModuleCreateInfo info = { .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .pCode = code };
	FILE *f = fopen(path, "rb");

	if (!f)
		fail(path, "cannot be read");
	info.codeSize = fread(code, 1, sizeof(code), f);
	fclose(f);
	if (info.codeSize < 20 || info.codeSize == sizeof(code) || info.codeSize % 4 || code[0] != 0x07230203)
		fail(path, "is no SPIR-V");
	check_capabilities(path, code, info.codeSize / 4);
	CHECK(vkCreateShaderModule(v->device, &info, NULL, out));
}

static void make_layouts(const struct vulkan *v, uint32_t n, uint32_t push_bytes, struct pipeline *p)
{
	VkDescriptorSetLayoutBinding binding[MAX_ARRAYS];
	const VkDescriptorSetLayoutCreateInfo set = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = n, .pBindings = binding };
	const VkPushConstantRange range = { VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes };
	const VkPipelineLayoutCreateInfo layout = { .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = 1, .pSetLayouts = &p->set_layout, .pushConstantRangeCount = 1,
		.pPushConstantRanges = &range };

	for (uint32_t i = 0; i < n; i++)
		binding[i] = (VkDescriptorSetLayoutBinding){ i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
			VK_SHADER_STAGE_COMPUTE_BIT, NULL };
	CHECK(vkCreateDescriptorSetLayout(v->device, &set, NULL, &p->set_layout));
	CHECK(vkCreatePipelineLayout(v->device, &layout, NULL, &p->layout));
}

static void make_set(const struct vulkan *v, const struct storage *s, const struct array *a, uint32_t n,
		struct pipeline *p)
{
	const VkDescriptorPoolSize size = { VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, n };
	const VkDescriptorPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = 1,
		.poolSizeCount = 1, .pPoolSizes = &size };
	VkDescriptorSetAllocateInfo set = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorSetCount = 1, .pSetLayouts = &p->set_layout };

	CHECK(vkCreateDescriptorPool(v->device, &pool, NULL, &p->pool));
	set.descriptorPool = p->pool;
	CHECK(vkAllocateDescriptorSets(v->device, &set, &p->set));
	for (uint32_t i = 0; i < n; i++) {
		const VkDescriptorBufferInfo buffer = { s[i].buffer, 0, a[i].bytes };
		const VkWriteDescriptorSet write = { .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET, .dstSet = p->set,
			.dstBinding = i, .descriptorCount = 1, .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &buffer };
		vkUpdateDescriptorSets(v->device, 1, &write, 0, NULL);
	}
}

static void make_pipeline(const struct vulkan *v, const char *spv, struct pipeline *p)
{
	VkComputePipelineCreateInfo info = { .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO, .layout = p->layout,
		.stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			.stage = VK_SHADER_STAGE_COMPUTE_BIT, .pName = "main" } };

	load_module(v, spv, &p->module);
	info.stage.module = p->module;
	CHECK(vkCreateComputePipelines(v->device, VK_NULL_HANDLE, 1, &info, NULL, &p->pipeline));
}

static void destroy_pipeline(const struct vulkan *v, struct pipeline *p)
{
	vkDestroyDescriptorPool(v->device, p->pool, NULL);
	vkDestroyPipeline(v->device, p->pipeline, NULL);
	vkDestroyShaderModule(v->device, p->module, NULL);
	vkDestroyPipelineLayout(v->device, p->layout, NULL);
	vkDestroyDescriptorSetLayout(v->device, p->set_layout, NULL);
}

static void submit(const struct vulkan *v, const struct pipeline *p, const void *push, uint32_t push_bytes, uint32_t x,
		uint32_t y)
{
	const VkCommandBufferAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandPool = v->pool, .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 1 };
	const VkCommandBufferBeginInfo begin = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT };
	const VkMemoryBarrier to_host = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT, .dstAccessMask = VK_ACCESS_HOST_READ_BIT };
	VkCommandBuffer cmd;
	VkSubmitInfo submit = { .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1, .pCommandBuffers = &cmd };

	CHECK(vkAllocateCommandBuffers(v->device, &info, &cmd));
	CHECK(vkBeginCommandBuffer(cmd, &begin));
	vkCmdBindPipeline(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, p->pipeline);
	vkCmdBindDescriptorSets(cmd, VK_PIPELINE_BIND_POINT_COMPUTE, p->layout, 0, 1, &p->set, 0, NULL);
	vkCmdPushConstants(cmd, p->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes, push);
	vkCmdDispatch(cmd, x, y, 1);
	vkCmdPipelineBarrier(cmd, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &to_host, 0, NULL,
			0, NULL);
	CHECK(vkEndCommandBuffer(cmd));
	CHECK(vkQueueSubmit(v->queue, 1, &submit, VK_NULL_HANDLE));
	CHECK(vkQueueWaitIdle(v->queue));
	vkFreeCommandBuffers(v->device, v->pool, 1, &cmd);
}

void vulkan_run(const struct vulkan *v, const char *spv, const void *push, uint32_t push_bytes, const struct array *a,
		uint32_t n, uint32_t x, uint32_t y)
{
	struct storage s[MAX_ARRAYS];
	struct pipeline p;

	for (uint32_t i = 0; i < n; i++)
		make_storage(v, &a[i], &s[i]);
	make_layouts(v, n, push_bytes, &p);
	make_pipeline(v, spv, &p);
	make_set(v, s, a, n, &p);
	submit(v, &p, push, push_bytes, x, y);
	destroy_pipeline(v, &p);
	for (uint32_t i = 0; i < n; i++)
		take_storage(v, &a[i], &s[i], spv);
}
