/* toys.h - what tests of the core share: the modules of tests/plugins, graphs of them, and what a message must say. */
#ifndef TOYS_H
#define TOYS_H

#include "tests/suite.h"
#undef fail /* the old name of ck_abort_msg; hlx_host has a member of that name */
#include <stdio.h>
#include <string.h>

#include "hlx/hlx.h"

static inline const char *toys_env(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : ".";
}

/* tests/plugins/.libs/<name>.so of the build tree; two at a time. */
static inline const char *toys_path(const char *name)
{
	static char path[2][4096];
	static unsigned turn;
	char *p = path[turn++ % 2];

	snprintf(p, sizeof(path[0]), "%s/tests/plugins/.libs/%s.so", toys_env("top_builddir"), name);
	return p;
}

static inline void toys_load(struct hlx_registry *r, const char *name)
{
	ck_assert_msg(hlx_registry_load(r, toys_path(name)) == 0, "%s", hlx_message());
}

static inline struct hlx_registry *toys_registry(void)
{
	struct hlx_registry *r;

	ck_assert_int_eq(hlx_registry_create(&r), 0);
	toys_load(r, "toy");
	toys_load(r, "views");
	toys_load(r, "wrong");
	return r;
}

/* A device for a test that does not fork; exit status 77 where there is none. */
static inline struct hlx_device *toys_device(void)
{
	struct hlx_device *dev;

	if (hlx_device_open(getenv("HLX_DEVICE"), &dev) >= 0)
		return dev;
	fprintf(stderr, "skipped: %s\n", hlx_message());
	exit(77);
}

static inline struct hlx_desc toys_desc(uint64_t rows, uint64_t cols)
{
	return (struct hlx_desc){ .dtype = HLX_F32, .rank = 2, .dim = { rows, cols } };
}

/* The plugins of the build tree. */
static inline void toys_plugins(struct hlx_registry *r)
{
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s/plugins/.libs", toys_env("top_builddir"));
	ck_assert_msg(hlx_registry_load_dir(r, folder) >= 0, "%s", hlx_message());
	ck_assert_msg(hlx_registry_op(r, "gemm") != NULL, "the plugins are not built in %s", folder);
}

/* x (rows, cols), and each line "name = text". */
static inline struct hlx_graph *toys_graph(struct hlx_registry *r, bool grads, uint64_t rows, uint64_t cols,
		const char *const *lines)
{
	struct hlx_graph_options o = { .batch = 2, .seq_len = 2, .train = grads, .input_grads = grads };
	struct hlx_desc d = toys_desc(rows, cols);
	struct hlx_graph *g;

	ck_assert_msg(hlx_graph_create(r, &o, &g) == 0, "%s", hlx_message());
	ck_assert_int_eq(hlx_graph_input(g, "x", &d), 0);
	for (; *lines; lines += 2)
		ck_assert_msg(hlx_graph_wire(g, "t", lines[0], lines[1], "toy.ini:1") == 0, "%s", hlx_message());
	return g;
}

#define LINES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* status, and a message that holds every one of the words. */
#define ck_refused(expr, want, ...) \
	do { \
		const char *const words_[] = { __VA_ARGS__ }; \
		int got_ = (expr); \
		ck_assert_msg(got_ == (want), "%s: status %d, want %d (\"%s\")", #expr, got_, (want), hlx_message()); \
		ck_assert_msg(!strpbrk(hlx_message(), "\r\n"), "more than one line: %s", hlx_message()); \
		for (size_t w_ = 0; w_ < sizeof(words_) / sizeof(*words_); w_++) \
			ck_assert_msg(strstr(hlx_message(), words_[w_]) != NULL, "%s: \"%s\" lacks \"%s\"", #expr, \
					hlx_message(), words_[w_]); \
	} while (0)
#define ck_ok(expr) \
	do { \
		int got_ = (expr); \
		ck_assert_msg(got_ >= 0, "%s: status %d, \"%s\"", #expr, got_, hlx_message()); \
	} while (0)

/* Runs a suite made of the functions of tests[]. */
struct toys_test {
	const TTest *test;
	int times;
};
static inline int toys_run(const char *name, const struct toys_test *tests, size_t n, int timeout, bool fork)
{
	TCase *c = tcase_create(name);

	for (size_t i = 0; i < n; i++)
		if (tests[i].times)
			tcase_add_loop_test(c, tests[i].test, 0, tests[i].times);
		else
			tcase_add_test(c, tests[i].test);
	tcase_set_timeout(c, timeout);
	if (!fork)
		setenv("CK_FORK", "no", 1);
	return suite_run(name, c);
}
#define TOYS_RUN(name, tests, timeout, fork) toys_run(name, tests, sizeof(tests) / sizeof(*(tests)), timeout, fork)

#endif
