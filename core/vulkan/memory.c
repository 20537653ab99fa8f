/* memory.c - buffers with their memory, and the ways in and out of them. */
#include "core/vulkan/device.h"

#include <string.h>

#define STAGING_BYTES (16u << 20)

static uint64_t system_available(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib ? kib * 1024 : UINT64_MAX;
}

/* lavapipe names a heap of 2 GiB whatever the machine has, and grants what does not exist: there the system is asked. */
uint64_t hlx_memory_available(const struct hlx_device *dev)
{
	VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT };
	VkPhysicalDeviceMemoryProperties2 props = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2 };
	uint64_t best = 0;

	if (dev->info.caps.cpu)
		return system_available();
	if (dev->budget)
		props.pNext = &budget;
	vkGetPhysicalDeviceMemoryProperties2(dev->physical, &props);
	for (uint32_t i = 0; i < props.memoryProperties.memoryHeapCount; i++) {
		uint64_t size = props.memoryProperties.memoryHeaps[i].size, free = size;
		if (!(props.memoryProperties.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT))
			continue;
		if (dev->budget)
			free = budget.heapBudget[i] > budget.heapUsage[i] ? budget.heapBudget[i] - budget.heapUsage[i] : 0;
		best = free > best ? free : best;
	}
	return best;
}

static int find_type(const struct hlx_device *dev, uint32_t bits, VkMemoryPropertyFlags want, uint32_t *out)
{
	for (uint32_t i = 0; i < dev->memory.memoryTypeCount; i++)
		if ((bits >> i & 1) && (dev->memory.memoryTypes[i].propertyFlags & want) == want) {
			*out = i;
			return 0;
		}
	return HLX_EDEVICE;
}

static int pick_type(const struct hlx_device *dev, uint32_t bits, enum hlx_memory_use use, uint32_t *out)
{
	const VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
	const VkMemoryPropertyFlags seen = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	const VkMemoryPropertyFlags best[] = { [HLX_MEMORY_LOCAL] = local, [HLX_MEMORY_SHARED] = local | seen,
		[HLX_MEMORY_CACHED] = seen | VK_MEMORY_PROPERTY_HOST_CACHED_BIT };
	const VkMemoryPropertyFlags need = use == HLX_MEMORY_LOCAL ? 0 : seen;

	if (find_type(dev, bits, best[use], out) >= 0 || find_type(dev, bits, need, out) >= 0)
		return 0;
	return hlx_fail(HLX_EDEVICE, "%s has no %s memory", dev->info.name, need ? "host-visible" : "device");
}

static int allocate(struct hlx_device *dev, enum hlx_memory_use use, struct hlx_memory *m)
{
	VkMemoryRequirements need;
	VkMemoryAllocateInfo info = { .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO };
	VkResult r;

	vkGetBufferMemoryRequirements(dev->vk, m->buffer, &need);
	info.allocationSize = need.size;
	HLX_TRY(pick_type(dev, need.memoryTypeBits, use, &info.memoryTypeIndex));
	if ((r = vkAllocateMemory(dev->vk, &info, NULL, &m->memory)))
		return hlx_vk_fail(r, "vkAllocateMemory");
	if ((r = vkBindBufferMemory(dev->vk, m->buffer, m->memory, 0)))
		return hlx_vk_fail(r, "vkBindBufferMemory");
	if (use != HLX_MEMORY_LOCAL && (r = vkMapMemory(dev->vk, m->memory, 0, VK_WHOLE_SIZE, 0, (void **)&m->map)))
		return hlx_vk_fail(r, "vkMapMemory");
	return 0;
}

static int begin(struct hlx_device *dev)
{
	VkCommandBufferBeginInfo info = { .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT };
	VkMemoryBarrier all = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER, .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
		.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT };
	VkResult r = vkBeginCommandBuffer(dev->transfer, &info);

	if (r)
		return hlx_vk_fail(r, "vkBeginCommandBuffer");
	vkCmdPipelineBarrier(dev->transfer, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &all,
			0, NULL, 0, NULL);
	return 0;
}

static int end(struct hlx_device *dev)
{
	VkMemoryBarrier host = { .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT, .dstAccessMask = VK_ACCESS_HOST_READ_BIT };
	VkResult r;

	vkCmdPipelineBarrier(dev->transfer, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &host, 0, NULL,
			0, NULL);
	if ((r = vkEndCommandBuffer(dev->transfer)))
		return hlx_vk_fail(r, "vkEndCommandBuffer");
	HLX_TRY(hlx_device_send(dev, &dev->transfer, 1));
	return hlx_device_wait(dev);
}

int hlx_memory_create(struct hlx_device *dev, uint64_t size, enum hlx_memory_use use, struct hlx_memory *out)
{
	VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = (size + HLX_ALIGN - 1) / HLX_ALIGN * HLX_ALIGN + HLX_ALIGN, /* never empty */
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
			VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
			VK_BUFFER_USAGE_TRANSFER_DST_BIT };
	VkResult r;
	int status;

	*out = (struct hlx_memory){ .size = info.size };
	if (dev->host_memory && use == HLX_MEMORY_LOCAL)
		use = HLX_MEMORY_SHARED;
	if (info.size > dev->max_allocation)
		return hlx_fail(HLX_ENOMEM, "%s allocates at most %llu MiB at once, want %llu", dev->info.name,
				(unsigned long long)dev->max_allocation >> 20, (unsigned long long)info.size >> 20);
	if ((r = vkCreateBuffer(dev->vk, &info, NULL, &out->buffer)))
		return hlx_vk_fail(r, "vkCreateBuffer");
	if ((status = allocate(dev, use, out)) < 0) {
		hlx_memory_finish(dev, out);
		return status;
	}
	if (out->map) {
		memset(out->map, 0, info.size);
		return 0;
	}
	if ((status = begin(dev)) >= 0) {
		vkCmdFillBuffer(dev->transfer, out->buffer, 0, VK_WHOLE_SIZE, 0);
		status = end(dev);
	}
	if (status < 0)
		hlx_memory_finish(dev, out);
	return status;
}

void hlx_memory_finish(struct hlx_device *dev, struct hlx_memory *m)
{
	vkDestroyBuffer(dev->vk, m->buffer, NULL);
	vkFreeMemory(dev->vk, m->memory, NULL);
	*m = (struct hlx_memory){ 0 };
}

/* One staging buffer, as long as the device; half of it is enough for PCIe's full speed. */
static int staging(struct hlx_device *dev)
{
	return dev->staging.buffer ? 0 : hlx_memory_create(dev, STAGING_BYTES, HLX_MEMORY_CACHED, &dev->staging);
}

int hlx_memory_read(struct hlx_device *dev, const struct hlx_memory *m, uint64_t offset, uint64_t size, void *out)
{
	HLX_TRY(hlx_device_wait(dev));
	if (m->map) {
		memcpy(out, m->map + offset, size);
		return 0;
	}
	HLX_TRY(staging(dev));
	for (uint64_t done = 0, n; done < size; done += n) {
		n = size - done < STAGING_BYTES ? size - done : STAGING_BYTES;
		HLX_TRY(begin(dev));
		vkCmdCopyBuffer(dev->transfer, m->buffer, dev->staging.buffer, 1,
				&(VkBufferCopy){ .srcOffset = offset + done, .size = n });
		HLX_TRY(end(dev));
		memcpy((char *)out + done, dev->staging.map, n);
	}
	return 0;
}

int hlx_memory_write(struct hlx_device *dev, const struct hlx_memory *m, uint64_t offset, uint64_t size, const void *in)
{
	HLX_TRY(hlx_device_wait(dev));
	if (m->map) {
		memcpy(m->map + offset, in, size);
		return 0;
	}
	HLX_TRY(staging(dev));
	for (uint64_t done = 0, n; done < size; done += n) {
		n = size - done < STAGING_BYTES ? size - done : STAGING_BYTES;
		memcpy(dev->staging.map, (const char *)in + done, n);
		HLX_TRY(begin(dev));
		vkCmdCopyBuffer(dev->transfer, dev->staging.buffer, m->buffer, 1,
				&(VkBufferCopy){ .dstOffset = offset + done, .size = n });
		HLX_TRY(end(dev));
	}
	return 0;
}
