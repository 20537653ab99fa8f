#include "runner/out.h"
#include "runner/folder.h"
#include "runner/paths.h"

#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_memory(void)
{
	return hlx_fail(HLX_ENOMEM, "out of memory");
}

int out_failed(const struct out *o)
{
	return hlx_fail(HLX_EOUTPUT, "writing %s: %s", o->path, strerror(errno));
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

int out_new(const char *path, bool folder)
{
	struct stat st;

	return lstat(path, &st) || (folder && is_empty(path)) ? 0 :
		hlx_fail(HLX_EOUTPUT, "%s: is there already: choose another --out", path);
}

/* ---- begin ---- */

static int make(const char *aside, bool folder)
{
	return folder ? mkdir(aside, 0777) : open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

/* Under a name that nobody has: neither another process that writes the same, nor what a crash has left. */
static int begin(const char *path, size_t n, bool folder, struct out *o, int *made)
{
	*o = (struct out){ .path = strndup(path, n) };
	for (long id = getpid(); o->path; id++) {
		if (asprintf(&o->aside, "%s.%ld.partial", o->path, id) < 0)
			break;
		if ((*made = make(o->aside, folder)) >= 0)
			return 0;
		free(o->aside);
		o->aside = NULL;
		if (errno != EEXIST)
			return out_failed(o);
	}
	o->aside = NULL;
	return no_memory();
}

int out_open(const char *path, struct out *o)
{
	struct stat st;
	int fd;

	*o = (struct out){ 0 };
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) /* renaming would put a file in a device's place */
		return hlx_fail(HLX_EOUTPUT, "writing %s: is not a file", path);
	CLI_TRY(begin(path, strlen(path), false, o, &fd));
	if ((o->f = fdopen(fd, "wb")))
		return 0;
	close(fd);
	return no_memory();
}

int out_folder(const char *path, struct out *o)
{
	size_t n = strlen(path);
	int made;

	while (n > 1 && path[n - 1] == '/')
		n--;
	return begin(path, n, true, o, &made);
}

/* ---- end ---- */

static int sync_all(const struct out *o)
{
	if (!o->f)
		return folder_sync(o->aside);
	return fflush(o->f) || ferror(o->f) || fsync(fileno(o->f)) ? out_failed(o) : 0;
}

int out_end(struct out *o, int status)
{
	if (o->aside && status >= 0)
		status = sync_all(o);
	if (o->f && fclose(o->f) && status >= 0)
		status = out_failed(o);
	if (o->aside && status >= 0 && rename(o->aside, o->path))
		status = out_failed(o);
	if (o->aside && status < 0 && unlink(o->aside))
		folder_remove(o->aside);
	free(o->aside);
	free(o->path);
	*o = (struct out){ 0 };
	return status;
}

/* ---- whole files ---- */

int out_text(const char *path, const char *text, size_t size)
{
	struct out o;
	int status = out_open(path, &o);

	if (status >= 0 && fwrite(text, 1, size, o.f) != size)
		status = out_failed(&o);
	return out_end(&o, status);
}

int out_json(const char *dir, const char *name, json_t *j)
{
	char *path = j ? path_join(dir, name) : NULL;
	struct out o = { 0 };
	int status = path ? out_open(path, &o) : no_memory();

	if (status >= 0 && (json_dumpf(j, o.f, JSON_INDENT(2)) || fputc('\n', o.f) == EOF))
		status = out_failed(&o);
	json_decref(j);
	free(path);
	return out_end(&o, status);
}

static int copy(const char *from, const char *to)
{
	struct stat st;
	char block[1 << 14];
	ssize_t n = 0;
	struct out o;
	int in, status;
	const char *wrong = hlx_file_open(from, O_RDONLY, &in, &st);

	if (wrong)
		return hlx_fail(HLX_EIO, "%s: %s", from, wrong);
	status = out_open(to, &o);
	while (status >= 0 && (n = read(in, block, sizeof block)) > 0)
		status = fwrite(block, 1, (size_t)n, o.f) == (size_t)n ? 0 : out_failed(&o);
	if (n < 0)
		status = hlx_fail(HLX_EIO, "%s: %s", from, strerror(errno));
	close(in);
	return out_end(&o, status);
}

int out_copy(const char *from, const char *to, const char *name)
{
	char *path = path_join(to, name);
	int status = path ? copy(from, path) : no_memory();

	free(path);
	return status;
}

int out_copy_in(const char *from, const char *to, const char *name)
{
	char *path = path_join(from, name);
	int status = path ? out_copy(path, to, name) : no_memory();

	free(path);
	return status;
}
