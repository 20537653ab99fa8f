/* journal.c - files that only grow: metrics.jsonl, chain, tensors, samples.txt. */
#include "runner/folder.h"
#include "runner/paths.h"

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failed(const struct journal *j)
{
	return hlx_fail(HLX_EOUTPUT, "%s: %s", j->path, strerror(errno));
}

static int open_file(const char *folder, const char *name, int flags, int status, struct journal *j)
{
	const char *wrong;
	struct stat st;

	*j = (struct journal){ .path = path_join(folder, name), .fd = -1 };
	if (!j->path)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	wrong = hlx_file_open(j->path, flags, &j->fd, &st);
	if (wrong)
		return hlx_fail(status, "%s: %s", j->path, wrong);
	j->size = (uint64_t)st.st_size;
	return 0;
}

int journal_open(const struct folder *f, const char *name, struct journal *j)
{
	return open_file(f->path, name, O_RDWR | O_CREAT | O_APPEND, HLX_EOUTPUT, j);
}

int journal_view(const char *folder, const char *name, struct journal *j)
{
	return open_file(folder, name, O_RDONLY, HLX_EIO, j);
}

int journal_append(struct journal *j, const char *text, size_t size)
{
	if (hlx_write_all(j->fd, text, size)) { /* a full disk: take back the part that fitted */
		int status = failed(j);
		(void)!ftruncate(j->fd, (off_t)j->size); /* where that fails too, resume cuts it */
		return status;
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

int journal_read(const struct journal *j, uint64_t offset, uint64_t size, char *out)
{
	while (size) {
		ssize_t n = pread(j->fd, out, size < (1u << 30) ? size : 1u << 30, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return hlx_fail(HLX_EIO, "%s: %s", j->path, n ? strerror(errno) : "is cut short");
		out += n;
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

int journal_text(const struct journal *j, char **out)
{
	char *text = malloc(j->size + 1);
	int status = text ? journal_read(j, 0, j->size, text) : hlx_fail(HLX_ENOMEM, "out of memory");

	if (status < 0) {
		free(text);
		return status;
	}
	text[j->size] = '\0';
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
