/* device.c - opening a device, and waiting for it. */
#include "core/vulkan/device.h"

#include <stdlib.h>
#include <string.h>

#include "core/check/verdict.h"
#include "core/vulkan/coopmat.h"
#include "core/vulkan/pipeline.h"

#define MAX_DEVICES 64u
#define SENT_AT_ONCE 16u

static int enumerate(struct hlx_device *dev, VkPhysicalDevice *physical, struct hlx_device_info *info, uint32_t *n)
{
	VkResult r;

	HLX_TRY(hlx_instance_create(dev));
	*n = MAX_DEVICES;
	r = vkEnumeratePhysicalDevices(dev->instance, n, physical);
	if (r && r != VK_INCOMPLETE)
		return hlx_vk_fail(r, "vkEnumeratePhysicalDevices");
	for (uint32_t i = 0; i < *n; i++)
		hlx_device_inspect(dev->instance, physical[i], i, &info[i]);
	return 0;
}

int hlx_device_list(struct hlx_device_info *out, uint32_t room, uint32_t *count)
{
	struct hlx_device probe = { 0 };
	VkPhysicalDevice physical[MAX_DEVICES];
	struct hlx_device_info *info = calloc(MAX_DEVICES, sizeof(*info));
	uint32_t chosen;
	int status = info ? enumerate(&probe, physical, info, count) : hlx_no_memory();

	if (status >= 0 && *count && hlx_device_choose(info, *count, NULL, &chosen) >= 0)
		info[chosen].chosen = true;
	for (uint32_t i = 0; status >= 0 && i < *count && i < room; i++)
		out[i] = info[i];
	hlx_instance_destroy(&probe);
	free(info);
	return status;
}

static int pick_family(struct hlx_device *dev)
{
	VkQueueFamilyProperties f[16];
	uint32_t n = 16;

	vkGetPhysicalDeviceQueueFamilyProperties(dev->physical, &n, f);
	for (uint32_t i = 0; i < n; i++)
		if (f[i].queueFlags & VK_QUEUE_COMPUTE_BIT) {
			dev->family = i;
			return 0;
		}
	return hlx_fail(HLX_EDEVICE, "%s has no compute queue", dev->info.name);
}

static bool has_extension(VkPhysicalDevice p, const char *name)
{
	VkExtensionProperties *e;
	uint32_t n = 0;
	bool found = false;

	vkEnumerateDeviceExtensionProperties(p, NULL, &n, NULL);
	if (!(e = calloc(n ? n : 1, sizeof(*e))))
		return false;
	vkEnumerateDeviceExtensionProperties(p, NULL, &n, e);
	for (uint32_t i = 0; i < n && !found; i++)
		found = !strcmp(e[i].extensionName, name);
	free(e);
	return found;
}

/* Subgroup size control: a kernel that shuffles must get the lanes it was specialized for. */
static bool offers_size_control(struct hlx_device *dev)
{
	VkPhysicalDeviceSubgroupSizeControlFeatures sc = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES };
	VkPhysicalDeviceFeatures2 f = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &sc };
	VkPhysicalDeviceSubgroupSizeControlProperties limits = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES };
	VkPhysicalDeviceProperties2 props = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &limits };

	if (dev->info.api < VK_API_VERSION_1_3 &&
			!has_extension(dev->physical, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME))
		return false;
	vkGetPhysicalDeviceFeatures2(dev->physical, &f);
	vkGetPhysicalDeviceProperties2(dev->physical, &props);
	return sc.subgroupSizeControl && sc.computeFullSubgroups &&
		(limits.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
		dev->info.caps.subgroup >= limits.minSubgroupSize && dev->info.caps.subgroup <= limits.maxSubgroupSize;
}

/* A subgroupBroadcast whose lane is no constant in the SPIR-V. */
static VkBool32 offers_dynamic_id(VkPhysicalDevice p)
{
	VkPhysicalDeviceVulkan12Features v12 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES };
	VkPhysicalDeviceFeatures2 f = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &v12 };

	vkGetPhysicalDeviceFeatures2(p, &f);
	return v12.subgroupBroadcastDynamicId;
}

static int create_logical(struct hlx_device *dev)
{
	const float priority = 1;
	const char *extension[3];
	VkPhysicalDeviceSubgroupSizeControlFeatures sc = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
		.subgroupSizeControl = VK_TRUE, .computeFullSubgroups = VK_TRUE };
	struct hlx_coopmat_features matrix = { .type = HLX_COOPMAT_FEATURES, .matrix = VK_TRUE };
	VkPhysicalDeviceVulkan12Features v12 = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
		.timelineSemaphore = VK_TRUE, .vulkanMemoryModel = dev->info.caps.coopmat,
		.subgroupBroadcastDynamicId = offers_dynamic_id(dev->physical),
		.shaderFloat16 = dev->info.caps.fp16, .shaderInt8 = dev->info.caps.int8 };
	VkPhysicalDeviceFeatures features = { .shaderInt64 = dev->info.caps.int64,
		.robustBufferAccess = dev->info.caps.cpu }; /* SwiftShader's heap is ours */
	VkDeviceQueueCreateInfo queue = { .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueFamilyIndex = dev->family, .queueCount = 1, .pQueuePriorities = &priority };
	VkDeviceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = &v12,
		.queueCreateInfoCount = 1, .pQueueCreateInfos = &queue, .ppEnabledExtensionNames = extension,
		.pEnabledFeatures = &features };
	VkResult r;

	dev->size_control = offers_size_control(dev);
	dev->budget = has_extension(dev->physical, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
	if (dev->size_control)
		v12.pNext = &sc;
	if (dev->info.caps.coopmat) {
		matrix.next = v12.pNext;
		v12.pNext = &matrix;
		extension[info.enabledExtensionCount++] = HLX_COOPMAT_EXTENSION;
	}
	if (dev->size_control && dev->info.api < VK_API_VERSION_1_3)
		extension[info.enabledExtensionCount++] = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME;
	if (dev->budget)
		extension[info.enabledExtensionCount++] = VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
	if ((r = vkCreateDevice(dev->physical, &info, NULL, &dev->vk)))
		return hlx_vk_fail(r, "vkCreateDevice");
	vkGetDeviceQueue(dev->vk, dev->family, 0, &dev->queue);
	return 0;
}

static int create_objects(struct hlx_device *dev)
{
	VkCommandPoolCreateInfo pool = { .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT, .queueFamilyIndex = dev->family };
	VkSemaphoreTypeCreateInfo type = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE };
	VkSemaphoreCreateInfo semaphore = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type };
	VkCommandBufferAllocateInfo cmd = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY, .commandBufferCount = 1 };
	VkResult r;

	if ((r = vkCreateCommandPool(dev->vk, &pool, NULL, &dev->pool)))
		return hlx_vk_fail(r, "vkCreateCommandPool");
	cmd.commandPool = dev->pool;
	if ((r = vkAllocateCommandBuffers(dev->vk, &cmd, &dev->transfer)))
		return hlx_vk_fail(r, "vkAllocateCommandBuffers");
	if ((r = vkCreateSemaphore(dev->vk, &semaphore, NULL, &dev->timeline)))
		return hlx_vk_fail(r, "vkCreateSemaphore");
	return hlx_pipelines_create(dev, &dev->host.pipelines);
}

static int open_physical(struct hlx_device *dev)
{
	VkPhysicalDeviceMaintenance3Properties m3 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES };
	VkPhysicalDeviceProperties2 props = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &m3 };
	const char *timeout = getenv("HLX_TIMEOUT");

	vkGetPhysicalDeviceMemoryProperties(dev->physical, &dev->memory);
	vkGetPhysicalDeviceProperties2(dev->physical, &props);
	dev->max_allocation = m3.maxMemoryAllocationSize / HLX_ALIGN * HLX_ALIGN;
	dev->host_memory = dev->info.caps.cpu && !getenv("HLX_STAGING"); /* the tests' way to the other branch */
	dev->timeout_s = timeout && atoi(timeout) > 0 ? (unsigned)atoi(timeout) : 600;
	hlx_host_init(&dev->host);
	dev->host.pub.caps = &dev->info.caps;
	HLX_TRY(pick_family(dev));
	HLX_TRY(create_logical(dev));
	HLX_TRY(create_objects(dev));
	return hlx_device_complaint(dev);
}

int hlx_device_open(const char *select, struct hlx_device **out)
{
	struct hlx_device *dev = calloc(1, sizeof(*dev));
	struct hlx_device_info *info = calloc(MAX_DEVICES, sizeof(*info));
	VkPhysicalDevice physical[MAX_DEVICES];
	uint32_t n = 0, chosen = 0;
	int status = dev && info ? enumerate(dev, physical, info, &n) : hlx_no_memory();

	if (status >= 0)
		status = hlx_device_choose(info, n, select, &chosen);
	if (status >= 0) {
		dev->info = info[chosen];
		dev->info.chosen = true;
		dev->physical = physical[chosen];
		status = open_physical(dev);
	}
	free(info);
	if (status < 0) {
		hlx_device_close(dev);
		return status;
	}
	*out = dev;
	return 0;
}

void hlx_device_close(struct hlx_device *dev)
{
	if (!dev)
		return;
	hlx_verdicts_destroy(dev->verdicts);
	if (dev->vk) {
		hlx_memory_finish(dev, &dev->staging);
		hlx_pipelines_destroy(dev->host.pipelines);
		vkDestroySemaphore(dev->vk, dev->timeline, NULL);
		vkDestroyCommandPool(dev->vk, dev->pool, NULL);
		vkDestroyDevice(dev->vk, NULL);
	}
	hlx_instance_destroy(dev);
	free(dev);
}

const struct hlx_device_info *hlx_device_describe(const struct hlx_device *dev)
{
	return &dev->info;
}

/* A step of a big model on a CPU driver may take minutes, so what counts is that command buffers still end. */
static int wait_progress(struct hlx_device *dev, uint64_t target)
{
	uint64_t done = 0, before = 0;
	VkSemaphoreWaitInfo wait = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO, .semaphoreCount = 1,
		.pSemaphores = &dev->timeline, .pValues = &target };

	for (unsigned idle = 0; idle <= dev->timeout_s; idle++) {
		VkResult r = vkWaitSemaphores(dev->vk, &wait, 1000000000ull);
		if (!r)
			return 0;
		if (r != VK_TIMEOUT)
			return hlx_vk_fail(r, "waiting for the device");
		if ((r = vkGetSemaphoreCounterValue(dev->vk, dev->timeline, &done)))
			return hlx_vk_fail(r, "waiting for the device");
		if (done != before)
			idle = 0;
		before = done;
	}
	return hlx_fail(HLX_EDEVICE, "%s has made no progress for %u s: it hangs, or HLX_TIMEOUT wants to be longer",
			dev->info.name, dev->timeout_s);
}

int hlx_device_send(struct hlx_device *dev, const VkCommandBuffer *cmd, uint32_t n)
{
	VkTimelineSemaphoreSubmitInfo timeline[SENT_AT_ONCE];
	VkSubmitInfo submit[SENT_AT_ONCE];
	uint64_t value[SENT_AT_ONCE];
	VkResult r;

	for (uint32_t i = 0, k; i < n; i += k) {
		for (k = 0; k < SENT_AT_ONCE && i + k < n; k++) { /* one signal each: a wait sees progress */
			value[k] = ++dev->timeline_value;
			timeline[k] = (VkTimelineSemaphoreSubmitInfo){ .signalSemaphoreValueCount = 1,
				.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO, .pSignalSemaphoreValues = &value[k] };
			submit[k] = (VkSubmitInfo){ .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .pNext = &timeline[k],
				.commandBufferCount = 1, .pCommandBuffers = &cmd[i + k], .signalSemaphoreCount = 1,
				.pSignalSemaphores = &dev->timeline };
		}
		if ((r = vkQueueSubmit(dev->queue, k, submit, VK_NULL_HANDLE))) {
			dev->timeline_value -= k; /* nobody signals these */
			return hlx_vk_fail(r, "vkQueueSubmit");
		}
	}
	return 0;
}

int hlx_device_wait_for(struct hlx_device *dev, uint64_t sent)
{
	if (dev->waited >= sent)
		return 0;
	HLX_TRY(wait_progress(dev, sent));
	dev->waited = sent;
	return hlx_device_complaint(dev);
}

int hlx_device_wait(struct hlx_device *dev)
{
	return hlx_device_wait_for(dev, dev->timeline_value);
}
