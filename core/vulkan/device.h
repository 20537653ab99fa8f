/*
 * device.h - one Vulkan device: its queue, its limits, its memory, and a wait that notices when nothing moves.
 *
 * On a CPU driver all memory is host memory, so everything is allocated mapped (host_memory) and host calls and
 * read-backs copy nothing.
 */
#ifndef HLX_CORE_DEVICE_H
#define HLX_CORE_DEVICE_H

#include <vulkan/vulkan.h>

#include "core/vulkan/host.h"

struct hlx_memory {
	VkBuffer buffer;
	VkDeviceMemory memory;
	uint64_t size;
	char *map; /* NULL where the host does not see it */
};

struct hlx_device {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkDevice vk;
	VkQueue queue;
	uint32_t family;
	VkPhysicalDeviceMemoryProperties memory;
	uint64_t max_allocation;
	bool budget;         /* VK_EXT_memory_budget */
	bool size_control;   /* a subgroup size can be asked for */
	bool host_memory;
	struct hlx_device_info info;
	struct hlx_core_host host;
	VkCommandPool pool;
	VkCommandBuffer transfer;
	VkSemaphore timeline;
	uint64_t timeline_value, waited; /* of the last command buffer sent, and the last known to be done */
	unsigned timeout_s;
	struct hlx_memory staging;
	VkDebugUtilsMessengerEXT messenger;
	char complaint[768]; /* the validation layer's first message */
	struct hlx_verdicts *verdicts; /* check/verdict.h; NULL until asked for */
	unsigned trials;     /* what the self-test has run on it */
};

/* HLX_EDEVICE "what: VK_ERROR_..." */
int hlx_vk_fail(VkResult, const char *what);
/* HLX_EDEVICE where the validation layer has complained since the device was opened. */
int hlx_device_complaint(const struct hlx_device *);

/* Submits n command buffers, in order. */
int hlx_device_send(struct hlx_device *, const VkCommandBuffer *cmd, uint32_t n);
/* Until all that was sent is done; hlx_memory_read() and _write() begin with it. */
int hlx_device_wait(struct hlx_device *);
/* Until what was sent when timeline_value was that is done. */
int hlx_device_wait_for(struct hlx_device *, uint64_t sent);

/* Bytes that can still be allocated for the device. */
uint64_t hlx_memory_available(const struct hlx_device *);
/* LOCAL: the device's own.  SHARED: the host writes it, the device reads it.  CACHED: the host reads it; 1 GB/s and more
 * where uncached memory of a card gives 25 MB/s (H100). */
enum hlx_memory_use { HLX_MEMORY_LOCAL, HLX_MEMORY_SHARED, HLX_MEMORY_CACHED };
/* Zeroed. */
int hlx_memory_create(struct hlx_device *, uint64_t size, enum hlx_memory_use, struct hlx_memory *out);
void hlx_memory_finish(struct hlx_device *, struct hlx_memory *);
int hlx_memory_read(struct hlx_device *, const struct hlx_memory *, uint64_t offset, uint64_t size, void *out);
int hlx_memory_write(struct hlx_device *, const struct hlx_memory *, uint64_t offset, uint64_t size, const void *in);

/* instance.c */
int hlx_instance_create(struct hlx_device *);
void hlx_instance_destroy(struct hlx_device *);
/* choose.c: fills info of one physical device; usable tells whether hlx can work with it, uses says it in words */
void hlx_device_inspect(VkInstance, VkPhysicalDevice, uint32_t index, struct hlx_device_info *);
int hlx_device_choose(const struct hlx_device_info *, uint32_t n, const char *select, uint32_t *out);

#endif
