/*
 * check_selftest - kernels that claim to be portable and are not: refused by the lint or by a trial, taken in mode device;
 * verdicts on disk, used and distrusted; what the probe says of this device.
 */
#include "tests/toys.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/check/probe.h"
#include "core/program/program.h"
#include "hlx/math.h"

#define ROWS 5u
#define COLS 19u
#define N (ROWS * COLS)

static char cache[64];

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void forget(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/hlx", cache);
	nftw(path, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static struct hlx_device *open_device(void)
{
	struct hlx_device *dev;

	ck_ok(hlx_device_open(getenv("HLX_DEVICE"), &dev));
	return dev;
}

static struct hlx_registry *load(const char *module)
{
	struct hlx_registry *r;

	ck_ok(hlx_registry_create(&r));
	toys_load(r, module);
	return r;
}

/* y = total x, by impl or by choice; runs it where it is made. */
static int run(struct hlx_device *dev, struct hlx_registry *r, const char *impl, enum hlx_tier mode, float *y)
{
	const struct hlx_graph_options o = { .batch = 1, .seq_len = 1, .mode = mode };
	const struct hlx_program_options po = { .keep = LINES("t.y") };
	const struct hlx_step step = { .size = sizeof(step), .step = 1, .n_seq = 1 };
	struct hlx_desc d = toys_desc(ROWS, COLS);
	struct hlx_program *p = NULL;
	struct hlx_weights *w;
	struct hlx_graph *g;
	float x[N], out[N];
	int status;

	for (unsigned i = 0; i < N; i++)
		x[i] = (float)(i * 2654435761u >> 8) * 0x1p-20f;
	ck_ok(hlx_graph_create(r, &o, &g));
	if (impl)
		ck_ok(hlx_graph_choose(g, "total", impl));
	ck_ok(hlx_graph_input(g, "x", &d));
	ck_ok(hlx_graph_wire(g, "t", "y", "total x", "planted.ini:3"));
	ck_ok(hlx_weights_create(dev, g, 0, &w));
	status = hlx_program_create(dev, g, w, &po, &p);
	if (status >= 0) {
		ck_ok(hlx_program_write(p, "x", HLX_VALUE, 0, N, x));
		ck_ok(hlx_program_run(p, &step));
		ck_ok(hlx_program_read(p, "t.y", HLX_VALUE, 0, N, y ? y : out));
	}
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
	return status;
}

START_TEST(lint_refuses)
{
	struct hlx_device *dev = open_device();
	struct hlx_registry *r = load("planted");

	ck_refused(run(dev, r, "dividing", HLX_PORTABLE, NULL), HLX_EPLUGIN, "t.y (total/dividing): ",
			"planted_divide.comp: not portable: word ", "OpFDiv in main(): division: ");
	ck_ok(run(dev, r, "dividing", HLX_DEVICE, NULL)); /* the same pipeline, later a portable node's again */
	ck_refused(run(dev, r, "dividing", HLX_PORTABLE, NULL), HLX_EPLUGIN, "OpFDiv");
	hlx_registry_destroy(r);
	hlx_device_close(dev);
}
END_TEST

START_TEST(trial_refuses)
{
	struct hlx_device *dev = open_device();
	struct hlx_registry *r = load("planted");
	float want[N], got[N];
	unsigned trials;

	forget();
	for (int turn = 0; turn < 2; turn++) { /* a failure is not kept */
		trials = dev->trials;
		ck_refused(run(dev, r, "swapping", HLX_PORTABLE, NULL), HLX_ENOTSUP, "t.y: not portable on ",
				"total/swapping, case 'x=", "normal", "value of y: ", "element ", ", want ", "honours NoContraction",
				"[ops] total = NAME", "[numerics] mode = device");
		ck_assert_uint_gt(dev->trials, trials);
	}
	trials = dev->trials;
	ck_ok(run(dev, r, NULL, HLX_PORTABLE, want)); /* plain, not fast */
	ck_assert_uint_gt(dev->trials, trials);
	trials = dev->trials;
	ck_ok(run(dev, r, "swapping", HLX_DEVICE, got));
	ck_assert_int_ne(memcmp(want, got, sizeof(want)), 0);
	ck_ok(run(dev, r, NULL, HLX_DEVICE, want)); /* fast */
	ck_assert_int_eq(memcmp(want, got, sizeof(want)), 0);
	ck_assert_uint_eq(dev->trials, trials);
	ck_refused(run(dev, r, "fast", HLX_PORTABLE, NULL), HLX_ENOTSUP, "total/fast is not portable", "mode = device");
	hlx_registry_destroy(r);
	hlx_device_close(dev);
}
END_TEST

/* ---- verdicts ---- */

static unsigned trials_of(const char *module)
{
	struct hlx_device *dev = open_device();
	struct hlx_registry *r = load(module);
	unsigned n;

	ck_ok(run(dev, r, "plain", HLX_PORTABLE, NULL));
	n = dev->trials;
	ck_ok(run(dev, r, "plain", HLX_PORTABLE, NULL));
	ck_assert_uint_eq(dev->trials, n);
	hlx_registry_destroy(r);
	hlx_device_close(dev);
	return n;
}

static char *verdicts_path(void)
{
	static char path[1024];
	char command[160];
	FILE *f;

	snprintf(command, sizeof(command), "ls %s/hlx/*.verdicts", cache);
	f = popen(command, "r");
	ck_assert(f && fgets(path, sizeof(path), f));
	pclose(f);
	path[strcspn(path, "\n")] = '\0';
	return path;
}

static void flip(long at)
{
	FILE *f = fopen(verdicts_path(), "r+b");
	int c;

	ck_assert_ptr_nonnull(f);
	fseek(f, at, SEEK_SET);
	c = fgetc(f);
	fseek(f, at, SEEK_SET);
	fputc(c ^ 1, f);
	fclose(f);
}

START_TEST(verdicts_are_used)
{
	struct stat st;

	forget();
	ck_assert_uint_gt(trials_of("planted"), 0);
	ck_assert_int_eq(stat(verdicts_path(), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(st.st_size, 24); /* hash, magic, plain's one kernel */
	ck_assert_uint_eq(trials_of("planted"), 0);
	ck_assert_int_eq(stat(verdicts_path(), &st), 0);
	ck_assert_int_eq(st.st_size, 24);
}
END_TEST

START_TEST(verdicts_are_distrusted)
{
	forget();
	ck_assert_uint_gt(trials_of("planted"), 0);
	for (long at = 0; at < 24; at += 8) { /* in the hash, the magic, the key */
		flip(at);
		ck_assert_uint_gt(trials_of("planted"), 0);
		ck_assert_uint_eq(trials_of("planted"), 0);
	}
	for (long size = 23; size >= 0; size -= 8) {
		ck_assert_int_eq(truncate(verdicts_path(), size), 0);
		ck_assert_uint_gt(trials_of("planted"), 0);
		ck_assert_uint_eq(trials_of("planted"), 0);
	}
	ck_assert_int_eq(chmod(verdicts_path(), 0), 0);
	if (geteuid()) /* root reads it all the same */
		ck_assert_uint_gt(trials_of("planted"), 0);
	ck_assert_int_eq(remove(verdicts_path()), 0);
	ck_assert_uint_gt(trials_of("planted"), 0);
}
END_TEST

/* total/plain has passed; another file brings a total/plain with other SPIR-V. */
START_TEST(changed_spirv_is_tried)
{
	struct hlx_device *dev;
	struct hlx_registry *r;

	forget();
	ck_assert_uint_gt(trials_of("planted"), 0);
	dev = open_device();
	r = load("changed");
	ck_refused(run(dev, r, "plain", HLX_PORTABLE, NULL), HLX_ENOTSUP, "total/plain, case 'x=", "value of y: ");
	ck_assert_uint_gt(dev->trials, 0);
	hlx_registry_destroy(r);
	hlx_device_close(dev);
	ck_assert_uint_eq(trials_of("planted"), 0); /* and the first is still known */
}
END_TEST

/* A folder that nobody can write to costs the trial, nothing else. */
START_TEST(no_cache_no_harm)
{
	setenv("XDG_CACHE_HOME", "/dev/null", 1);
	ck_assert_uint_gt(trials_of("planted"), 0);
	ck_assert_uint_gt(trials_of("planted"), 0);
	setenv("XDG_CACHE_HOME", cache, 1);
}
END_TEST

/* ---- what cannot be tried, the mode, the probe ---- */

START_TEST(no_reference_no_trial)
{
	struct hlx_device *dev = open_device();
	struct hlx_registry *r = toys_registry();
	struct hlx_graph *g = toys_graph(r, false, ROWS, COLS, LINES("y", "scale x k=3"));
	const struct hlx_program_options o = { .keep = LINES("t.y") };
	struct hlx_program *p;
	struct hlx_weights *w;

	ck_ok(hlx_weights_create(dev, g, 0, &w));
	ck_ok(hlx_program_create(dev, g, w, &o, &p));
	ck_assert_uint_eq(dev->trials, 0);
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
	hlx_registry_destroy(r);
	hlx_device_close(dev);
}
END_TEST

static int build(const char *mode, struct hlx_graph **g, struct hlx_registry *r)
{
	const struct hlx_graph_options o = { .batch = 2, .seq_len = 3 };
	char text[256];
	struct hlx_ini *ini;
	int status;

	snprintf(text, sizeof(text), "[model]\nvocab_size = 4\n%s[embed]\nx = total tokens\n", mode);
	ck_ok(hlx_ini_parse("mode.ini", text, strlen(text), &ini));
	status = hlx_graph_build(r, ini, &o, g);
	hlx_ini_destroy(ini);
	return status;
}

/* Graphs of an INI: the wiring here is refused in any case, what counts is what is said first. */
START_TEST(mode_of_an_ini)
{
	struct hlx_registry *r = load("planted");
	struct hlx_graph *g;

	ck_refused(build("[numerics]\nmode = devise\n", &g, r), HLX_EINVAL, "mode.ini:4: numerics.mode: no mode devise",
			"did you mean device?");
	ck_refused(build("[numerics]\nmode = device\n", &g, r), HLX_ESHAPE, "x has");
	ck_refused(build("", &g, r), HLX_ESHAPE, "x has");
	hlx_registry_destroy(r);
}
END_TEST

START_TEST(probe_in_words)
{
	struct hlx_device *dev = open_device();
	struct hlx_probe p;

	ck_ok(hlx_probe(dev, &p));
	printf("%s: %s\n", dev->info.name, p.words);
	ck_assert(p.contraction && p.nearest && p.integers); /* or nothing here would be portable */
	ck_assert_ptr_nonnull(strstr(p.words, "the device honours NoContraction, "));
	ck_assert_ptr_nonnull(strstr(p.words, "rounds to nearest even, "));
	ck_assert_ptr_nonnull(strstr(p.words, p.keeps && p.reads ? "keeps denormals" : "flushes denormals"));
	if (strstr(dev->info.name, "llvmpipe (LLVM 15")) /* Debian 12's: facts of its own */
		ck_assert(p.keeps && p.reads && !p.fma);
	hlx_device_close(dev);
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { lint_refuses, 0 }, { trial_refuses, 0 }, { verdicts_are_used, 0 },
		{ verdicts_are_distrusted, 0 }, { changed_spirv_is_tried, 0 }, { no_cache_no_harm, 0 },
		{ no_reference_no_trial, 0 }, { mode_of_an_ini, 0 }, { probe_in_words, 0 } };
	int status;

	hlx_device_close(toys_device());
	snprintf(cache, sizeof(cache), "/tmp/hlx-selftest-XXXXXX");
	if (!mkdtemp(cache))
		return 1;
	setenv("XDG_CACHE_HOME", cache, 1);
	status = TOYS_RUN("selftest", tests, 120, false);
	nftw(cache, drop, 8, FTW_DEPTH | FTW_PHYS);
	return status;
}
