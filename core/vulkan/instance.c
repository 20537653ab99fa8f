/* instance.c - the Vulkan instance, with the validation layer where HLX_VALIDATE=1 asks for it. */
#include "core/vulkan/device.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char layer_name[] = "VK_LAYER_KHRONOS_validation";

int hlx_vk_fail(VkResult r, const char *what)
{
	static const struct {
		VkResult result;
		const char *name;
	} names[] = {
		{ VK_ERROR_OUT_OF_HOST_MEMORY, "out of host memory" },
		{ VK_ERROR_OUT_OF_DEVICE_MEMORY, "out of device memory" },
		{ VK_ERROR_INITIALIZATION_FAILED, "initialization failed" },
		{ VK_ERROR_DEVICE_LOST, "the device was lost" },
		{ VK_ERROR_LAYER_NOT_PRESENT, "layer not present" },
		{ VK_ERROR_EXTENSION_NOT_PRESENT, "extension not present" },
		{ VK_ERROR_FEATURE_NOT_PRESENT, "feature not present" },
		{ VK_ERROR_INCOMPATIBLE_DRIVER, "no Vulkan driver" },
		{ VK_ERROR_TOO_MANY_OBJECTS, "too many objects" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].result == r)
			return hlx_fail(r == VK_ERROR_OUT_OF_DEVICE_MEMORY || r == VK_ERROR_OUT_OF_HOST_MEMORY ?
					HLX_ENOMEM : HLX_EDEVICE, "%s: %s", what, names[i].name);
	return hlx_fail(HLX_EDEVICE, "%s: Vulkan error %d", what, r);
}

static VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
		VkDebugUtilsMessageTypeFlagsEXT type, const VkDebugUtilsMessengerCallbackDataEXT *data, void *user)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* pipelines are built on several threads */
	struct hlx_device *dev = user;

	(void)severity;
	(void)type;
	pthread_mutex_lock(&lock);
	if (!dev->complaint[0])
		snprintf(dev->complaint, sizeof(dev->complaint), "%s", data->pMessage);
	pthread_mutex_unlock(&lock);
	return VK_FALSE;
}

int hlx_device_complaint(const struct hlx_device *dev)
{
	return dev->complaint[0] ? hlx_fail(HLX_EDEVICE, "validation layer: %s", dev->complaint) : 0;
}

static bool has_layer(void)
{
	VkLayerProperties layers[64];
	uint32_t n = 64;

	vkEnumerateInstanceLayerProperties(&n, layers);
	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(layers[i].layerName, layer_name))
			return true;
	return false;
}

static int is_wanted(bool *out)
{
	const char *v = getenv("HLX_VALIDATE");

	if (!v || !*v || !strcmp(v, "0") || !strcmp(v, "1")) {
		*out = v && *v == '1';
		return 0;
	}
	return hlx_fail(HLX_EINVAL, "HLX_VALIDATE=%.40s: want 1 or 0", v);
}

int hlx_instance_create(struct hlx_device *dev)
{
	static const char *const layers[] = { layer_name };
	static const char *const extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME };
	static const VkValidationFeatureEnableEXT enables[] = {
		VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT };
	VkDebugUtilsMessengerCreateInfoEXT messenger = {
		.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
		.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
			VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
		.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
		.pfnUserCallback = on_message, .pUserData = dev };
	VkValidationFeaturesEXT features = { .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT, .pNext = &messenger,
		.enabledValidationFeatureCount = 1, .pEnabledValidationFeatures = enables };
	VkApplicationInfo app = { .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .pApplicationName = "hlx",
		.apiVersion = VK_API_VERSION_1_3 };
	VkInstanceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &app };
	PFN_vkCreateDebugUtilsMessengerEXT create;
	bool validate = false;
	VkResult r;

	HLX_TRY(is_wanted(&validate));
	if (validate) {
		if (!has_layer())
			return hlx_fail(HLX_EDEVICE, "HLX_VALIDATE is set, but %s is not installed "
					"(Debian: vulkan-validationlayers)", layer_name);
		info.pNext = &features;
		info.enabledLayerCount = info.enabledExtensionCount = 1;
		info.ppEnabledLayerNames = layers;
		info.ppEnabledExtensionNames = extensions;
	}
	r = vkCreateInstance(&info, NULL, &dev->instance);
	if (r == VK_ERROR_INCOMPATIBLE_DRIVER)
		return hlx_fail(HLX_EDEVICE, "no Vulkan driver is installed (Debian: mesa-vulkan-drivers works without a GPU)");
	if (r)
		return hlx_vk_fail(r, "vkCreateInstance");
	create = info.pNext ? (PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(dev->instance,
			"vkCreateDebugUtilsMessengerEXT") : NULL;
	return create && create(dev->instance, &messenger, NULL, &dev->messenger) ?
			hlx_fail(HLX_EDEVICE, "the validation layer gives no messages") : 0;
}

void hlx_instance_destroy(struct hlx_device *dev)
{
	PFN_vkDestroyDebugUtilsMessengerEXT destroy;

	if (!dev->instance)
		return;
	destroy = dev->messenger ? (PFN_vkDestroyDebugUtilsMessengerEXT)vkGetInstanceProcAddr(dev->instance,
			"vkDestroyDebugUtilsMessengerEXT") : NULL;
	if (destroy)
		destroy(dev->instance, dev->messenger, NULL);
	vkDestroyInstance(dev->instance, NULL);
}
