#include "runner/folder.h"
#include "runner/out.h"
#include "runner/paths.h"

#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *path, const char *name)
{
	return hlx_fail(HLX_EOUTPUT, "%s%s%s: %s", path, *name ? "/" : "", name, strerror(errno));
}

static bool has(const char *path, const char *name)
{
	char *file = path_join(path, name);
	struct stat st;
	bool there = file && !lstat(file, &st);

	free(file);
	return there;
}

/* run.ini comes first, and the checkpoint of step 0 last: before it there is nothing to resume. */
static bool has_checkpoint(const char *path)
{
	char *name = path_join(path, "checkpoints");
	DIR *d = name ? opendir(name) : NULL;
	const struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d)))
		found = !strncmp(e->d_name, "step-", 5);
	if (d)
		closedir(d);
	free(name);
	return found;
}

int folder_check(const char *path)
{
	/* What a run writes, and so would overwrite. */
	static const char *const own[] = { "run.ini", "checkpoints", "chain", "tensors", "metrics.jsonl", "samples.txt" };
	static const char *const model[] = { "model.ini", "model.safetensors" };
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : failed(path, "");
	if (!S_ISDIR(st.st_mode))
		return hlx_fail(HLX_EOUTPUT, "%s: not a folder", path);
	if (has_checkpoint(path))
		return hlx_fail(HLX_EOUTPUT, "%s: holds a run already: hlxt resume %s, or choose another --out", path, path);
	for (size_t i = 0; i < CLI_COUNT(model); i++) /* eval and sample would go on with its weights */
		if (has(path, model[i]))
			return hlx_fail(HLX_EOUTPUT, "%s: holds %s, of a model that is no run: choose another --out", path, model[i]);
	for (size_t i = 0; i < CLI_COUNT(own); i++)
		if (has(path, own[i]))
			return hlx_fail(HLX_EOUTPUT, "%s: holds %s, but no checkpoint (a run killed as it began leaves that): "
					"remove the folder, or choose another --out", path, own[i]);
	return access(path, W_OK | X_OK) ? failed(path, "") : 0;
}

/* mkdir's error for a folder that is there depends on where it is (EEXIST, EROFS, EACCES); errno is as it was. */
static bool is_folder(const char *path)
{
	int error = errno;
	struct stat st;
	bool there = !stat(path, &st) && S_ISDIR(st.st_mode);

	errno = error;
	return there;
}

/* Every folder on the way; *made_from is the length of the first that was not there. */
static int make_path(const char *path, size_t *made_from)
{
	char *part = strdup(path);
	int status = part ? 0 : hlx_fail(HLX_ENOMEM, "out of memory");

	*made_from = SIZE_MAX;
	for (size_t i = 1; status >= 0 && i <= strlen(path); i++) {
		if (path[i] != '/' && path[i])
			continue;
		part[i] = '\0';
		if (!mkdir(part, 0777))
			*made_from = i < *made_from ? i : *made_from;
		else if (!is_folder(part))
			status = failed(part, "");
		part[i] = path[i];
	}
	free(part);
	return status;
}

/* The lock's file may have been removed between open and flock: then it locks nothing. */
static bool is_current(int fd, const char *file)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(file, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int lock(struct folder *f)
{
	char *file = path_join(f->path, "lock"), owner[32] = "";
	struct stat st;
	const char *wrong = file ? hlx_file_open(file, O_RDWR | O_CREAT, &f->lock, &st) : "out of memory";
	int status = 0;

	if (wrong)
		status = hlx_fail(HLX_EOUTPUT, "%s/lock: %s", f->path, wrong);
	else if (flock(f->lock, LOCK_EX | LOCK_NB) < 0 || !is_current(f->lock, file)) {
		ssize_t n = pread(f->lock, owner, sizeof owner - 1, 0);
		owner[n > 0 ? strspn(owner, "0123456789") : 0] = '\0';
		status = hlx_fail(HLX_EOUTPUT, "%s: in use by another run%s%s%s", f->path, *owner ? " (process " : "", owner,
				*owner ? ")" : "");
	} else {
		int n = snprintf(owner, sizeof owner, "%ld\n", (long)getpid());
		if (ftruncate(f->lock, 0) || pwrite(f->lock, owner, (size_t)n, 0) != n) {
			status = failed(f->path, "lock");
			if (f->made_from != SIZE_MAX)
				unlink(file);
		}
	}
	free(file);
	if (status < 0 && f->lock >= 0) {
		close(f->lock);
		f->lock = -1;
	}
	return status;
}

int folder_without(const char *path)
{
	if (has(path, "checkpoints"))
		return hlx_fail(HLX_EIO, "%s: holds no checkpoint (a run killed as it began leaves that): remove the folder, and start "
				"the run again with hlxt run", path);
	return hlx_fail(HLX_EIO, "%s: not a run's folder (it has no %s)", path, has(path, "run.ini") ? "checkpoints" : "run.ini");
}

/* "run-12.ini.4711.partial", as out_open names what it writes. */
static bool is_half_ini(const char *name)
{
	const char *at = strncmp(name, "run", 3) ? NULL : strstr(name, ".ini.");
	size_t digits = at ? strspn(at + 5, "0123456789") : 0;

	return digits && !strcmp(at + 5 + digits, ".partial");
}

/* Under the lock: nobody is writing them. */
static void remove_halves(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (is_half_ini(e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

int folder_open(const char *path, struct folder *f)
{
	*f = (struct folder){ .path = strdup(path), .lock = -1, .made_from = SIZE_MAX };
	if (!f->path)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	CLI_TRY(path_folder(path));
	if (!has(path, "run.ini") && has_checkpoint(path))
		return hlx_fail(HLX_EIO, "%s: not a run's folder (it has no run.ini)", path);
	if (!has(path, "run.ini") || !has(path, "checkpoints"))
		return folder_without(path);
	CLI_TRY(lock(f));
	remove_halves(path);
	return 0;
}

void folder_close(struct folder *f)
{
	if (f->lock >= 0)
		close(f->lock);
	free(f->path);
	*f = (struct folder){ .lock = -1 };
}

/* The folders that make_path made, as far as they are empty. */
static void unmake_path(struct folder *f)
{
	char *path = f->path;

	for (size_t n = strlen(path); f->made_from != SIZE_MAX && n >= f->made_from && n; n--)
		if (!path[n] || path[n] == '/') {
			path[n] = '\0';
			if (rmdir(path))
				break;
		}
	f->made_from = SIZE_MAX;
}

void folder_discard(struct folder *f)
{
	static const char *const names[] = {
		"checkpoints/.partial", "checkpoints/step-0", "checkpoints", /* folders, then files */
		"run.ini", "run-0.ini", "metrics.jsonl", "chain", "tensors", "samples.txt", "lock"
	};

	for (size_t i = 0; i < CLI_COUNT(names); i++) {
		char *p = path_join(f->path, names[i]);
		if (p && i < 3)
			folder_remove(p);
		else if (p)
			unlink(p);
		free(p);
	}
	unmake_path(f);
}

int folder_create(const char *path, struct folder *f)
{
	char *checkpoints = path_join(path, "checkpoints");
	int status;

	*f = (struct folder){ .path = strdup(path), .lock = -1, .made_from = SIZE_MAX };
	if (!f->path || !checkpoints)
		status = hlx_fail(HLX_ENOMEM, "out of memory");
	else if ((status = make_path(path, &f->made_from)) >= 0 && (status = lock(f)) >= 0 &&
			(status = folder_check(path)) >= 0 && mkdir(checkpoints, 0777)) {
		status = failed(path, "checkpoints");
		folder_discard(f);
	}
	if (status < 0 && f->path)
		unmake_path(f);
	free(checkpoints);
	return status;
}

int folder_write(const struct folder *f, const char *name, const char *text, size_t size)
{
	char *to = path_join(f->path, name);
	int status = to ? out_text(to, text, size) : hlx_fail(HLX_ENOMEM, "out of memory");

	free(to);
	return status < 0 ? status : folder_sync(f->path);
}
