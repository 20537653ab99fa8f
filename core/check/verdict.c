#include "core/check/verdict.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/vulkan/pipeline.h"
#include "core/registry/registry.h"

#define MAX_KEYS 65536u /* then it starts anew */

static const char magic[8] = { 'h', 'l', 'x', 'v', 'e', 'r', 'd', '1' };

struct hlx_verdicts {
	uint64_t *key;
	size_t n;
	bool changed;
};

bool hlx_verdicts_has(const struct hlx_verdicts *v, uint64_t key)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->key[i] == key)
			return true;
	return false;
}

static void add(struct hlx_verdicts *v, uint64_t key)
{
	uint64_t *grown;

	if (v->n >= MAX_KEYS || hlx_verdicts_has(v, key) || !(grown = realloc(v->key, (v->n + 1) * sizeof(*grown))))
		return;
	v->key = grown;
	grown[v->n++] = key;
}

void hlx_verdicts_add(struct hlx_verdicts *v, uint64_t key)
{
	add(v, key);
	v->changed = true;
}

static void merge(struct hlx_device *dev, struct hlx_verdicts *v)
{
	size_t size;
	void *data;
	uint64_t key;

	hlx_cache_load(dev, "verdicts", &data, &size);
	if (data && size >= sizeof(magic) && size % 8 == 0 && size / 8 < MAX_KEYS && !memcmp(data, magic, sizeof(magic)))
		for (size_t at = 8; at < size; at += 8) {
			memcpy(&key, (const char *)data + at, 8);
			add(v, key);
		}
	free(data);
}

struct hlx_verdicts *hlx_verdicts_get(struct hlx_device *dev)
{
	if (!dev->verdicts && (dev->verdicts = calloc(1, sizeof(*dev->verdicts))))
		merge(dev, dev->verdicts);
	return dev->verdicts;
}

void hlx_verdicts_destroy(struct hlx_verdicts *v)
{
	if (!v)
		return;
	free(v->key);
	free(v);
}

void hlx_verdicts_save(struct hlx_device *dev)
{
	struct hlx_verdicts *v = dev->verdicts;
	char *data;

	if (!v || !v->changed)
		return;
	merge(dev, v);
	if (!(data = malloc(8 + v->n * 8)))
		return;
	memcpy(data, magic, 8);
	memcpy(data + 8, v->key, v->n * 8);
	hlx_cache_store(dev, "verdicts", data, 8 + v->n * 8);
	v->changed = false;
	free(data);
}

/* ---- keys ---- */

/* A CPU driver compiles for the processor it finds, and a home may be shared by several. */
static uint64_t hash_processor(uint64_t h)
{
	char line[8192];
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && fgets(line, sizeof(line), f) && line[0] != '\n') /* the first one */
		if (!strncmp(line, "flags", 5) || !strncmp(line, "Features", 8) || !strncmp(line, "model name", 10) ||
				!strncmp(line, "isa", 3))
			h = XXH64(line, strlen(line), h);
	if (f)
		fclose(f);
	return h;
}

static uint64_t hash_device(const struct hlx_device *dev, uint64_t h)
{
	VkPhysicalDeviceIDProperties id = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES };
	VkPhysicalDeviceProperties2 props = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &id };
	const VkPhysicalDeviceProperties *p = &props.properties;

	vkGetPhysicalDeviceProperties2(dev->physical, &props);
	h = XXH64(id.deviceUUID, VK_UUID_SIZE, h);
	h = XXH64(id.driverUUID, VK_UUID_SIZE, h);
	h = XXH64(p->pipelineCacheUUID, VK_UUID_SIZE, h);
	h = XXH64(&p->driverVersion, 4, h);
	h = XXH64(p->deviceName, strlen(p->deviceName), h);
	h = XXH64(dev->info.driver, strlen(dev->info.driver), h);
	h = XXH64(&dev->info.caps.subgroup, 4, h); /* lavapipe: LP_NATIVE_VECTOR_WIDTH */
	return dev->info.caps.cpu ? hash_processor(h) : h;
}

static bool hash_file(const char *path, uint64_t *h)
{
	FILE *f = path ? fopen(path, "rb") : NULL;
	char bytes[16384];
	size_t n;
	bool good;

	if (!f)
		return false;
	while ((n = fread(bytes, 1, sizeof(bytes), f)))
		*h = XXH64(bytes, n, *h);
	good = !ferror(f);
	fclose(f);
	return good;
}

/* The files too: what a kernel is given to do, and the reference it is held to, are code of the plugins. */
uint64_t hlx_verdict_base(const struct hlx_device *dev, const struct hlx_registry *r, const struct hlx_op *op,
		const struct hlx_impl *impl)
{
	uint64_t h = XXH64(PACKAGE_VERSION, strlen(PACKAGE_VERSION), 1);

	h = hash_device(dev, h);
	h = XXH64(op->name, strlen(op->name), h);
	h = XXH64(impl->name, strlen(impl->name), h);
	if (!hash_file(hlx_registry_file(r, op), &h) || !hash_file(hlx_registry_file(r, impl), &h))
		return 0;
	return h ? h : 1;
}

uint64_t hlx_verdict_key(uint64_t base, const struct hlx_pipeline *p)
{
	if (!p)
		return base;
	base = XXH64(p->shader->code, p->shader->size, base);
	base = XXH64(&p->shader->subgroup, sizeof(p->shader->subgroup), base);
	return XXH64(p->spec, p->n_spec * sizeof(*p->spec), base);
}
