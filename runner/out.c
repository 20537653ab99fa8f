#include "runner/out.h"
#include "runner/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *path)
{
	return hlx_fail(HLX_EOUTPUT, "%s: %s", path, strerror(errno));
}

static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	bool empty = d;

	while (empty && (e = readdir(d)))
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	if (d)
		closedir(d);
	return empty;
}

/* A file or a folder of files; what is not there needs no removing. */
static void discard(const char *aside)
{
	if (unlink(aside) && errno != ENOENT)
		folder_remove(aside);
}

int out_begin(const char *path, bool folder, char **aside)
{
	size_t n = strlen(path);
	struct stat st;

	while (n > 1 && path[n - 1] == '/')
		n--;
	*aside = NULL;
	if (!lstat(path, &st) && !(folder && is_empty(path)))
		return hlx_fail(HLX_EOUTPUT, "%s: is there already: choose another --out", path);
	if (asprintf(aside, "%.*s.partial", (int)n, path) < 0) {
		*aside = NULL;
		return hlx_fail(HLX_ENOMEM, "out of memory");
	}
	discard(*aside); /* what a crash has left */
	return folder && mkdir(*aside, 0777) ? failed(*aside) : 0;
}

int out_end(const char *path, char *aside, int status)
{
	struct stat st;

	if (status >= 0 && !stat(aside, &st) && S_ISDIR(st.st_mode))
		status = folder_sync(aside);
	if (status >= 0 && rename(aside, path))
		status = failed(path);
	if (status < 0 && aside)
		discard(aside);
	free(aside);
	return status;
}
