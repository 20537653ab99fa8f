/* check_checkpoint.c - safetensors files from friends and strangers, the run's folder, its chain, tensors and metrics. */
#include "core/numerics.h"
#include "runner/chain.h"
#include "runner/metrics.h"
#include "runner/safetensors.h"
#include "runner/tensors.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[128];

static void make_dir(void)
{
	strcpy(dir, "/tmp/hlx-ckpt-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/file", dir);
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void put_file(const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static size_t get_file(const char *name, char *bytes, size_t room)
{
	FILE *f = fopen(name, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(bytes, 1, room, f);
	fclose(f);
	return n;
}

/* ---- safetensors ---- */

static void write_two(void)
{
	const struct hlx_desc a = { .dtype = HLX_F32, .rank = 2, .dim = { 2, 3 } }, b = { .dtype = HLX_F32, .rank = 1, .dim = { 1 } };
	const float x[7] = { 1, -2, 3.5f, 0, 1e30f, 0x1p-50f, 7 };
	struct st_writer w;

	unlink(path);
	ck_assert_int_eq(st_begin(&w, path), 0);
	ck_assert_int_eq(st_declare(&w, "layer.0.fc.weight", &a), 0);
	ck_assert_int_eq(st_declare(&w, "b", &b), 0);
	ck_assert_int_eq(st_header(&w), 0);
	ck_assert_int_eq(st_write(&w, x, 24), 0);
	ck_assert_int_eq(st_write(&w, x + 6, 4), 0);
	ck_assert_int_eq(st_end(&w), 0);
}

START_TEST(round_trip)
{
	const struct st_tensor *t;
	struct st_file f;
	float x[6];

	write_two();
	ck_assert_int_eq(st_open(path, &f), 0);
	ck_assert_uint_eq(f.count, 2);
	t = st_find(&f, "layer.0.fc.weight");
	ck_assert_ptr_nonnull(t);
	ck_assert_uint_eq(t->begin % 8, 0);
	ck_assert_uint_eq(t->dim[1], 3);
	ck_assert_int_eq(st_read(&f, t, 0, 24, x), 0);
	ck_assert(x[1] == -2 && x[5] == 0x1p-50f);
	ck_assert_int_eq(st_read(&f, t, 20, 4, x), 0);
	ck_assert_int_lt(st_read(&f, t, 20, 5, x), 0);
	ck_assert_int_lt(st_read(&f, t, UINT64_MAX, 2, x), 0);
	ck_assert_ptr_null(st_find(&f, "c"));
	st_close(&f);
}
END_TEST

/* A file of this header and n bytes of data. */
static int open_header(const char *header, size_t n)
{
	char bytes[1024] = "";
	uint64_t size = strlen(header);
	struct st_file f;
	int status;

	memcpy(bytes, &size, 8);
	memcpy(bytes + 8, header, size);
	put_file(bytes, 8 + size + n);
	status = st_open(path, &f);
	if (status >= 0)
		st_close(&f);
	return status;
}

#define T(shape, offsets) "\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets
static const struct {
	const char *header;
	size_t data;
	const char *why; /* NULL: right */
} headers[] = {
	{ "{}", 0, NULL },
	{ "{}      ", 0, NULL },
	{ "{\"a\":{" T("[2]", "[0,8]") "}}", 8, NULL },
	{ "{\"b\":{" T("[1]", "[4,8]") "},\"a\":{" T("[1]", "[0,4]") "}}", 8, NULL },
	{ "{\"a\":{" T("[]", "[0,4]") "},\"e\":{" T("[3,0]", "[4,4]") "}}", 4, NULL },
	{ "{\"__metadata__\":{\"k\":\"v\"}}", 0, NULL },
	{ "{\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, NULL },
	{ " {}", 0, "begin with {" },
	{ "[]", 0, "begin with {" },
	{ "{} {}", 0, "header" },
	{ "{}", 1, "after the last" },
	{ "{\"__metadata__\":{\"k\":1}}", 0, "want dtype" },
	{ "{\"a\":{" T("[2]", "[0,8]") "}}", 7, "do not lie in the file" },
	{ "{\"a\":{" T("[2]", "[0,8]") "}}", 9, "after the last" },
	{ "{\"a\":{" T("[2]", "[0,4]") "}}", 4, "do not fit" },
	{ "{\"a\":{" T("[2]", "[8,0]") "}}", 8, "do not lie in the file" },
	{ "{\"a\":{" T("[2]", "[-8,0]") "}}", 8, "do not lie in the file" },
	{ "{\"a\":{" T("[2]", "[0,8.0]") "}}", 8, "do not lie in the file" },
	{ "{\"a\":{" T("[2]", "[0,8,8]") "}}", 8, "do not lie in the file" },
	{ "{\"a\":{" T("[-2]", "[0,8]") "}}", 8, "not a shape" },
	{ "{\"a\":{" T("[2.0]", "[0,8]") "}}", 8, "not a shape" },
	{ "{\"a\":{" T("2", "[0,8]") "}}", 8, "not a shape" },
	{ "{\"a\":{" T("[1,1,1,1,1,1,1,1,2]", "[0,8]") "}}", 8, "not a shape" },
	{ "{\"a\":{" T("[4611686018427387904]", "[0,0]") "}}", 0, "not a shape" },          /* x 4 = 2^64 */
	{ "{\"a\":{" T("[4294967296,4294967296]", "[0,0]") "}}", 0, "not a shape" },
	{ "{\"a\":{" T("[99999999999999999999]", "[0,0]") "}}", 0, "header" },
	{ "{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype" },
	{ "{\"a\":{\"dtype\":5,\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "unknown dtype" },
	{ "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "want dtype" },
	{ "{\"a\":{" T("[2]", "[0,8]") ",\"x\":1}}", 8, "want dtype" },
	{ "{\"a\":7}", 0, "want dtype" },
	{ "{\"a\":{" T("[1]", "[0,4]") "},\"a\":{" T("[1]", "[4,8]") "}}", 8, "header" },   /* a key twice */
	{ "{\"a\":{" T("[1]", "[0,4]") "},\"b\":{" T("[1]", "[0,4]") "}}", 4, "overlaps" },
	{ "{\"a\":{" T("[2]", "[0,8]") "},\"b\":{" T("[1]", "[4,8]") "}}", 8, "overlaps" },
	{ "{\"a\":{" T("[1]", "[0,4]") "},\"b\":{" T("[1]", "[8,12]") "}}", 12, "a hole" },
	{ "{\"a\":{" T("[1]", "[4,8]") "}}", 8, "a hole" },
};

START_TEST(strange_headers)
{
	int status = open_header(headers[_i].header, headers[_i].data);

	if (!headers[_i].why)
		ck_assert_msg(!status, "%s: %s", headers[_i].header, hlx_message());
	else
		ck_assert_msg(status == HLX_EIO && strstr(hlx_message(), headers[_i].why) && strstr(hlx_message(), path),
				"%s: %d %s", headers[_i].header, status, hlx_message());
}
END_TEST

START_TEST(huge_header_length)
{
	static const uint64_t sizes[] = { 0, 1, 3, 100000001, 1ull << 32, 1ull << 63, UINT64_MAX, UINT64_MAX - 7 };
	struct st_file f;

	for (size_t i = 0; i < CLI_COUNT(sizes); i++) {
		put_file(&sizes[i], 8);
		ck_assert_int_eq(st_open(path, &f), HLX_EIO);
	}
	put_file("", 0);
	ck_assert_int_eq(st_open(path, &f), HLX_EIO);
	ck_assert_int_eq(st_open(dir, &f), HLX_EIO);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	char bytes[1024];
	struct st_file f;
	size_t n;

	write_two();
	n = get_file(path, bytes, sizeof bytes);
	for (size_t i = 0; i < n; i++) {
		put_file(bytes, i);
		ck_assert_int_eq(st_open(path, &f), HLX_EIO);
	}
	put_file(bytes, n);
	ck_assert_int_eq(st_open(path, &f), 0);
	st_close(&f);
}
END_TEST

/* Whatever a mutated file says: no crash (the sanitizers watch), and what opens lies inside the file. */
START_TEST(mutations)
{
	char good[1024], bytes[1024], x[1024];
	int memory = memfd_create("mutant", 0);
	size_t n;

	write_two();
	n = get_file(path, good, sizeof good);
	snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
	for (uint64_t i = 0; i < 20000; i++) {
		struct st_file f;
		uint32_t r[4];
		hlx_philox(1, 1, i, r);
		memcpy(bytes, good, n);
		for (uint32_t k = 0; k <= r[0] % 3; k++)
			bytes[(r[1] >> (8 * k)) % n] = (char)(r[2] >> (8 * k));
		ck_assert_int_eq(pwrite(memory, bytes, n, 0), (int)n);
		if (st_open(path, &f) < 0)
			continue;
		for (size_t t = 0; t < f.count; t++) {
			ck_assert_uint_le(f.tensor[t].end, n);
			ck_assert_int_eq(st_read(&f, &f.tensor[t], 0, f.tensor[t].end - f.tensor[t].begin, x), 0);
		}
		st_close(&f);
	}
}
END_TEST

/* ---- the folder ---- */

START_TEST(folder_is_locked)
{
	char run[128], other[160];
	struct folder f, g;

	snprintf(run, sizeof run, "%s/a/b/run", dir);
	ck_assert_int_eq(folder_check(run), 0);
	ck_assert_int_eq(folder_create(run, &f), 0);
	ck_assert_int_eq(folder_write(&f, "run.ini", "x\n", 2), 0);
	ck_assert_int_eq(folder_open(run, &g), HLX_EOUTPUT);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "in use by another run (process "));
	folder_close(&g);
	ck_assert_int_eq(folder_create(run, &g), HLX_EOUTPUT);
	folder_close(&g);
	ck_assert_int_eq(folder_check(run), HLX_EOUTPUT); /* killed as it began: there is nothing to resume */
	ck_assert_ptr_nonnull(strstr(hlx_message(), "holds run.ini, but no checkpoint"));
	snprintf(other, sizeof other, "%s/checkpoints/step-0", run);
	ck_assert_int_eq(mkdir(other, 0777), 0);
	ck_assert_int_eq(folder_check(run), HLX_EOUTPUT);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "hlxt resume"));
	ck_assert_int_eq(rmdir(other), 0);
	folder_close(&f);
	ck_assert_int_eq(folder_open(run, &g), 0);
	folder_close(&g);
	snprintf(other, sizeof other, "%s/run.ini", run);
	ck_assert_int_eq(folder_check(other), HLX_EOUTPUT); /* a file, or below one */
	ck_assert_int_eq(folder_open(dir, &g), HLX_EIO);
	folder_close(&g);
}
END_TEST

START_TEST(folder_of_a_dead_process_is_free)
{
	char run[128];
	struct folder f;
	pid_t child;

	snprintf(run, sizeof run, "%s/run", dir);
	child = fork();
	if (!child) {
		_exit(folder_create(run, &f) || folder_write(&f, "run.ini", "x\n", 2)); /* keeps the lock to its end */
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(folder_open(run, &f), 0);
	folder_close(&f);
}
END_TEST

START_TEST(discard_leaves_nothing)
{
	char run[128], top[128];
	struct journal j;
	struct folder f;

	snprintf(top, sizeof top, "%s/a", dir);
	snprintf(run, sizeof run, "%s/a/b", dir);
	ck_assert_int_eq(folder_create(run, &f), 0);
	ck_assert_int_eq(journal_open(&f, "chain", &j), 0);
	ck_assert_int_eq(journal_append(&j, "x\n", 2), 0);
	journal_close(&j);
	folder_discard(&f);
	folder_close(&f);
	ck_assert_int_ne(access(top, F_OK), 0);
	ck_assert_int_eq(access(dir, F_OK), 0);
}
END_TEST

/* ---- chain ---- */

static void fill_chain(struct chain *c, uint64_t first, uint64_t last)
{
	for (uint64_t s = first; s <= last; s++)
		ck_assert_int_eq(chain_append(c, s, (uint32_t)(100 + s), 1000 + s), 0);
}

static void open_run(struct folder *f)
{
	char run[128];

	snprintf(run, sizeof run, "%s/run", dir);
	ck_assert_int_eq(folder_create(run, f), 0);
	snprintf(path, sizeof path, "%s/run/chain", dir);
}

/* Cut back to a step and gone on with, torn line or not, it is the chain of a straight run. */
START_TEST(chain_goes_on)
{
	char a[1024] = "", b[1024] = "";
	struct chain_line *line;
	struct folder f;
	struct chain c = { 0 };
	uint64_t steps;

	open_run(&f);
	ck_assert_int_eq(chain_create(&f, &c), 0);
	fill_chain(&c, 0, 10);
	get_file(path, a, sizeof a - 1);
	ck_assert_int_eq(strncmp(a, "numerics = 1\n0 00000064 00000000000003e8 ", 41), 0);
	ck_assert_int_eq(chain_append(&c, 10, 110, 1010), 0); /* again: nothing */
	ck_assert_int_lt(chain_append(&c, 12, 112, 1012), 0);
	ck_assert_int_eq(journal_append(&c.file, "11 0000", 7), 0);
	journal_close(&c.file);
	ck_assert_int_eq(chain_read(f.path, &line, &steps), 0);
	ck_assert_uint_eq(steps, 11);
	ck_assert(line[7].loss_bits == 107 && line[7].state == 1007 && line[10].hash == c.hash);
	free(line);
	ck_assert_int_eq(chain_reopen(&f, 6, &c), 0);
	ck_assert_uint_eq(c.steps, 7);
	fill_chain(&c, 7, 10);
	get_file(path, b, sizeof b - 1);
	ck_assert_str_eq(a, b);
	journal_close(&c.file);
	ck_assert_int_eq(chain_reopen(&f, 11, &c), HLX_EIO); /* the checkpoint is newer than the chain */
	ck_assert_ptr_nonnull(strstr(hlx_message(), "has 11 steps, the checkpoint is of step 11"));
	journal_close(&c.file);
	folder_close(&f);
}
END_TEST

/* Whatever byte of it is changed. */
START_TEST(chain_notices_damage)
{
	struct chain_line *line;
	struct chain c = { 0 };
	struct folder f;
	char text[1024] = "";
	uint64_t steps;
	size_t n;

	open_run(&f);
	ck_assert_int_eq(chain_create(&f, &c), 0);
	fill_chain(&c, 0, 10);
	journal_close(&c.file);
	n = get_file(path, text, sizeof text - 1);
	for (size_t i = 0; i + 1 < n; i++) {
		text[i] ^= 1;
		put_file(text, n);
		ck_assert_msg(chain_read(f.path, &line, &steps) == HLX_EIO, "byte %zu: %s", i, text);
		free(line);
		text[i] ^= 1;
	}
	text[n - 30] ^= 1; /* a digit of the last line's state hash */
	put_file(text, n);
	ck_assert_int_eq(chain_reopen(&f, 9, &c), 0); /* that line goes anyhow */
	journal_close(&c.file);
	put_file(text, n);
	ck_assert_int_eq(chain_reopen(&f, 10, &c), HLX_EIO);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "line 12 is damaged"));
	journal_close(&c.file);
	put_file("numerics = 2\n", 13);
	ck_assert_int_eq(chain_read(f.path, &line, &steps), HLX_EIO);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "made with numerics 2, this hlxt computes numerics 1"));
	folder_close(&f);
}
END_TEST

/* Once in device mode, a run's hashes are that device's own, whatever it is resumed with. */
START_TEST(chain_says_the_mode)
{
	char a[1024] = "", b[1024] = "";
	struct chain_line *line;
	struct folder f;
	uint64_t steps;

	for (int turn = 0; turn < 3; turn++) { /* to device, from device, portable all the time */
		const char *head = turn < 2 ? "numerics = 1 device\n0 " : "numerics = 1\n0 ";
		struct chain c = { .device = turn == 1 }, d = { .device = turn == 0 };
		open_run(&f);
		ck_assert_int_eq(chain_create(&f, &c), 0);
		fill_chain(&c, 0, 10);
		journal_close(&c.file);
		memset(a, 0, sizeof a);
		get_file(path, a, sizeof a - 1);
		ck_assert_int_eq(chain_reopen(&f, 4, &d), 0);
		ck_assert_int_eq(d.device, turn < 2);
		ck_assert_uint_eq(d.steps, 5);
		fill_chain(&d, 5, 10);
		journal_close(&d.file);
		memset(b, 0, sizeof b);
		get_file(path, b, sizeof b - 1);
		ck_assert_int_eq(strncmp(b, head, strlen(head)), 0);
		ck_assert_str_eq(strchr(a, '\n'), strchr(b, '\n'));
		ck_assert_uint_eq(d.hash, c.hash);
		ck_assert_int_eq(chain_read(f.path, &line, &steps), 0);
		ck_assert(steps == 11 && line[10].hash == c.hash);
		free(line);
		folder_discard(&f);
		folder_close(&f);
	}
	open_run(&f);
	for (int i = 0; i < 2; i++) {
		const char *const bad[] = { "numerics = 1 devices\n", "numerics = 1device\n" };
		put_file(bad[i], strlen(bad[i]));
		ck_assert_int_eq(chain_read(f.path, &line, &steps), HLX_EIO);
	}
	folder_close(&f);
}
END_TEST

/* ---- tensors ---- */

static void fill_tensors(struct tensors *t, uint64_t first, uint64_t last)
{
	for (uint64_t s = first; s <= last; s++) {
		const uint64_t sums[3] = { s, s << 40, 7 };
		ck_assert_int_eq(tensors_append(t, s, sums), 0);
	}
}

START_TEST(tensors_go_on)
{
	char *names[] = { "a.weight", "a.weight.m", "odd \"name\"" };
	char a[1024] = "", b[1024] = "";
	uint64_t sums[3];
	struct tensors t;
	struct folder f;
	size_t n;

	open_run(&f);
	snprintf(path, sizeof path, "%s/run/tensors", dir);
	ck_assert_int_eq(tensors_create(&f, names, 3, &t), 0);
	fill_tensors(&t, 0, 10);
	ck_assert_int_lt(tensors_append(&t, 12, sums), 0);
	n = get_file(path, a, sizeof a);
	ck_assert_uint_eq(n, t.head + 11 * 24);
	ck_assert_int_eq(journal_append(&t.file, "torn", 4), 0);
	tensors_close(&t);
	ck_assert_int_eq(tensors_view(f.path, &t), 0);
	ck_assert(t.count == 3 && t.steps == 11 && !strcmp(t.name[2], names[2]));
	ck_assert_int_eq(tensors_read(&t, 9, sums), 0);
	ck_assert(sums[0] == 9 && sums[1] == 9ull << 40 && sums[2] == 7);
	ck_assert_uint_eq(tensors_state(sums, 3), (9ull << 40) + 16);
	ck_assert_int_eq(tensors_read(&t, 11, sums), HLX_EIO);
	tensors_close(&t);
	ck_assert_int_eq(tensors_reopen(&f, names, 3, 5, &t), 0);
	fill_tensors(&t, 6, 10);
	ck_assert(get_file(path, b, sizeof b) == n && !memcmp(a, b, n));
	tensors_close(&t);
	ck_assert_int_eq(tensors_reopen(&f, names, 3, 11, &t), HLX_EIO);
	tensors_close(&t);
	ck_assert_int_eq(tensors_reopen(&f, names, 2, 5, &t), HLX_EIO);
	ck_assert_ptr_nonnull(strstr(hlx_message(), "is of another model"));
	tensors_close(&t);
	folder_close(&f);
}
END_TEST

START_TEST(tensors_of_nothing_and_of_strangers)
{
	static const char *const bad[] = { "", "x", "\n", "{}\n", "[]\n", "{\"numerics\": 1, \"sums\": [1]}\n",
		"{\"numerics\": 2, \"sums\": []}\n", "{\"numerics\": 1, \"sums\": []}" };
	struct tensors t;
	struct folder f;

	open_run(&f);
	snprintf(path, sizeof path, "%s/run/tensors", dir);
	ck_assert_int_eq(tensors_create(&f, NULL, 0, &t), 0);
	ck_assert_int_eq(tensors_append(&t, 0, NULL), 0);
	ck_assert_int_eq(tensors_append(&t, 1, NULL), 0);
	tensors_close(&t);
	ck_assert_int_eq(tensors_reopen(&f, NULL, 0, 7, &t), 0);
	ck_assert_int_eq(tensors_read(&t, 7, NULL), 0);
	tensors_close(&t);
	for (size_t i = 0; i < CLI_COUNT(bad); i++) {
		put_file(bad[i], strlen(bad[i]));
		ck_assert_int_eq(tensors_view(f.path, &t), HLX_EIO);
		tensors_close(&t);
	}
	folder_close(&f);
}
END_TEST

/* ---- metrics ---- */

START_TEST(metrics_are_cut_back)
{
	char file[160], text[2048] = "";
	struct journal j;
	struct folder f;

	snprintf(path, sizeof path, "%s/run", dir);
	ck_assert_int_eq(folder_create(path, &f), 0);
	ck_assert_int_eq(journal_open(&f, "metrics.jsonl", &j), 0);
	for (uint64_t s = 1; s <= 5; s++) {
		const struct metrics m = { .step = s, .loss = 0.1f, .has_valid = s == 2, .valid_loss = 2, .hash = 0xabc };
		ck_assert_int_eq(metrics_append(&j, &m), 0);
	}
	ck_assert_int_eq(journal_append(&j, "{\"step\": 6, \"lo", 15), 0); /* torn by a power cut */
	ck_assert_int_eq(metrics_cut(&j, 9), 0);
	snprintf(file, sizeof file, "%s/run/metrics.jsonl", dir);
	get_file(file, text, sizeof text - 1);
	ck_assert_ptr_nonnull(strstr(text, "{\"step\": 5, \"loss\": 0.100000001,"));
	ck_assert_ptr_null(strstr(text, "\"step\": 6"));
	ck_assert_int_eq(metrics_cut(&j, 2), 0);
	memset(text, 0, sizeof text);
	get_file(file, text, sizeof text - 1);
	ck_assert_ptr_nonnull(strstr(text, "\"val_loss\": 2, \"hash\": \"0000000000000abc\"}\n"));
	ck_assert_ptr_null(strstr(text, "\"step\": 3"));
	journal_close(&j);
	folder_close(&f);
}
END_TEST

static TCase *tests(void)
{
	TCase *t = tcase_create("checkpoint");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, round_trip);
	tcase_add_loop_test(t, strange_headers, 0, (int)CLI_COUNT(headers));
	tcase_add_test(t, huge_header_length);
	tcase_add_test(t, every_truncation_is_refused);
	tcase_add_test(t, mutations);
	tcase_add_test(t, folder_is_locked);
	tcase_add_test(t, folder_of_a_dead_process_is_free);
	tcase_add_test(t, discard_leaves_nothing);
	tcase_add_test(t, chain_goes_on);
	tcase_add_test(t, chain_notices_damage);
	tcase_add_test(t, chain_says_the_mode);
	tcase_add_test(t, tensors_go_on);
	tcase_add_test(t, tensors_of_nothing_and_of_strangers);
	tcase_add_test(t, metrics_are_cut_back);
	return t;
}

int main(void)
{
	Suite *s = suite_create("checkpoint");
	SRunner *r;
	int failed;

	suite_add_tcase(s, tests());
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
