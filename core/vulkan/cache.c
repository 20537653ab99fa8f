/*
 * cache.c - what is kept on disk for a driver build and device: $XDG_CACHE_HOME/hlx/<pipelineCacheUUID>.bin, its pipelines,
 * and .verdicts, what the self-test found (core/check/verdict.c).
 *
 * A cache is a help, never a need: whatever goes wrong here costs a compilation, or a test.  The header is checked before a driver
 * sees the bytes, since not every driver does; a file cut short by a crash is caught by the hash in front.
 *
 *   | XXH64 of the rest, 8 bytes | what vkGetPipelineCacheData gave: header 32 bytes, body |  or verdicts
 */
#include "core/file.h"
#include "core/vulkan/pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MAX_CACHE (256u << 20)

static bool make_path(struct hlx_device *dev, const char *kind, char *dir, char *path, size_t size)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	VkPhysicalDeviceProperties props;
	char uuid[2 * VK_UUID_SIZE + 1];

	if (xdg && xdg[0] == '/')
		snprintf(dir, size, "%s/hlx", xdg);
	else if (home && home[0] == '/')
		snprintf(dir, size, "%s/.cache/hlx", home);
	else
		return false;
	vkGetPhysicalDeviceProperties(dev->physical, &props);
	for (unsigned i = 0; i < VK_UUID_SIZE; i++)
		snprintf(uuid + 2 * i, 3, "%02x", props.pipelineCacheUUID[i]);
	return (size_t)snprintf(path, size, "%s/%s.%s", dir, uuid, kind) < size;
}

static bool fits(struct hlx_device *dev, const unsigned char *data, size_t size)
{
	VkPhysicalDeviceProperties props;
	uint32_t head[4];

	if (size < 32)
		return false;
	vkGetPhysicalDeviceProperties(dev->physical, &props);
	memcpy(head, data, sizeof(head));
	return head[0] == 32 && head[1] == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
		head[2] == props.vendorID && head[3] == props.deviceID &&
		!memcmp(data + 16, props.pipelineCacheUUID, VK_UUID_SIZE);
}

void hlx_cache_load(struct hlx_device *dev, const char *kind, void **data, size_t *size)
{
	char dir[2048], path[2048];
	struct stat st;
	uint64_t hash = 0;
	int fd;

	*data = NULL;
	*size = 0;
	if (!make_path(dev, kind, dir, path, sizeof(path)) || (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_size > 8 && st.st_size < MAX_CACHE &&
			read(fd, &hash, 8) == 8 && (*data = malloc((size_t)st.st_size - 8)))
		*size = (size_t)st.st_size - 8;
	if (*data && (read(fd, *data, *size) != (ssize_t)*size || XXH64(*data, *size, 0) != hash)) {
		free(*data);
		*data = NULL;
		*size = 0;
	}
	close(fd);
}

void hlx_cache_read(struct hlx_device *dev, void **data, size_t *size)
{
	hlx_cache_load(dev, "bin", data, size);
	if (*data && !fits(dev, *data, *size)) {
		free(*data);
		*data = NULL;
		*size = 0;
	}
}

void hlx_cache_store(struct hlx_device *dev, const char *kind, const void *data, size_t size)
{
	char dir[2048], path[2048], temp[2112];
	uint64_t hash = XXH64(data, size, 0);
	int fd;
	bool good;

	if (size >= MAX_CACHE || !make_path(dev, kind, dir, path, sizeof(path)))
		return;
	*strrchr(dir, '/') = '\0';
	mkdir(dir, 0700);
	strcat(dir, "/hlx");
	mkdir(dir, 0700);
	snprintf(temp, sizeof(temp), "%s.%ld", path, (long)getpid());
	if ((fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		return;
	good = !hlx_write_all(fd, &hash, 8) && !hlx_write_all(fd, data, size);
	good = !close(fd) && good;
	if (!good || rename(temp, path))
		unlink(temp);
}

void hlx_cache_write(struct hlx_device *dev, const void *data, size_t size)
{
	if (size > 32)
		hlx_cache_store(dev, "bin", data, size);
}
