/*
 * paths.c - where plugins, models and corpora are looked for.
 *
 * hlxt of a build tree (BUILDDIR/hlxt or BUILDDIR/.libs/[lt-]hlxt), and what is in its bench/, takes that tree's plugins and
 * models, any other the installed ones.
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
	static const char *const folder[] = { "", "/.libs", "/bench", "/bench/.libs" };
	char exe[PATH_MAX], top[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	size_t len;

	if (n <= 0 || !realpath(BUILDDIR, top))
		return false;
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	len = strlen(top);
	for (size_t i = 0; !strncmp(exe, top, len) && i < CLI_COUNT(folder); i++)
		if (!strcmp(exe + len, folder[i]))
			return true;
	return false;
}

const char *path_plugins(void)
{
	return in_build_tree() ? BUILDDIR "/plugins/.libs" : PLUGINDIR;
}

void path_models(const char *dir[2])
{
	bool built = in_build_tree();

	dir[0] = built ? SRCDIR "/models" : PKGDATADIR "/models";
	dir[1] = built ? BUILDDIR "/models" : NULL;
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

int path_folder(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return hlx_fail(HLX_EIO, "%s: %s", path, errno == ENOENT ? "no such folder" : strerror(errno));
	return S_ISDIR(st.st_mode) ? 0 : hlx_fail(HLX_EIO, "%s: not a folder", path);
}

/* Folders, each once. */
struct places {
	const char *dir[5];
	size_t n;
};

static void add_place(struct places *p, const char *dir)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->dir[i], dir))
			return;
	p->dir[p->n++] = dir;
}

static int not_found(const char *name, const struct places *p)
{
	char list[1024] = "";
	int n = 0;

	for (size_t i = 0; i < p->n && n < (int)sizeof list; i++)
		n += snprintf(list + n, sizeof list - (size_t)n, "%s%s", i ? ", nor in " : "",
				strcmp(p->dir[i], ".") ? p->dir[i] : "this folder");
	return hlx_fail(HLX_EIO, "%s: not in %s", name, list);
}

int path_find(const char *name, const char *dir, const char *other, char **out)
{
	struct places p = { .n = 0 };
	const char *models[2];

	*out = NULL;
	if (*name == '/' || (!dir && strchr(name, '/')))
		return (*out = strdup(name)) ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");
	add_place(&p, dir ? dir : ".");
	if (other)
		add_place(&p, other);
	path_models(models);
	for (size_t i = 0; i < CLI_COUNT(models) && models[i]; i++)
		add_place(&p, models[i]);
	for (size_t i = 0; i < p.n; i++) {
		if (!(*out = strcmp(p.dir[i], ".") ? path_join(p.dir[i], name) : strdup(name)))
			return hlx_fail(HLX_ENOMEM, "out of memory");
		if (exists(*out))
			return 0;
		free(*out);
	}
	*out = NULL;
	return not_found(name, &p);
}
