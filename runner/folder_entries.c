/* folder_entries.c - what is in a folder: numbered entries, all of them to be removed, and that they are on the disk. */
#include "runner/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "step-12" or "run-12.ini", in the digits that we would write. */
static bool number_in(const char *name, const char *before, const char *after, uint64_t *out)
{
	char again[64], *end;
	size_t n = strlen(before);

	if (strncmp(name, before, n) || name[n] < '0' || name[n] > '9')
		return false;
	*out = strtoull(name + n, &end, 10);
	snprintf(again, sizeof again, "%s%llu%s", before, (unsigned long long)*out, after);
	return !strcmp(name, again);
}

size_t folder_numbers(const char *path, const char *before, const char *after, uint64_t **out)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	uint64_t number, *grown;
	size_t n = 0;

	*out = NULL;
	while (d && (e = readdir(d))) {
		if (!number_in(e->d_name, before, after, &number) || !(grown = realloc(*out, (n + 1) * sizeof(**out))))
			continue;
		*out = grown;
		size_t at = n++;
		for (; at && grown[at - 1] > number; at--)
			grown[at] = grown[at - 1];
		grown[at] = number;
	}
	if (d)
		closedir(d);
	return n;
}

void folder_remove(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(path);
}

int folder_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), bad = fd < 0 || (fsync(fd) && errno != EINVAL);
	int status = bad ? hlx_fail(HLX_EOUTPUT, "%s: %s", path, strerror(errno)) : 0;

	if (fd >= 0)
		close(fd);
	return status;
}
