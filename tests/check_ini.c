/* INI files: what is read, what is refused with which line, typed values, --set, writing; and a fuzz of all of it. */
#include "tests/toys.h"

#include <sys/stat.h>
#include <unistd.h>

static struct hlx_ini *parse(const char *text)
{
	struct hlx_ini *ini = NULL;

	ck_ok(hlx_ini_parse("a.ini", text, strlen(text), &ini));
	return ini;
}

#define ck_parse_refused(text, ...) \
	do { \
		struct hlx_ini *ini_ = NULL; \
		ck_refused(hlx_ini_parse("a.ini", text, sizeof(text) - 1, &ini_), HLX_EINVAL, "a.ini", __VA_ARGS__); \
		ck_assert_ptr_null(ini_); \
	} while (0)

static const char *value(struct hlx_ini *ini, const char *section, const char *key)
{
	const struct hlx_setting *s = hlx_ini_find(ini, section, key);

	return s ? s->value : NULL;
}

START_TEST(reads)
{
	static const char text[] = "\xef\xbb\xbf; a mark of byte order\r\n[train] ; to learn\r\n\r\nlr = 3e-4 ; a comment\r\n"
		"# another\n  steps=5\n\tcolon : is fine\n[data]# no blank\ncorpus = a;b.txt c=d\nempty =\n[train]\nmore = 1";
	struct hlx_ini *ini = parse(text);

	ck_assert_uint_eq(ini->count, 6);
	ck_assert_str_eq(ini->path, "a.ini");
	ck_assert_str_eq(value(ini, "train", "lr"), "3e-4");
	ck_assert_uint_eq(ini->entry[0].line, 4);
	ck_assert_str_eq(value(ini, "train", "steps"), "5"); /* indented, yet no continuation */
	ck_assert_str_eq(value(ini, "train", "colon"), "is fine");
	ck_assert_str_eq(value(ini, "data", "corpus"), "a;b.txt c=d");
	ck_assert_str_eq(value(ini, "data", "empty"), "");
	ck_assert_str_eq(value(ini, "train", "more"), "1");
	ck_assert_uint_eq(ini->entry[5].line, 12);
	ck_assert_ptr_null(value(ini, "train", "corpus"));
	hlx_ini_destroy(ini);
	ini = parse("");
	ck_assert_uint_eq(ini->count, 0);
	hlx_ini_destroy(ini);
	ck_assert_int_eq(hlx_ini_parse("a.ini", NULL, 0, &ini), 0);
	hlx_ini_destroy(ini);
	hlx_ini_destroy(NULL);
}
END_TEST

START_TEST(refuses_text)
{
	ck_parse_refused("[a]\nk = 1\nk = 2\n", "a.ini:3", "a.k is set twice", "line 2");
	ck_parse_refused("[a]\nk = 1\n[b]\nk = 1\n[a]\nk = 2\n", "a.ini:6", "a.k is set twice", "line 2");
	ck_parse_refused("k = 1\n", "a.ini:1", "k stands before any [section]");
	ck_parse_refused("[a]\nnonsense\n", "a.ini:2", "want [section] or key = value");
	ck_parse_refused("[a]\n= 3\n", "a.ini:2", "want key = value");
	ck_parse_refused("[a]\nnonsense\nk = 1\nk = 2\n", "a.ini:2"); /* the first of two */
	ck_parse_refused("[a\nk = 1\n", "a.ini:1", "a section is [name]");
	ck_parse_refused("[]\nk = 1\n", "a.ini:1", "a section is [name]");
	ck_parse_refused("[a] k = 1\n", "a.ini:1", "on a line of its own"); /* inih would drop it */
	ck_parse_refused("[a]\nk = 1\0 2\n", "control bytes");
	ck_parse_refused("[a]\nk = 1\n\x0c k2 = 3\n", "control bytes"); /* inih: a continuation of k */
	ck_parse_refused("[a]\rk = 1\r", "CR alone");
	ck_parse_refused("[a]\nk = 1\r", "CR alone");
	ck_parse_refused("[a]\nk = 1\rk2 = 2\n", "CR alone");
}
END_TEST

/* Names and lines of just the longest length, and of one more. */
START_TEST(lengths)
{
	char text[600], name[64];
	struct hlx_ini *ini;

	memset(name, 'n', sizeof(name));
	for (int extra = 0; extra <= 1; extra++) {
		int n = snprintf(text, sizeof(text), "[a]\nk = %*s\nj = 2\n", 199 - 4 + extra, "x");
		int status = hlx_ini_parse("a.ini", text, (size_t)n, &ini);
		if (extra) {
			ck_refused(status, HLX_EINVAL, "a.ini:2", "200 bytes", "at most 199");
		} else {
			ck_ok(status);
			ck_assert_str_eq(value(ini, "a", "j"), "2");
			hlx_ini_destroy(ini);
		}
		n = snprintf(text, sizeof(text), "[%.*s]\nk = 1\n", 48 + extra, name);
		status = hlx_ini_parse("a.ini", text, (size_t)n, &ini);
		if (extra) {
			ck_refused(status, HLX_EINVAL, "a.ini:1", "at most 48 letters");
		} else {
			ck_ok(status);
			ck_assert_uint_eq(strlen(ini->entry[0].section), 48);
			hlx_ini_destroy(ini);
		}
		n = snprintf(text, sizeof(text), "[a]\n%.*s = 1\n", 48 + extra, name);
		status = hlx_ini_parse("a.ini", text, (size_t)n, &ini);
		if (extra)
			ck_refused(status, HLX_EINVAL, "a.ini:2", "a name of 49 letters, at most 48");
		else
			hlx_ini_destroy(ini);
	}
}
END_TEST

START_TEST(refuses_files)
{
	char path[64] = "/tmp/check_ini.XXXXXX", fifo[80];
	struct hlx_ini *ini = NULL;
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_refused(hlx_ini_read("/nowhere/a.ini", &ini), HLX_EINVAL, "/nowhere/a.ini", "No such file");
	ck_refused(hlx_ini_read(path, &ini), HLX_EINVAL, path, "not a regular file");
	snprintf(fifo, sizeof(fifo), "%s/fifo", path);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_refused(hlx_ini_read(fifo, &ini), HLX_EINVAL, fifo, "not a regular file"); /* and does not hang */
	unlink(fifo);
	ck_assert_ptr_nonnull(f = fopen(fifo, "w"));
	ck_assert_int_eq(ftruncate(fileno(f), (1 << 20) + 1), 0);
	fclose(f);
	ck_refused(hlx_ini_read(fifo, &ini), HLX_EINVAL, fifo, "too long");
	ck_assert_ptr_null(ini);
	ck_assert_ptr_nonnull(f = fopen(fifo, "w"));
	fputs("[a]\nk = 1\n", f);
	fclose(f);
	ck_ok(hlx_ini_read(fifo, &ini));
	ck_assert_str_eq(value(ini, "a", "k"), "1");
	hlx_ini_destroy(ini);
	unlink(fifo);
	rmdir(path);
}
END_TEST

START_TEST(typed)
{
	struct hlx_ini *ini = parse("[model]\nd = 4*16\nn = d/8\nloop = loop+1\nbig = 1e300\n[train]\nlr = rsqrt(d)\nsteps = n*3\n"
			"half = 0.5\non = yes\noff = off\nmaybe = perhaps\nhuge = 2^9\nempty =\n");
	int64_t i = -1;
	double r = -1;
	bool b = false;
	const char *s = "before";

	ck_ok(hlx_ini_int(ini, "train", "steps", 1, 24, &i));
	ck_assert_int_eq(i, 24);
	ck_ok(hlx_ini_real(ini, "train", "lr", 0, 1, &r));
	ck_assert_double_eq(r, 0.125);
	ck_ok(hlx_ini_bool(ini, "train", "on", &b));
	ck_assert(b);
	ck_ok(hlx_ini_bool(ini, "train", "off", &b));
	ck_assert(!b);
	ck_ok(hlx_ini_string(ini, "train", "maybe", &s));
	ck_assert_str_eq(s, "perhaps");
	i = 7;
	ck_ok(hlx_ini_int(ini, "train", "absent", 1, 2, &i)); /* what is absent is left as it was */
	ck_ok(hlx_ini_string(ini, "train", "absent", &s));
	ck_assert_int_eq(i, 7);
	ck_refused(hlx_ini_int(ini, "train", "steps", 1, 23, &i), HLX_EINVAL, "a.ini:8", "train.steps", "24", "1 to 23");
	ck_refused(hlx_ini_int(ini, "train", "half", 0, 9, &i), HLX_EINVAL, "a.ini:9", "whole number");
	ck_refused(hlx_ini_real(ini, "train", "half", 1, 2, &r), HLX_EINVAL, "a.ini:9", "0.5", "1 to 2");
	ck_refused(hlx_ini_bool(ini, "train", "maybe", &b), HLX_EINVAL, "a.ini:12", "perhaps", "neither yes nor no");
	ck_refused(hlx_ini_int(ini, "train", "huge", 0, 999, &i), HLX_EINVAL, "a.ini:13", "cannot read \"^9\"");
	ck_refused(hlx_ini_int(ini, "train", "empty", 0, 999, &i), HLX_EINVAL, "a.ini:14", "expected a number");
	ck_refused(hlx_ini_int(ini, "model", "loop", 0, 999, &i), HLX_EINVAL, "a.ini:4", "loop");
	ck_refused(hlx_ini_int(ini, "model", "big", 0, INT64_MAX, &i), HLX_EINVAL, "a.ini:5", "whole number");
	ck_assert_int_eq(i, 7);
	hlx_ini_destroy(ini);
}
END_TEST

/* a = b+b+b..., b = c+c+c..., and so on: 60^8 look-ups were it followed. */
START_TEST(expressions_end)
{
	char text[2000], line[200];
	struct hlx_ini *ini;
	double r;
	size_t n = (size_t)snprintf(text, sizeof(text), "[model]\n");

	for (char c = 'a'; c < 'i'; c++) {
		line[0] = '\0';
		for (int i = 0; i < 60; i++)
			snprintf(line + 2 * i, 4, "%c%s", c + 1, i < 59 ? "+" : "");
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%c = %s\n", c, line);
	}
	snprintf(text + n, sizeof(text) - n, "i = 1\n");
	ini = parse(text);
	ck_refused(hlx_ini_real(ini, "model", "a", 0, 1e300, &r), HLX_EINVAL, "a.ini:2");
	hlx_ini_destroy(ini);
}
END_TEST

START_TEST(unknown)
{
	static const char *const sections[] = { "model", "train", NULL }, *const keys[] = { "train.steps", "train.seed", NULL };
	struct hlx_ini *ini = parse("[train]\nsteps = 5\nsede = 1\n");
	int64_t i;

	ck_ok(hlx_ini_int(ini, "train", "steps", 0, 9, &i));
	ck_refused(hlx_ini_check(ini, sections, keys), HLX_EINVAL, "a.ini:3", "no key train.sede", "did you mean train.seed?");
	ck_ok(hlx_ini_int(ini, "train", "sede", 0, 9, &i)); /* somebody asks */
	ck_ok(hlx_ini_check(ini, sections, keys));
	ck_ok(hlx_ini_set(ini, "trian.x=1"));
	ck_refused(hlx_ini_check(ini, sections, keys), HLX_EINVAL, "--set trian.x", "no section [trian]", "did you mean train?");
	hlx_ini_destroy(ini);
}
END_TEST

START_TEST(set)
{
	struct hlx_ini *ini = parse("[train]\nlr = 1\n");
	double r;

	ck_ok(hlx_ini_set(ini, "train.lr=2"));
	ck_assert_str_eq(value(ini, "train", "lr"), "2");
	ck_assert_uint_eq(ini->count, 1);
	ck_assert_uint_eq(ini->entry[0].line, 0);
	ck_refused(hlx_ini_real(ini, "train", "lr", 0, 1, &r), HLX_EINVAL, "--set train.lr: 2 is out of range");
	ck_ok(hlx_ini_set(ini, "train.lr = 3 "));
	ck_assert_str_eq(value(ini, "train", "lr"), "3");
	ck_ok(hlx_ini_set(ini, "data.corpus=a=b.c;d"));
	ck_assert_str_eq(value(ini, "data", "corpus"), "a=b.c;d");
	ck_ok(hlx_ini_set(ini, "data.none="));
	ck_assert_str_eq(value(ini, "data", "none"), "");
	ck_assert_uint_eq(ini->count, 3);
	ck_refused(hlx_ini_set(ini, "lr=3"), HLX_EINVAL, "--set lr=3", "want section.key=value");
	ck_refused(hlx_ini_set(ini, "train.lr"), HLX_EINVAL, "want section.key=value");
	ck_refused(hlx_ini_set(ini, ".lr=3"), HLX_EINVAL, "want section.key=value");
	ck_refused(hlx_ini_set(ini, "train.=3"), HLX_EINVAL, "want section.key=value");
	ck_refused(hlx_ini_set(ini, "train=a.lr"), HLX_EINVAL, "want section.key=value");
	ck_refused(hlx_ini_set(ini, ""), HLX_EINVAL, "want section.key=value");
	ck_refused(hlx_ini_set(ini, "train.lr=3 ; four"), HLX_EINVAL, "comment"); /* run.ini could not hold it */
	ck_refused(hlx_ini_set(ini, "train.lr=3\n[x]\ny=4"), HLX_EINVAL, "no INI file");
	ck_refused(hlx_ini_set(ini, "train.l:r=3"), HLX_EINVAL, "no INI file");
	ck_refused(hlx_ini_set(ini, "tr]ain.lr=3"), HLX_EINVAL, "no INI file");
	ck_refused(hlx_ini_set(ini, "train.#lr=3"), HLX_EINVAL, "no INI file");
	ck_assert_uint_eq(ini->count, 3);
	ck_assert_str_eq(value(ini, "train", "lr"), "3");
	hlx_ini_destroy(ini);
}
END_TEST

/* Written and read again, the same settings in the order of the sections' first appearance. */
static void check_round_trip(const struct hlx_ini *ini)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct hlx_ini *back;

	ck_ok(hlx_ini_write(ini, f));
	fclose(f);
	ck_ok(hlx_ini_parse("back.ini", text, size, &back));
	ck_assert_uint_eq(back->count, ini->count);
	for (size_t i = 0; i < ini->count; i++)
		ck_assert_str_eq(value(back, ini->entry[i].section, ini->entry[i].key), ini->entry[i].value);
	hlx_ini_destroy(back);
	free(text);
}

START_TEST(writes)
{
	struct hlx_ini *ini = parse("[a]\nk = 1 2;3\nempty =\n[b]\nx = gemm n1 out=3*d\n[a]\nj : 2\n");

	ck_ok(hlx_ini_set(ini, "a.new=\"quoted \""));
	ck_ok(hlx_ini_set(ini, "c.other=#1"));
	check_round_trip(ini);
	hlx_ini_destroy(ini);
}
END_TEST

/* -- fuzz -------------------------------------------------------------------------------------------------- */

static uint32_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*state >> 33);
}

static size_t mutate(char *text, size_t n, size_t room, uint64_t *state)
{
	static const char bits[] = "[]=;:#\n\r\t .\"\0\xef\xbb\xbf(-+*/@1e9";

	for (uint32_t times = next(state) % 6 + 1; times; times--) {
		size_t at = n ? next(state) % n : 0, len = next(state) % 8 + 1;
		switch (next(state) % 4) {
		case 0: /* another byte */
			if (n)
				text[at] = bits[next(state) % (sizeof(bits) - 1)];
			break;
		case 1: /* some less */
			len = len < n - at ? len : n - at;
			memmove(text + at, text + at + len, n - at - len);
			n -= len;
			break;
		case 2: /* one more */
			if (n < room) {
				memmove(text + at + 1, text + at, n++ - at);
				text[at] = bits[next(state) % (sizeof(bits) - 1)];
			}
			break;
		default: /* a piece again, somewhere */
			len = len * 30 < n ? len * 30 : n;
			if (n + len <= room) {
				memcpy(text + n, text + next(state) % (n - len + 1), len);
				n += len;
			}
		}
	}
	return n;
}

START_TEST(fuzz)
{
	static const char seed[] = "; a model\n[model]\nd = 4*16 ; width\nn = (d-1)/2\n[layer]\nx = gemm y out=3*d bias=yes\n[train]\n"
		"lr = rsqrt(d)\nsteps = 10\ncorpus = a b, c\n";
	uint64_t state = 20240229;
	unsigned good = 0;

	for (int round = 0; round < 6000; round++) {
		char text[1024], *exact;
		size_t n = mutate(text, (memcpy(text, seed, sizeof(seed) - 1), sizeof(seed) - 1), sizeof(text), &state);
		struct hlx_ini *ini = NULL;
		double r = 0;
		int64_t i = 0;
		ck_assert_ptr_nonnull(exact = malloc(n ? n : 1)); /* a read past the end is seen */
		memcpy(exact, text, n);
		if (hlx_ini_parse("fuzz.ini", exact, n, &ini) < 0) {
			ck_assert_ptr_null(ini);
			ck_assert_ptr_nonnull(strstr(hlx_message(), "fuzz.ini"));
		} else {
			good++;
			for (size_t k = 0; k < ini->count; k++) {
				hlx_ini_real(ini, ini->entry[k].section, ini->entry[k].key, -1e9, 1e9, &r);
				hlx_ini_int(ini, ini->entry[k].section, ini->entry[k].key, -9, 9, &i);
			}
			check_round_trip(ini);
		}
		hlx_ini_destroy(ini);
		free(exact);
	}
	ck_assert_uint_gt(good, 600);
	ck_assert_uint_lt(good, 5400);
}
END_TEST

int main(void)
{
	const struct toys_test tests[] = { { reads, 0 }, { refuses_text, 0 }, { lengths, 0 }, { refuses_files, 0 }, { typed, 0 },
		{ expressions_end, 0 }, { unknown, 0 }, { set, 0 }, { writes, 0 }, { fuzz, 0 } };

	return TOYS_RUN("ini", tests, 60, true);
}
