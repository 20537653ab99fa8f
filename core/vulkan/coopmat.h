/*
 * core/vulkan/coopmat.h - cooperative matrices (VK_KHR_cooperative_matrix), which Debian 12's headers do not have yet.
 *
 * Memory: the caller's.  Threads: [any].  Errors: none, a device that cannot say has none.
 */
#ifndef HLX_CORE_VULKAN_COOPMAT_H
#define HLX_CORE_VULKAN_COOPMAT_H
#include <vulkan/vulkan.h>

#include "hlx/plugin.h"

#define HLX_COOPMAT_EXTENSION "VK_KHR_cooperative_matrix"

/* What vkCreateDevice is to be given: VkPhysicalDeviceCooperativeMatrixFeaturesKHR. */
struct hlx_coopmat_features {
	VkStructureType type;
	void *next;
	VkBool32 matrix, robust;
};
#define HLX_COOPMAT_FEATURES ((VkStructureType)1000506000)

/* Sets caps->coopmat, the sizes and, by the device's name, the rate; the device offers the extension.  caps->fp16 is known. */
void hlx_coopmat_inspect(VkInstance instance, VkPhysicalDevice p, struct hlx_caps *caps);

#endif
