/* data_files.c - the files of a corpus: mapped, told apart, and read so that one that changes is an error and no crash. */
#include "runner/data.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define CHUNK (1u << 20) /* tokens */
#define BLOCK (16u << 10) /* bytes */
#define BLOCKS 1024

/*
 * A mapped file that shrinks turns a read into SIGBUS, and what is left of its last page into zeros.  Reads are made
 * under a guard that the handler jumps out of, and the size is looked at afterwards.
 */
static sigjmp_buf guard;
static volatile sig_atomic_t guarded;

static void on_bus_error(int number)
{
	if (guarded)
		siglongjmp(guard, 1);
	signal(number, SIG_DFL); /* not ours: it happens again, and ends us */
}

/* A file that is gone could be read to the end, but not by who resumes or verifies the run. */
static int check_file(const struct data_file *f, bool torn)
{
	struct stat st;

	if (torn || fstat(f->fd, &st) < 0 || (uint64_t)st.st_size < f->bytes)
		return hlx_fail(HLX_EIO, "corpus %s: shrank while it was read (it had %llu bytes)", f->path,
				(unsigned long long)f->bytes);
	if (!st.st_nlink)
		return hlx_fail(HLX_EIO, "corpus %s: was removed or replaced while it was read", f->path);
	return 0;
}

int data_read(const struct data_file *f, uint64_t at, uint64_t count, data_take fn, void *ctx)
{
	int status, whole;

	if (sigsetjmp(guard, 0)) { /* without the signal mask, which SA_NODEFER leaves as it is: no system call */
		guarded = 0;
		return check_file(f, true);
	}
	guarded = 1;
	status = fn(ctx, f->map + f->offset + at * f->width, count);
	guarded = 0;
	whole = check_file(f, false);
	return whole < 0 ? whole : status;
}

int data_blame(const struct data_file *f, uint64_t at, uint32_t token, uint64_t vocab_size)
{
	return hlx_fail(HLX_EIO, "corpus %s: %s %llu is %u, and vocab_size = %llu ends below that", f->path,
			f->width == 1 ? "byte" : "token", (unsigned long long)at, token, (unsigned long long)vocab_size);
}

/* ---- opening ---- */

struct head {
	uint8_t bytes[TOKEN_HEADER];
	size_t n;
};

static int take_head(void *ctx, const uint8_t *bytes, uint64_t n)
{
	struct head *h = ctx;

	memcpy(h->bytes, bytes, n);
	h->n = n;
	return 0;
}

static int map_file(const char *path, enum token_format format, struct data_file *f)
{
	struct token_layout layout;
	struct head head;
	struct stat st;
	void *map;

	*f = (struct data_file){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), .width = 1 };
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return hlx_fail(HLX_EIO, "corpus %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return hlx_fail(HLX_EIO, "corpus %s: %s, want a file", path, S_ISDIR(st.st_mode) ? "is a folder" : "not a regular file");
	if (!st.st_size)
		return hlx_fail(HLX_EIO, "corpus %s: is empty", path);
	if (!(f->path = strdup(path)))
		return hlx_fail(HLX_ENOMEM, "out of memory");
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, f->fd, 0);
	if (map == MAP_FAILED)
		return hlx_fail(HLX_EIO, "corpus %s: cannot be mapped: %s", path, strerror(errno));
	f->map = map;
	f->bytes = (uint64_t)st.st_size;
	if (f->bytes > DATA_WHOLE) /* sequences are anywhere: what the kernel reads around them is of no use */
		posix_madvise(map, (size_t)st.st_size, POSIX_MADV_RANDOM);
	CLI_TRY(data_read(f, 0, f->bytes < TOKEN_HEADER ? f->bytes : TOKEN_HEADER, take_head, &head));
	CLI_TRY(token_layout(path, head.bytes, head.n, f->bytes, format, &layout));
	f->width = layout.width;
	f->offset = layout.offset;
	f->size = layout.count;
	return 0;
}

/* ---- the first reading ---- */

struct scan {
	const struct data_file *file;
	uint64_t at, vocab_size;
	XXH64_state_t *hash;
};

static int scan_tokens(void *ctx, const uint8_t *bytes, uint64_t n)
{
	const struct scan *s = ctx;
	uint32_t width = s->file->width;

	for (uint64_t i = 0; s->vocab_size < 1ull << 8 * width && i < n; i++)
		if (token_at(bytes + i * width, width) >= s->vocab_size)
			return data_blame(s->file, s->at + i, token_at(bytes + i * width, width), s->vocab_size);
	XXH64_update(s->hash, bytes, n * width);
	return 0;
}

static int scan_whole(struct scan *s)
{
	for (s->at = 0; s->at < s->file->size; s->at += CHUNK) {
		uint64_t n = s->file->size - s->at < CHUNK ? s->file->size - s->at : CHUNK;
		CLI_TRY(data_read(s->file, s->at, n, scan_tokens, s));
	}
	return 0;
}

/* total: tokens of all files. */
static int scan_blocks(struct scan *s, uint64_t total)
{
	const struct data_file *f = s->file;
	uint64_t block = BLOCK / f->width, share = (uint64_t)((double)BLOCKS * (double)f->size / (double)total);
	uint64_t n = share > 2 ? share : 2, last;

	XXH64_update(s->hash, &f->bytes, sizeof f->bytes);
	if (f->size <= n * block)
		return scan_whole(s);
	last = f->size - block;
	for (uint64_t i = 0; i < n; i++) {
		s->at = (uint64_t)((double)last * (double)i / (double)(n - 1));
		s->at = i + 1 == n || s->at > last ? last : s->at;
		CLI_TRY(data_read(f, s->at, block, scan_tokens, s));
	}
	return 0;
}

static int fingerprint(struct data *d)
{
	XXH64_state_t *hash = XXH64_createState();
	uint64_t bytes = 0;
	int status = 0;

	if (!hash)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	XXH64_reset(hash, 0);
	for (size_t i = 0; i < d->n_files; i++)
		bytes += d->file[i].bytes;
	for (size_t i = 0; i < d->n_files && status >= 0; i++) {
		struct scan s = { &d->file[i], 0, d->vocab_size, hash };
		status = bytes <= DATA_WHOLE ? scan_whole(&s) : scan_blocks(&s, d->size);
	}
	d->fingerprint = XXH64_digest(hash);
	XXH64_freeState(hash);
	return status;
}

/* Each file stays open; a corpus of 1000 shards needs more than the usual 1024. */
static void allow_files(size_t n)
{
	struct rlimit limit;

	if (n < 512 || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int data_open(char *const *paths, size_t n_train, size_t n, enum token_format format, uint64_t vocab_size, struct data *d)
{
	struct sigaction action = { .sa_handler = on_bus_error, .sa_flags = SA_NODEFER };

	*d = (struct data){ .file = calloc(n ? n : 1, sizeof(*d->file)), .vocab_size = vocab_size, .n_train = n_train };
	if (!d->file)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
	allow_files(n);
	for (size_t i = 0; i < n; i++) {
		struct data_file *f = &d->file[d->n_files++];
		CLI_TRY(map_file(paths[i], format, f));
		f->first = d->size;
		d->size += f->size;
		d->train_size += i < n_train ? f->size : 0;
	}
	return fingerprint(d);
}

void data_close(struct data *d)
{
	for (size_t i = 0; i < d->n_files; i++) {
		struct data_file *f = &d->file[i];
		if (f->map)
			munmap((void *)f->map, (size_t)f->bytes);
		if (f->fd >= 0)
			close(f->fd);
		free(f->path);
	}
	free(d->file);
	*d = (struct data){ 0 };
}
