/*
 * tensorboard.c - TFRecords of Event messages, in the wire format of protocol buffers, little-endian.
 *
 *     record       u64 size | u32 masked crc of these 8 bytes | size bytes | u32 masked crc of those
 *     Event        1 wall_time (double)  2 step (varint)  3 file_version (string)  5 summary  7 session_log
 *     Summary      1 value, repeated: { 1 tag (string)  2 simple_value (float) }
 *     SessionLog   1 status: 1 is START, at which TensorBoard forgets the steps that it had read
 */
#include "runner/tensorboard.h"

#include "hlx/math.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRONT "events.out.tfevents."
#define NAME FRONT "%010lld.hlxt"

struct bytes {
	unsigned char at[256]; /* six values of a tag of 12 letters at most take 170 */
	size_t size;
};

/* Polynomial of Castagnoli, reflected; a step is 170 bytes, too few for a table. */
static uint32_t masked_crc(const unsigned char *at, size_t n)
{
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= *at++;
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	crc = ~crc;
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_int(struct bytes *b, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		b->at[b->size++] = (unsigned char)(v >> 8 * i);
}

static void put(struct bytes *b, const void *data, size_t n)
{
	memcpy(b->at + b->size, data, n);
	b->size += n;
}

static void put_varint(struct bytes *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		put_int(b, (v & 0x7f) | 0x80, 1);
	put_int(b, v, 1);
}

enum wire { VARINT = 0, FIXED64 = 1, BLOCK = 2, FIXED32 = 5 };
static void put_key(struct bytes *b, unsigned field, enum wire type)
{
	put_varint(b, field << 3 | type);
}

static void put_block(struct bytes *b, unsigned field, const void *data, size_t n)
{
	put_key(b, field, BLOCK);
	put_varint(b, n);
	put(b, data, n);
}

static void put_value(struct bytes *summary, const char *tag, float x)
{
	struct bytes value = { .size = 0 };

	put_block(&value, 1, tag, strlen(tag));
	put_key(&value, 2, FIXED32);
	put_int(&value, hlx_bits(x), 4);
	put_block(summary, 1, value.at, value.size);
}

static void begin_event(struct bytes *b, double time)
{
	uint64_t bits;

	memcpy(&bits, &time, sizeof bits);
	b->size = 0;
	put_key(b, 1, FIXED64);
	put_int(b, bits, 8);
}

static void put_record(struct bytes *out, const struct bytes *event)
{
	out->size = 0;
	put_int(out, event->size, 8);
	put_int(out, masked_crc(out->at, 8), 4);
	put(out, event->at, event->size);
	put_int(out, masked_crc(event->at, event->size), 4);
}

static void make_step(struct bytes *out, const struct metrics *m, double time)
{
	struct bytes summary = { .size = 0 }, event;

	put_value(&summary, "loss", m->loss);
	put_value(&summary, "lr", m->lr);
	put_value(&summary, "grad_norm", m->grad_norm);
	put_value(&summary, "tokens_per_s", (float)m->tokens_per_s);
	if (m->memory)
		put_value(&summary, "memory", (float)m->memory);
	if (m->has_valid)
		put_value(&summary, "val_loss", m->valid_loss);
	begin_event(&event, time);
	put_key(&event, 2, VARINT);
	put_varint(&event, m->step);
	put_block(&event, 5, summary.at, summary.size);
	put_record(out, &event);
}

static void write_head(FILE *f, double time)
{
	static const char version[] = "brain.Event:2";
	static const unsigned char start[] = { 1 << 3 | VARINT, 1 };
	struct bytes event, record;

	begin_event(&event, time);
	put_block(&event, 3, version, sizeof version - 1);
	put_record(&record, &event);
	fwrite(record.at, 1, record.size, f);
	begin_event(&event, time);
	put_block(&event, 7, start, sizeof start);
	put_record(&record, &event);
	fwrite(record.at, 1, record.size, f);
}

static double clock_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* metrics.jsonl has how long a step took, not when: the last one ended now. */
static int make_file(const struct metrics *m, size_t n, char **text, size_t *size)
{
	FILE *f = open_memstream(text, size);
	double time = clock_time();
	struct bytes record;
	bool good;

	if (!f)
		return hlx_fail(HLX_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		time -= 1e-3 * m[i].ms;
	write_head(f, time);
	for (size_t i = 0; i < n; i++) {
		make_step(&record, &m[i], time += 1e-3 * m[i].ms);
		fwrite(record.at, 1, record.size, f);
	}
	good = !ferror(f);
	return fclose(f) || !good ? hlx_fail(HLX_ENOMEM, "out of memory") : 0;
}

/* The number in the name of one of our files, or -1. */
static long long number_of(const char *name)
{
	char *end;
	long long n;

	if (strncmp(name, FRONT, strlen(FRONT)))
		return -1;
	n = strtoll(name + strlen(FRONT), &end, 10);
	return strcmp(end, ".hlxt") ? -1 : n;
}

/* The newest of our files in a folder; those other than keep are removed (keep -2: none is). */
static long long tidy(const char *path, long long keep)
{
	DIR *d = opendir(path);
	long long newest = -1;

	for (struct dirent *e; d && (e = readdir(d));) {
		long long n = number_of(e->d_name);
		newest = n > newest ? n : newest;
		if (n >= 0 && keep != -2 && n != keep)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
	return newest;
}

int tensorboard_open(const struct folder *f, struct journal *out)
{
	long long newest = tidy(f->path, -2), number = (long long)clock_time();
	char name[64], *text = NULL;
	struct metrics *m;
	size_t n, size = 0;
	int status = metrics_read(f->path, &m, &n);

	if (number <= newest)
		number = newest + 1;
	snprintf(name, sizeof name, NAME, number);
	if (status >= 0)
		status = make_file(m, n, &text, &size);
	if (status >= 0)
		status = folder_write(f, name, text, size);
	free(text);
	free(m);
	CLI_TRY(status);
	tidy(f->path, number);
	return journal_open(f, name, out);
}

int tensorboard_append(struct journal *j, const struct metrics *m)
{
	struct bytes record;

	make_step(&record, m, clock_time());
	return journal_append(j, (const char *)record.at, record.size);
}
