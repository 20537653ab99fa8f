#include "runner/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int outfile_failed(const struct outfile *o)
{
	return hlx_fail(HLX_EOUTPUT, "writing %s: %s", o->path, strerror(errno));
}

int outfile_open(const char *path, struct outfile *o)
{
	struct stat st;
	int fd;

	*o = (struct outfile){ .path = strdup(path) };
	if (!o->path || asprintf(&o->aside, "%s.%ld.new", path, (long)getpid()) < 0) {
		o->aside = NULL;
		return hlx_fail(HLX_ENOMEM, "out of memory");
	}
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) /* renaming would put a file in a device's place */
		return hlx_fail(HLX_EOUTPUT, "writing %s: is not a file", path);
	fd = open(o->aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return outfile_failed(o);
	if ((o->f = fdopen(fd, "wb")))
		return 0;
	close(fd);
	unlink(o->aside);
	return hlx_fail(HLX_ENOMEM, "out of memory");
}

int outfile_close(struct outfile *o, int status)
{
	if (o->f) {
		if (status >= 0 && (fflush(o->f) || ferror(o->f) || fsync(fileno(o->f))))
			status = outfile_failed(o);
		if (fclose(o->f) && status >= 0)
			status = outfile_failed(o);
		if (status >= 0 && rename(o->aside, o->path))
			status = outfile_failed(o);
		if (status < 0)
			unlink(o->aside);
	}
	free(o->aside);
	free(o->path);
	*o = (struct outfile){ 0 };
	return status;
}
