/*
 * load.c - plugins' files.
 *
 * A plugin's code runs with all our rights, so its file is checked first: ours or root's, writable by nobody else, and
 * whole.  Its two ABI words are read from the file, before any of its code runs, and again before any other member.
 * Nothing is ever dlclosed: tables point into it.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/registry/elf.h"
#include "core/file.h"
#include "core/numerics.h"
#include "core/registry/registry.h"

static int check_abi(const uint32_t abi[2], const char *path)
{
	if (abi[0] == HLX_ABI_MAJOR && abi[1] <= HLX_ABI_MINOR)
		return 0;
	return hlx_fail(HLX_EPLUGIN, "%s: made for plugin ABI %u.%u, this is hlx with %u.%u: rebuild it", path, abi[0], abi[1],
			HLX_ABI_MAJOR, HLX_ABI_MINOR);
}

static int check_owner(const char *path, struct stat st)
{
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return hlx_fail(HLX_EPLUGIN, "%s: belongs to user %u, neither root nor you: refused", path,
				(unsigned)st.st_uid);
	if (st.st_mode & S_IWOTH)
		return hlx_fail(HLX_EPLUGIN, "%s: anyone may write to it: refused (chmod o-w mends it)", path);
	if ((st.st_mode & S_IWGRP) && st.st_gid != getegid())
		return hlx_fail(HLX_EPLUGIN, "%s: group %u may write to it: refused (chmod g-w mends it)", path,
				(unsigned)st.st_gid);
	return 0;
}

static int check_file(const char *path)
{
	uint32_t abi[2];
	struct stat st;
	int fd, status;
	const char *wrong = hlx_file_open(path, O_RDONLY, &fd, &st);

	if (wrong)
		return hlx_fail(HLX_EPLUGIN, "%s: %s", path, wrong);
	status = check_owner(path, st);
	if (status >= 0 && !hlx_elf_is_whole(fd, (uint64_t)st.st_size))
		status = hlx_fail(HLX_EPLUGIN, "%s: is cut short: its headers tell of more than its %lld bytes", path,
				(long long)st.st_size);
	if (status >= 0 && hlx_elf_peek(fd, (uint64_t)st.st_size, "hlx_plugin", abi, sizeof(abi)))
		status = check_abi(abi, path);
	close(fd);
	return status;
}

int hlx_registry_load(struct hlx_registry *r, const char *path)
{
	int status;
	const struct hlx_plugin *plugin;
	void *so = NULL;
	char *real;
	struct hlx_fpenv env;

	HLX_TRY(check_file(path));
	if (!(real = realpath(path, NULL))) /* dlopen searches for a name without a slash */
		return hlx_fail(HLX_EPLUGIN, "%s: %s", path, strerror(errno));
	hlx_fpenv_enter(&env); /* a library linked with -ffast-math sets flush-to-zero when it loads */
	so = dlopen(real, RTLD_NOW | RTLD_LOCAL);
	free(real);
	if (!so)
		status = hlx_fail(HLX_EPLUGIN, "%s: %s", path, dlerror());
	else if (!(plugin = dlsym(so, "hlx_plugin")))
		status = hlx_fail(HLX_EPLUGIN, "%s: exports no hlx_plugin, so it is not a plugin", path);
	else if ((status = check_abi((const uint32_t[]){ plugin->abi_major, plugin->abi_minor }, path)) >= 0)
		status = hlx_registry_add(r, plugin, path);
	hlx_fpenv_restore(&env); /* its init() may load libraries too */
	return status;
}

static int by_suffix(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 3 && !strcmp(e->d_name + n - 3, ".so");
}

int hlx_registry_load_dir(struct hlx_registry *r, const char *dir)
{
	struct dirent **name;
	int n = scandir(dir, &name, by_suffix, NULL), status = 0;
	char path[4096];

	if (n < 0)
		return errno == ENOENT ? 0 : hlx_fail(HLX_EPLUGIN, "%s: %s", dir, strerror(errno));
	for (int i = 1; i < n; i++) /* by name, in bytes: the order of a folder and of a locale is not ours */
		for (int j = i; j && strcmp(name[j - 1]->d_name, name[j]->d_name) > 0; j--) {
			struct dirent *t = name[j];
			name[j] = name[j - 1];
			name[j - 1] = t;
		}
	for (int i = 0; i < n; i++) {
		if (status >= 0) {
			snprintf(path, sizeof(path), "%s/%s", dir, name[i]->d_name);
			status = hlx_registry_load(r, path);
		}
		free(name[i]);
	}
	free(name);
	return status;
}

/* Our own folder first, so that a stranger's op with other slots is the one that is refused. */
int hlx_registry_load_all(struct hlx_registry *r, const char *dir)
{
	const char *list = getenv("HLX_PLUGIN_PATH");
	char *copy = strdup(list ? list : ""), *rest = copy, *one;
	char *builtin = dir ? realpath(dir, NULL) : NULL;
	int status = copy ? 0 : hlx_no_memory();

	if (status >= 0 && dir)
		status = hlx_registry_load_dir(r, dir);
	while (status >= 0 && (one = strsep(&rest, ":"))) {
		char *real = *one ? realpath(one, NULL) : NULL;
		if (*one && !real)
			status = hlx_fail(HLX_EPLUGIN, "HLX_PLUGIN_PATH: %s: %s", one, strerror(errno));
		else if (real && (!builtin || strcmp(real, builtin)))
			status = hlx_registry_load_dir(r, one);
		free(real);
	}
	free(builtin);
	free(copy);
	return status;
}
