/* The pipeline cache on disk: written, read again, and of no consequence when it is broken or cannot be written. */
#include "tests/toys.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/vulkan/pipeline.h"

static char home[64], file[600];

/* A device opened, used and closed: its cache has been read and written. */
static void use(struct hlx_registry *r)
{
	struct hlx_graph *g = toys_graph(r, false, 2, 3, LINES("y", "scale x k=3"));
	struct hlx_program_options o = { .keep = LINES("t.y") };
	struct hlx_device *dev;
	struct hlx_weights *w;
	struct hlx_program *p;
	float x[6] = { 1, 2, 3, 4, 5, 6 }, y[6];

	ck_ok(hlx_device_open(getenv("HLX_DEVICE"), &dev));
	ck_ok(hlx_weights_create(dev, g, 0, &w));
	ck_ok(hlx_program_create(dev, g, w, &o, &p));
	ck_ok(hlx_program_write(p, "x", HLX_VALUE, 0, 6, x));
	ck_ok(hlx_program_run(p, &(struct hlx_step){ 0 }));
	ck_ok(hlx_program_read(p, "t.y", HLX_VALUE, 0, 6, y));
	for (int i = 0; i < 6; i++)
		ck_assert_float_eq(y[i], 3 * x[i]);
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_device_close(dev);
	hlx_graph_destroy(g);
}

static long find_file(void)
{
	char dir[80];
	struct dirent *e;
	struct stat st = { 0 };
	DIR *d;
	int files = 0;

	snprintf(dir, sizeof(dir), "%s/hlx", home);
	d = opendir(dir);
	ck_assert_msg(d != NULL, "no folder %s", dir);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", dir, e->d_name);
			files++;
		}
	closedir(d);
	ck_assert_int_eq(files, 1); /* nothing aside is left over */
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 077, 0);
	return (long)st.st_size;
}

/* What a driver could have given: its own header, and a body. */
static void make_data(const struct hlx_device *dev, unsigned char data[500])
{
	VkPhysicalDeviceProperties props;
	uint32_t head[4] = { 32, VK_PIPELINE_CACHE_HEADER_VERSION_ONE };

	vkGetPhysicalDeviceProperties(dev->physical, &props);
	head[2] = props.vendorID;
	head[3] = props.deviceID;
	memcpy(data, head, 16);
	memcpy(data + 16, props.pipelineCacheUUID, VK_UUID_SIZE);
	for (int i = 32; i < 500; i++)
		data[i] = (unsigned char)(i * 7);
}

static size_t cached(struct hlx_device *dev)
{
	void *data;
	size_t size;

	hlx_cache_read(dev, &data, &size);
	ck_assert((data != NULL) == (size != 0));
	free(data);
	return size;
}

static void damage(long at, char byte)
{
	FILE *f = fopen(file, "r+b");

	ck_assert_ptr_nonnull(f);
	fseek(f, at, SEEK_SET);
	fputc(byte, f);
	fclose(f);
}

START_TEST(files)
{
	unsigned char data[500];
	struct hlx_device *dev;
	void *back;
	size_t size;

	setenv("XDG_CACHE_HOME", home, 1);
	ck_ok(hlx_device_open(getenv("HLX_DEVICE"), &dev));
	make_data(dev, data);
	ck_assert_uint_eq(cached(dev), 0);
	hlx_cache_write(dev, data, sizeof(data));
	ck_assert_int_eq(find_file(), 508);
	hlx_cache_read(dev, &back, &size);
	ck_assert_uint_eq(size, sizeof(data));
	ck_assert_int_eq(memcmp(back, data, size), 0);
	free(back);
	damage(507, '!'); /* a byte of the body */
	ck_assert_uint_eq(cached(dev), 0);
	hlx_cache_write(dev, data, sizeof(data));
	ck_assert_uint_eq(cached(dev), sizeof(data));
	for (long cut = 507; cut >= 0; cut -= 13) {
		ck_assert_int_eq(truncate(file, cut), 0);
		ck_assert_uint_eq(cached(dev), 0);
	}
	for (int at = 0; at < 32; at++) { /* whole, but another driver's: each byte of the header counts */
		data[at] ^= 1;
		hlx_cache_write(dev, data, sizeof(data));
		ck_assert_msg(cached(dev) == 0, "byte %d of the header", at);
		data[at] ^= 1;
	}
	unlink(file);
	ck_assert_int_eq(symlink("/etc/passwd", file), 0); /* not followed, and not written through */
	ck_assert_uint_eq(cached(dev), 0);
	hlx_cache_write(dev, data, sizeof(data));
	ck_assert_uint_eq(cached(dev), sizeof(data));
	find_file();
	hlx_device_close(dev);
}
END_TEST

/* With whatever the driver makes of it (lavapipe: nothing but a header), from an empty folder and from its own file. */
START_TEST(through_a_device)
{
	struct hlx_registry *r = toys_registry();

	setenv("XDG_CACHE_HOME", home, 1);
	unlink(file);
	use(r);
	use(r);
	unlink(file);
	hlx_registry_destroy(r);
}
END_TEST

START_TEST(nowhere)
{
	static const char *const bad[] = { "/nowhere/at/all", "relative", "/dev/null" };
	struct hlx_registry *r = toys_registry();
	char blocked[80];

	for (int i = 0; i < 3; i++) {
		setenv("XDG_CACHE_HOME", bad[i], 1);
		use(r);
	}
	ck_assert_int_ne(access("relative", F_OK), 0);
	ck_assert_int_ne(access("/nowhere", F_OK), 0);
	snprintf(blocked, sizeof(blocked), "%s/blocked", home); /* its hlx is a file */
	ck_assert_int_eq(mkdir(blocked, 0700), 0);
	snprintf(file, sizeof(file), "%s/hlx", blocked);
	fclose(fopen(file, "w"));
	setenv("XDG_CACHE_HOME", blocked, 1);
	use(r);
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	use(r);
	hlx_registry_destroy(r);
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { files, 0 }, { through_a_device, 0 }, { nowhere, 0 } };
	char command[100];
	int status;

	setenv("MESA_SHADER_CACHE_DISABLE", "true", 1); /* Mesa's own cache would make folders */
	hlx_device_close(toys_device());
	strcpy(home, "/tmp/check_cache.XXXXXX");
	if (!mkdtemp(home))
		return EXIT_FAILURE;
	status = TOYS_RUN("cache", tests, 60, false);
	snprintf(command, sizeof(command), "rm -rf '%s'", home);
	return system(command) ? EXIT_FAILURE : status;
}
