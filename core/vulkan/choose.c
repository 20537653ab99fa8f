/* choose.c - what a physical device offers, and which one hlx takes. */
#include "core/vulkan/device.h"
#include "core/vulkan/coopmat.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(VkPhysicalDeviceType t)
{
	static const char *const names[] = { "other", "integrated", "discrete", "virtual", "cpu" };

	return names[(unsigned)t < 5 ? t : 0];
}

static bool has_extension(const VkExtensionProperties *e, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (!strcmp(e[i].extensionName, name))
			return true;
	return false;
}

static void inspect_extensions(VkInstance instance, VkPhysicalDevice p, struct hlx_caps *caps)
{
	VkExtensionProperties *e;
	uint32_t n = 0;

	vkEnumerateDeviceExtensionProperties(p, NULL, &n, NULL);
	if (!(e = calloc(n ? n : 1, sizeof(*e))))
		return;
	vkEnumerateDeviceExtensionProperties(p, NULL, &n, e);
	if (has_extension(e, n, HLX_COOPMAT_EXTENSION))
		hlx_coopmat_inspect(instance, p, caps);
	caps->bf16 = has_extension(e, n, "VK_KHR_shader_bfloat16");
	free(e);
}

static void inspect_features(VkPhysicalDevice p, struct hlx_caps *caps)
{
	VkPhysicalDeviceShaderFloat16Int8Features f16 = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES };
	VkPhysicalDeviceFeatures2 f = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &f16 };

	vkGetPhysicalDeviceFeatures2(p, &f);
	caps->int64 = f.features.shaderInt64;
	caps->fp16 = f16.shaderFloat16;
	caps->int8 = f16.shaderInt8;
}

static void inspect_limits(const VkPhysicalDeviceProperties *props, const VkPhysicalDeviceSubgroupProperties *sub,
		struct hlx_caps *caps)
{
	const VkPhysicalDeviceLimits *l = &props->limits;

	*caps = (struct hlx_caps){
		.struct_size = sizeof(*caps),
		.max_range = l->maxStorageBufferRange / HLX_ALIGN * HLX_ALIGN, .max_texels = l->maxTexelBufferElements,
		.cpu = props->deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU, .subgroup = sub->subgroupSize,
		.shuffle = (sub->supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
			(sub->supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT),
		/* lavapipe 25 and 26 do and offer clusters, 22 neither; it gives no version */
		.uniform = props->deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU &&
			(sub->supportedOperations & VK_SUBGROUP_FEATURE_CLUSTERED_BIT),
		.shared_bytes = l->maxComputeSharedMemorySize, .push_bytes = l->maxPushConstantsSize,
		/* nearly all workgroups lie along x */
		.max_invocations = l->maxComputeWorkGroupInvocations < l->maxComputeWorkGroupSize[0] ?
			l->maxComputeWorkGroupInvocations : l->maxComputeWorkGroupSize[0] };
	for (int i = 0; i < 3; i++)
		caps->max_groups[i] = l->maxComputeWorkGroupCount[i];
}

static uint64_t local_memory(VkPhysicalDevice p)
{
	VkPhysicalDeviceMemoryProperties m;
	uint64_t best = 0;

	vkGetPhysicalDeviceMemoryProperties(p, &m);
	for (uint32_t i = 0; i < m.memoryHeapCount; i++)
		if ((m.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) && m.memoryHeaps[i].size > best)
			best = m.memoryHeaps[i].size;
	return best;
}

static void judge(const VkPhysicalDeviceProperties *props, struct hlx_device_info *info)
{
	const struct hlx_caps *c = &info->caps;
	char matrices[64] = "";

	info->usable = false;
	if (props->apiVersion < VK_API_VERSION_1_2)
		snprintf(info->uses, sizeof(info->uses), "not usable: Vulkan %u.%u, want 1.2",
				VK_VERSION_MAJOR(props->apiVersion), VK_VERSION_MINOR(props->apiVersion));
	else if (c->push_bytes < 128 || c->max_invocations < 128 || c->max_range < (1u << 27) - HLX_ALIGN)
		snprintf(info->uses, sizeof(info->uses), "not usable: limits below Vulkan's minimum");
	else if (c->cpu && c->subgroup < 4)
		snprintf(info->uses, sizeof(info->uses), "not usable: subgroups of %u, want 4 (LP_NATIVE_VECTOR_WIDTH=128)", c->subgroup);
	else
		info->usable = true;
	if (!info->usable)
		return;
	if (c->coopmat)
		snprintf(matrices, sizeof(matrices), ", matrices of %ux%ux%u", c->coopmat_m, c->coopmat_n, c->coopmat_k);
	snprintf(info->uses, sizeof(info->uses), "subgroups of %u%s, %u KiB shared, %llu MiB a binding%s%s", c->subgroup,
			c->shuffle ? " with shuffle" : "", c->shared_bytes / 1024,
			(unsigned long long)(c->max_range + (1u << 20) - 1) >> 20, c->cpu ? ", host memory" : "", matrices);
}

void hlx_device_inspect(VkInstance instance, VkPhysicalDevice p, uint32_t index, struct hlx_device_info *info)
{
	VkPhysicalDeviceSubgroupProperties sub = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES };
	VkPhysicalDeviceDriverProperties driver = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
		.pNext = &sub };
	VkPhysicalDeviceProperties2 props = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &driver };

	*info = (struct hlx_device_info){ .index = index };
	vkGetPhysicalDeviceProperties2(p, &props);
	snprintf(info->name, sizeof(info->name), "%.255s", props.properties.deviceName);
	snprintf(info->driver, sizeof(info->driver), "%.120s %.120s", driver.driverName, driver.driverInfo);
	snprintf(info->type, sizeof(info->type), "%s", type_name(props.properties.deviceType));
	info->api = props.properties.apiVersion;
	inspect_limits(&props.properties, &sub, &info->caps);
	inspect_features(p, &info->caps);
	inspect_extensions(instance, p, &info->caps);
	info->memory = local_memory(p);
	judge(&props.properties, info);
}

static unsigned rank(const struct hlx_device_info *d)
{
	static const char *const order[] = { "cpu", "other", "virtual", "integrated", "discrete" };

	for (unsigned i = 0; i < 5; i++)
		if (!strcmp(d->type, order[i]))
			return i + 1;
	return 0;
}

static bool contains(const char *text, const char *part)
{
	size_t n = strlen(part);

	for (; *text; text++)
		if (!strncasecmp(text, part, n))
			return true;
	return !n;
}

static int choose_named(const struct hlx_device_info *d, uint32_t n, const char *select, uint32_t *out)
{
	char *end;
	unsigned long index = strtoul(select, &end, 10);
	const char *names[64];

	if (*select && !*end && isdigit((unsigned char)*select)) {
		if (index >= n)
			return hlx_fail(HLX_EDEVICE, "no device %s: there are %u, from 0", select, n);
		*out = (uint32_t)index;
		return 0;
	}
	for (uint32_t i = 0; i < n; i++)
		if (contains(d[i].name, select)) {
			*out = i;
			return 0;
		}
	for (uint32_t i = 0; i < n && i < 64; i++)
		names[i] = d[i].name;
	return hlx_fail(HLX_EDEVICE, "no device is called %s%s (hlxt devices lists them)", select,
			hlx_hint(select, names, n < 64 ? n : 64));
}

int hlx_device_choose(const struct hlx_device_info *d, uint32_t n, const char *select, uint32_t *out)
{
	bool found = false;

	if (!n)
		return hlx_fail(HLX_EDEVICE, "no Vulkan device (Debian: mesa-vulkan-drivers works without a GPU)");
	if (select && *select) {
		HLX_TRY(choose_named(d, n, select, out));
		return d[*out].usable ? 0 : hlx_fail(HLX_EDEVICE, "%s: %s", d[*out].name, d[*out].uses);
	}
	for (uint32_t i = 0; i < n; i++)
		if (d[i].usable && (!found || rank(&d[i]) > rank(&d[*out]))) {
			*out = i;
			found = true;
		}
	return found ? 0 : hlx_fail(HLX_EDEVICE, "%s: %s", d[0].name, d[0].uses);
}
