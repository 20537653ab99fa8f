#include "runner/out.h"
#include "runner/folder.h"
#include "runner/paths.h"

#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

static int copy(const char *from, const char *to)
{
	struct stat st;
	char block[1 << 14];
	ssize_t n = 0;
	int in, out, status = 0;
	const char *wrong = hlx_file_open(from, O_RDONLY, &in, &st);

	if (wrong)
		return hlx_fail(HLX_EIO, "%s: %s", from, wrong);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	while (out >= 0 && status >= 0 && (n = read(in, block, sizeof block)) > 0)
		status = hlx_write_all(out, block, (size_t)n) ? failed(to) : 0;
	if (n < 0)
		status = hlx_fail(HLX_EIO, "%s: %s", from, strerror(errno));
	close(in);
	if (out < 0 || (status >= 0 && fsync(out)))
		status = failed(to);
	if (out >= 0 && close(out) && status >= 0)
		status = failed(to);
	return status;
}

int out_copy(const char *from, const char *to, const char *name)
{
	char *path = path_join(to, name);
	int status = path ? copy(from, path) : hlx_fail(HLX_ENOMEM, "out of memory");

	free(path);
	return status;
}

int out_copy_in(const char *from, const char *to, const char *name)
{
	char *path = path_join(from, name);
	int status = path ? out_copy(path, to, name) : hlx_fail(HLX_ENOMEM, "out of memory");

	free(path);
	return status;
}
