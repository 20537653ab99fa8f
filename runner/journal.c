/* journal.c - files that only grow: metrics.jsonl, chain, samples.txt. */
#include "runner/folder.h"
#include "runner/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const struct journal *j)
{
	return hlx_fail(HLX_EOUTPUT, "%s: %s", j->path, strerror(errno));
}

int journal_open(const struct folder *f, const char *name, struct journal *j)
{
	struct stat st;

	*j = (struct journal){ .path = path_join(f->path, name), .fd = -1 };
	if (!j->path)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	j->fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (j->fd < 0 || fstat(j->fd, &st) < 0)
		return failed(j);
	j->size = (uint64_t)st.st_size;
	return 0;
}

int journal_append(struct journal *j, const char *text, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(j->fd, text + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) { /* a full disk: take back the part that fitted */
			int status = failed(j);
			if (ftruncate(j->fd, (off_t)j->size) < 0)
				return status;
			return status;
		}
		done += (size_t)n;
	}
	j->size += size;
	return 0;
}

int journal_cut(struct journal *j, uint64_t size)
{
	if (size >= j->size)
		return 0;
	if (ftruncate(j->fd, (off_t)size) < 0)
		return failed(j);
	j->size = size;
	return 0;
}

int journal_sync(struct journal *j)
{
	return fsync(j->fd) < 0 && errno != EINVAL ? failed(j) : 0;
}

int journal_text(const struct journal *j, char **out)
{
	char *text = malloc(j->size + 1);
	uint64_t n = 0;
	ssize_t r = 1;

	if (!text)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	while (n < j->size && (r = pread(j->fd, text + n, j->size - n, (off_t)n)) > 0)
		n += (uint64_t)r;
	if (r < 0) {
		free(text);
		return hlx_fail(HLX_EIO, "%s: %s", j->path, strerror(errno));
	}
	text[n] = '\0';
	*out = text;
	return 0;
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	free(j->path);
	*j = (struct journal){ .fd = -1 };
}
