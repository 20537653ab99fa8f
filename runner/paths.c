/*
 * paths.c - where plugins, models and corpora are looked for.
 *
 * hlxt of a build tree (BUILDDIR/hlxt or BUILDDIR/.libs/[lt-]hlxt) takes that tree's plugins and models, any other
 * the installed ones.
 */
#include "runner/paths.h"
#include "runner/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool in_build_tree(void)
{
	char exe[PATH_MAX], top[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	size_t len;

	if (n <= 0 || !realpath(BUILDDIR, top))
		return false;
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	len = strlen(top);
	return !strncmp(exe, top, len) && (!exe[len] || !strcmp(exe + len, "/.libs"));
}

const char *path_plugins(void)
{
	return in_build_tree() ? BUILDDIR "/plugins/.libs" : PLUGINDIR;
}

char *path_join(const char *dir, const char *name)
{
	char *out = NULL;

	if (asprintf(&out, "%s/%s", dir, name) < 0)
		return NULL;
	return out;
}

char *path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

static bool exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

int path_find(const char *name, const char *near, char **out)
{
	const char *dirs[4];
	size_t n = 0;

	*out = NULL;
	if (near)
		dirs[n++] = near;
	if (in_build_tree()) {
		dirs[n++] = SRCDIR "/models";
		dirs[n++] = BUILDDIR "/models";
	} else {
		dirs[n++] = PKGDATADIR "/models";
	}
	if (*name == '/' || (!near && (strchr(name, '/') || exists(name))))
		return (*out = strdup(name)) ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (!(*out = path_join(dirs[i], name)))
			return hlx_fail(HLX_ENOMEM, "out of memory");
		if (exists(*out))
			return 0;
		free(*out);
	}
	*out = NULL;
	return hlx_fail(HLX_EIO, "%s: not in %s%s%s", name, near ? near : "this folder", n > 1 || !near ? ", nor in " : "",
			near ? (n > 1 ? dirs[1] : "") : dirs[0]);
}
