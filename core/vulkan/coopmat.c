/* coopmat.c - see coopmat.h.  Names and numbers are those of the Vulkan specification. */
#include "core/vulkan/coopmat.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MATRIX_PROPERTIES ((VkStructureType)1000506001)
#define STAGE_PROPERTIES ((VkStructureType)1000506002)
#define COMPONENT_FLOAT16 0
#define COMPONENT_FLOAT32 1
#define SCOPE_SUBGROUP 3
#define NVIDIA 0x10de

/* VkCooperativeMatrixPropertiesKHR */
struct kind {
	VkStructureType type;
	void *next;
	uint32_t m, n, k;
	int a, b, c, result; /* VkComponentTypeKHR */
	VkBool32 saturating;
	int scope;
};
/* VkPhysicalDeviceCooperativeMatrixPropertiesKHR */
struct stages {
	VkStructureType type;
	void *next;
	VkShaderStageFlags in;
};
typedef VkResult(VKAPI_PTR *list_kinds)(VkPhysicalDevice, uint32_t *, struct kind *);

static bool offers_feature(VkPhysicalDevice p)
{
	struct hlx_coopmat_features matrix = { .type = HLX_COOPMAT_FEATURES };
	VkPhysicalDeviceVulkanMemoryModelFeatures model = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES, .pNext = &matrix };
	VkPhysicalDeviceFeatures2 f = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &model };
	struct stages stages = { .type = STAGE_PROPERTIES };
	VkPhysicalDeviceProperties2 props = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &stages };

	vkGetPhysicalDeviceFeatures2(p, &f);
	vkGetPhysicalDeviceProperties2(p, &props);
	return matrix.matrix && model.vulkanMemoryModel && (stages.in & VK_SHADER_STAGE_COMPUTE_BIT);
}

/* Products of fp16 in sums of fp32 by a subgroup, in matrices that 4 elements at a time divide. */
static bool serves(const struct kind *k)
{
	return k->a == COMPONENT_FLOAT16 && k->b == COMPONENT_FLOAT16 && k->c == COMPONENT_FLOAT32 &&
		k->result == COMPONENT_FLOAT32 && !k->saturating && k->scope == SCOPE_SUBGROUP &&
		k->m && k->n && k->k && (k->m | k->n | k->k) % 4 == 0 && k->m <= 64 && k->n <= 64 && k->k <= 64;
}

/* Of those that serve, the one with most products. */
static void choose_kind(const struct kind *kinds, uint32_t n, struct hlx_caps *caps)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < n; i++)
		if (serves(&kinds[i]) && kinds[i].m * kinds[i].n * kinds[i].k > most) {
			most = kinds[i].m * kinds[i].n * kinds[i].k;
			caps->coopmat = 1;
			caps->coopmat_m = kinds[i].m;
			caps->coopmat_n = kinds[i].n;
			caps->coopmat_k = kinds[i].k;
		}
}

/*
 * Vulkan does not tell it.  By NVIDIA's data sheets, fp16 with sums of fp32 over fp32, in TFLOP/s: 989/67 (Hopper), 312/19.5,
 * 2250/75, 125/15.7.  GeForce and RTX cards have 2 to 4 and are not in the list, nor are those of other makers.
 */
static uint32_t rate_of(VkPhysicalDevice p)
{
	static const struct {
		const char *part;
		uint32_t rate;
	} cards[] = { { "H100", 15 }, { "H200", 15 }, { "H800", 15 }, { "A100", 16 }, { "A800", 16 }, { "B200", 30 }, { "V100", 8 } };
	VkPhysicalDeviceProperties props;
	const char *at;

	vkGetPhysicalDeviceProperties(p, &props);
	for (size_t i = 0; i < sizeof(cards) / sizeof(*cards) && props.vendorID == NVIDIA; i++)
		if ((at = strstr(props.deviceName, cards[i].part)) && !isdigit((unsigned char)at[strlen(cards[i].part)])) /* RTX A1000 */
			return cards[i].rate;
	return 0;
}

void hlx_coopmat_inspect(VkInstance instance, VkPhysicalDevice p, struct hlx_caps *caps)
{
	list_kinds list = (list_kinds)vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
	struct kind *kinds;
	uint32_t n = 0;

	if (!list || !caps->fp16 || !offers_feature(p) || list(p, &n, NULL) < 0 || !(kinds = calloc(n ? n : 1, sizeof(*kinds))))
		return;
	for (uint32_t i = 0; i < n; i++)
		kinds[i].type = MATRIX_PROPERTIES;
	if (list(p, &n, kinds) >= 0)
		choose_kind(kinds, n, caps);
	if (caps->coopmat)
		caps->coopmat_rate = rate_of(p);
	free(kinds);
}
