/* check_folder.c - the run's folder, its chain, tensors and metrics. */
#include "core/numerics.h"
#include "runner/chain.h"
#include "runner/metrics.h"
#include "runner/tensors.h"
#include "tests/run_files.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

/* Of JSON's numbers none is infinite. */
START_TEST(metrics_are_json)
{
	static const float loss[] = { 2, INFINITY, NAN, -INFINITY };
	struct metrics *read;
	struct journal j;
	struct folder f;
	size_t count;
	char *text;

	snprintf(path, sizeof path, "%s/run", dir);
	ck_assert_int_eq(folder_create(path, &f), 0);
	ck_assert_int_eq(journal_open(&f, "metrics.jsonl", &j), 0);
	for (uint64_t s = 1; s <= 5; s++) {
		const struct metrics m = { .step = s, .loss = 0.1f, .has_valid = s <= 4, .valid_loss = s <= 4 ? loss[s - 1] : 0 };
		ck_assert_int_eq(metrics_append(&j, &m), 0);
	}
	ck_assert_int_eq(journal_text(&j, &text), 0);
	ck_assert_ptr_null(strstr(text, "inf"));
	ck_assert_ptr_null(strstr(text, "nan"));
	ck_assert_ptr_nonnull(strstr(text, "\"val_loss\": null, "));
	free(text);
	ck_assert_msg(metrics_read(path, &read, &count) == 0, "%s", hlx_message());
	ck_assert_uint_eq(count, 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert(read[i].has_valid == (i < 4) && isfinite(read[i].valid_loss) == (i == 0 || i == 4));
	free(read);
	journal_close(&j);
	folder_close(&f);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("folder");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, folder_is_locked);
	tcase_add_test(t, folder_of_a_dead_process_is_free);
	tcase_add_test(t, discard_leaves_nothing);
	tcase_add_test(t, chain_goes_on);
	tcase_add_test(t, chain_notices_damage);
	tcase_add_test(t, chain_says_the_mode);
	tcase_add_test(t, tensors_go_on);
	tcase_add_test(t, tensors_of_nothing_and_of_strangers);
	tcase_add_test(t, metrics_are_cut_back);
	tcase_add_test(t, metrics_are_json);
	return suite_run("folder", t);
}
