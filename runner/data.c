#include "runner/data.h"

#include "core/numerics.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { SHUFFLE = 2, SHIFT = 3 }; /* purposes of random numbers; the core's initial weights are 1 */

#define CHUNK (1u << 20)

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

static int shrunk(const struct data_file *f)
{
	return hlx_fail(HLX_EIO, "corpus %s: shrank while it was read (it had %llu bytes)", f->path,
			(unsigned long long)f->size);
}

/* fn over n bytes from offset; 0 or what fn returned, or HLX_EIO where the file is no longer that long. */
static int read_guarded(const struct data_file *f, uint64_t offset, uint64_t n,
		int (*fn)(void *ctx, const uint8_t *bytes, uint64_t n), void *ctx)
{
	struct stat st;
	int status;

	if (sigsetjmp(guard, 1)) {
		guarded = 0;
		return shrunk(f);
	}
	guarded = 1;
	status = fn(ctx, f->map + offset, n);
	guarded = 0;
	if (fstat(f->fd, &st) < 0 || (uint64_t)st.st_size < f->size)
		return shrunk(f);
	return status;
}

static int map_file(const char *path, struct data_file *f)
{
	struct stat st;
	void *map;

	*f = (struct data_file){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) };
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
	f->size = (uint64_t)st.st_size;
	return 0;
}

/* ---- the first reading: every byte a token, and the hash of all ---- */

struct scan {
	const struct data_file *file;
	uint64_t offset, vocab_size;
	XXH64_state_t *hash;
};

static int scan_chunk(void *ctx, const uint8_t *bytes, uint64_t n)
{
	struct scan *s = ctx;

	for (uint64_t i = 0; s->vocab_size < 256 && i < n; i++)
		if (bytes[i] >= s->vocab_size)
			return hlx_fail(HLX_EIO, "corpus %s: byte %llu is %u, and vocab_size = %llu ends below that",
					s->file->path, (unsigned long long)(s->offset + i), bytes[i],
					(unsigned long long)s->vocab_size);
	XXH64_update(s->hash, bytes, n);
	return 0;
}

static int scan_file(const struct data_file *f, uint64_t vocab_size, XXH64_state_t *hash)
{
	struct scan s = { f, 0, vocab_size, hash };

	for (; s.offset < f->size; s.offset += CHUNK) {
		uint64_t n = f->size - s.offset < CHUNK ? f->size - s.offset : CHUNK;
		CLI_TRY(read_guarded(f, s.offset, n, scan_chunk, &s));
	}
	return 0;
}

int data_open(char *const *paths, size_t n, uint64_t vocab_size, struct data *d)
{
	struct sigaction action = { .sa_handler = on_bus_error };
	XXH64_state_t *hash = XXH64_createState();
	int status = 0;

	*d = (struct data){ .file = calloc(n ? n : 1, sizeof(*d->file)), .vocab_size = vocab_size };
	if (!d->file || !hash) {
		XXH64_freeState(hash);
		return hlx_fail(HLX_ENOMEM, "out of memory");
	}
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
	XXH64_reset(hash, 0);
	for (size_t i = 0; i < n && status >= 0; i++) {
		struct data_file *f = &d->file[d->n_files++];
		status = map_file(paths[i], f);
		if (status >= 0)
			status = scan_file(f, vocab_size, hash);
		f->first = d->size;
		d->size += f->size;
	}
	d->fingerprint = XXH64_digest(hash);
	XXH64_freeState(hash);
	return status;
}

void data_close(struct data *d)
{
	for (size_t i = 0; i < d->n_files; i++) {
		struct data_file *f = &d->file[i];
		if (f->map)
			munmap((void *)f->map, (size_t)f->size);
		if (f->fd >= 0)
			close(f->fd);
		free(f->path);
	}
	free(d->file);
	*d = (struct data){ 0 };
}

/* ---- sequences ---- */

int data_split(struct data *d, double split, uint64_t seq_len, uint64_t seed)
{
	uint64_t valid = (uint64_t)((double)d->size * split);

	d->seq_len = seq_len;
	d->seed = seed;
	d->train_size = d->size - valid;
	if (d->train_size <= seq_len)
		return hlx_fail(HLX_EIO, "corpus %s%s: %llu bytes for training are fewer than one sequence takes (max_seq_len = %llu, and one more)",
				d->file[0].path, d->n_files > 1 ? " and others" : "", (unsigned long long)d->train_size,
				(unsigned long long)seq_len);
	/* One window fewer than there is room for leaves more than seq_len offsets, so that epochs cut differently. */
	d->windows = d->train_size / seq_len;
	d->windows -= d->windows > 1;
	d->slack = d->train_size - 1 - d->windows * seq_len;
	d->valid_windows = valid ? (valid - 1) / seq_len : 0;
	return 0;
}

uint64_t data_start(const struct data *d, uint64_t g)
{
	uint64_t epoch = g / d->windows, window;
	uint32_t r[4];
	char name[32];

	snprintf(name, sizeof name, "epoch.%llu", (unsigned long long)epoch);
	hlx_philox(d->seed, hlx_stream(SHIFT, "offset"), epoch, r);
	window = hlx_permute(d->seed, hlx_stream(SHUFFLE, name), g % d->windows, d->windows);
	return window * d->seq_len + (((uint64_t)r[1] << 32 | r[0]) % (d->slack + 1));
}

uint64_t data_valid_start(const struct data *d, uint64_t i, uint64_t count)
{
	uint64_t n = d->valid_windows, used = count < n ? count : n;

	i %= used; /* where the part has fewer windows than asked for, some serve twice */
	return d->train_size + i * (n / used) * d->seq_len;
}

struct span {
	uint8_t *to;
};

static int copy_bytes(void *ctx, const uint8_t *bytes, uint64_t n)
{
	struct span *s = ctx;

	memcpy(s->to, bytes, n);
	s->to += n;
	return 0;
}

static int copy_range(const struct data *d, uint64_t start, uint64_t n, uint8_t *out)
{
	struct span s = { out };

	for (size_t i = 0; i < d->n_files && n; i++) {
		const struct data_file *f = &d->file[i];
		uint64_t offset, part;

		if (start >= f->first + f->size)
			continue;
		offset = start - f->first;
		part = f->size - offset < n ? f->size - offset : n;
		CLI_TRY(read_guarded(f, offset, part, copy_bytes, &s));
		start += part;
		n -= part;
	}
	return n ? hlx_fail(HLX_EIO, "corpus: sequence beyond its end") : 0;
}

int data_sequence(const struct data *d, uint64_t start, uint32_t *tokens, uint32_t *targets)
{
	uint64_t n = d->seq_len;
	uint8_t *bytes = malloc(n + 1);
	int status;

	if (!bytes)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	status = copy_range(d, start, n + 1, bytes);
	for (uint64_t i = 0; i <= n && status >= 0; i++)
		if (bytes[i] >= d->vocab_size) /* someone wrote to the file since it was opened */
			status = hlx_fail(HLX_EIO, "corpus: byte %llu has become %u, and vocab_size = %llu ends below that",
					(unsigned long long)(start + i), bytes[i], (unsigned long long)d->vocab_size);
	for (uint64_t i = 0; i < n && status >= 0; i++) {
		tokens[i] = bytes[i];
		targets[i] = bytes[i + 1];
	}
	free(bytes);
	return status;
}
