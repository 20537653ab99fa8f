#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* O_NONBLOCK: a FIFO that nobody writes to would hold us up for good; to a regular file it means nothing. */
const char *hlx_file_open(const char *path, int flags, int *fd, struct stat *st)
{
	*fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
	if (*fd < 0)
		return strerror(errno);
	if (!fstat(*fd, st) && S_ISREG(st->st_mode))
		return NULL;
	close(*fd);
	*fd = -1;
	return "not a regular file";
}

int hlx_write_all(int fd, const void *data, size_t size)
{
	for (const char *at = data; size;) {
		ssize_t n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}
