/* public_vulkan.h - as little Vulkan as runs a compute shader: what anybody's program has who drops a .spv into it. */
#ifndef TESTS_PUBLIC_VULKAN_H
#define TESTS_PUBLIC_VULKAN_H

#include <stddef.h>
#include <stdint.h>

#include <vulkan/vulkan.h>

struct vulkan {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkDevice device;
	VkQueue queue;
	VkCommandPool pool;
	VkPhysicalDeviceMemoryProperties memory;
};

/* A storage buffer, bound at its place in the list; read back after the run. */
struct array {
	void *data;
	size_t bytes;
};

/* The first physical device with a compute queue.  These end the program with a message where something fails. */
void vulkan_open(struct vulkan *);
void vulkan_close(struct vulkan *);
/* One dispatch of x * y workgroups.  Bytes past an array's end must stay as they are, which is checked. */
void vulkan_run(const struct vulkan *, const char *spv, const void *push, uint32_t push_bytes, const struct array *,
		uint32_t n_arrays, uint32_t x, uint32_t y);

#endif
