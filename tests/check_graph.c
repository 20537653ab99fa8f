/* Graphs, line by line: what is inferred, the views, and every refusal with the line it names. */
#include "tests/toys.h"

#include "core/graph/graph.h"
#include "core/registry/registry.h"

static struct hlx_registry *registry;

static void setup(void)
{
	registry = toys_registry();
}

static void teardown(void)
{
	hlx_registry_destroy(registry);
}

static struct hlx_graph *graph(const char *const *lines)
{
	return toys_graph(registry, true, 2, 6, lines);
}

#define ck_wire_refused(status, text, ...) \
	do { \
		struct hlx_graph *g_ = graph(LINES("y", "scale x", "p", "part x first=1 count=2", "w", "shift x")); \
		ck_refused(hlx_graph_wire(g_, "t", "z", text, "toy.ini:7"), status, "toy.ini:7: z: ", __VA_ARGS__); \
		hlx_graph_destroy(g_); \
	} while (0)

START_TEST(names)
{
	struct hlx_graph *g = graph(LINES("y", "scale x k=3", "z", "  sum\tx   y ", "v", "sum b=x x=y", "h", "shift z"));
	const struct hlx_desc *d = hlx_graph_desc(g, "t.z");
	struct hlx_desc input = toys_desc(2, 6);
	struct hlx_param_info p;

	ck_assert_ptr_nonnull(d);
	ck_assert_uint_eq(d->dim[1], 6);
	ck_assert_uint_eq(d->stride[0], 6);
	ck_assert_ptr_null(hlx_graph_desc(g, "z"));
	ck_assert_ptr_nonnull(hlx_graph_desc(g, "x"));
	ck_assert_ptr_null(hlx_graph_logits(g));
	ck_assert_uint_eq(hlx_graph_param_count(g), 1);
	p = hlx_graph_param(g, 0);
	ck_assert_str_eq(p.path, "t.h.w");
	ck_assert_uint_eq(p.numel, 6);
	ck_assert_double_eq(p.init.constant, 0.5);
	ck_assert_ptr_nonnull(hlx_graph_desc(g, "t.h.w"));
	/* keyed inputs went where they were named for */
	ck_assert_uint_eq(g->node[2]->tensor[0], (unsigned)hlx_graph_find_tensor(g, "t.y"));
	/* the same name in another section stands for the newer one from there on */
	ck_ok(hlx_graph_wire(g, "u", "z", "scale z k=2", "toy.ini:2"));
	ck_ok(hlx_graph_wire(g, "u", "last", "scale z", "toy.ini:3"));
	ck_assert_uint_eq(g->node[5]->tensor[0], (unsigned)hlx_graph_find_tensor(g, "u.z"));
	ck_refused(hlx_graph_wire(g, "t", "z", "scale x", "toy.ini:9"), HLX_EINVAL, "toy.ini:9: z: ", "t.z is there already",
			"toy.ini:1");
	input.rank = 5;
	ck_refused(hlx_graph_input(g, "in", &input), HLX_ESHAPE, "in has 5 dims");
	hlx_graph_destroy(g);
	hlx_graph_destroy(NULL);
}
END_TEST

START_TEST(refuses_lines)
{
	ck_wire_refused(HLX_EINVAL, "", "want an op");
	ck_wire_refused(HLX_EINVAL, " \t ", "want an op");
	ck_wire_refused(HLX_EINVAL, "scal x", "no op scal", "did you mean scale?");
	ck_wire_refused(HLX_EINVAL, "scale", "wants 1 input, has 0", "x is missing");
	ck_wire_refused(HLX_EINVAL, "sum x", "wants 2 inputs, has 1", "b is missing");
	ck_wire_refused(HLX_EINVAL, "sum b=x", "has 1", "x is missing");
	ck_wire_refused(HLX_EINVAL, "scale x y", "y is one input too many");
	ck_wire_refused(HLX_EINVAL, "scale xx", "nothing is called xx here", "did you mean x?");
	ck_wire_refused(HLX_EINVAL, "scale z", "nothing is called z here"); /* itself */
	ck_wire_refused(HLX_EINVAL, "scale x kk=2", "scale has no attribute kk", "did you mean k?");
	ck_wire_refused(HLX_EINVAL, "scale x k=2 k=3", "k is given twice");
	ck_wire_refused(HLX_EINVAL, "sum x b=x b=y", "b is given twice");
	ck_wire_refused(HLX_EINVAL, "sum x y x=y", "x is given twice");
	ck_wire_refused(HLX_EINVAL, "scale x y=x", "scale has no attribute y"); /* an output */
	ck_wire_refused(HLX_EINVAL, "scale x =2", "has no attribute");
	ck_wire_refused(HLX_EINVAL, "scale x k=", "k: ", "expected a number");
	ck_wire_refused(HLX_EINVAL, "scale x k=1e3", "k: 1000 is out of range, want -100 to 100");
	ck_wire_refused(HLX_EINVAL, "part x count=1.5", "count: ", "whole number");
	ck_wire_refused(HLX_EINVAL, "part x count=0", "count: 0 is out of range");
	ck_wire_refused(HLX_EINVAL, "wrong x how=fewer", "how: no choice fewer", "did you mean few?");
	ck_wire_refused(HLX_ESHAPE, "sum x p", "(2, 6)", "(2, 2)");
	ck_wire_refused(HLX_EPLUGIN, "part x first=5 count=2", "the view y does not fit");
	ck_wire_refused(HLX_EPLUGIN, "part x first=1048576 count=1048576", "the view y does not fit");
}
END_TEST

START_TEST(ties)
{
	struct hlx_graph *g = graph(LINES("h", "shift x", "same", "shift h w=@t.h.w", "p", "part x first=0 count=2"));

	ck_assert_uint_eq(hlx_graph_param_count(g), 1);
	ck_assert_uint_eq(g->param[0].n_uses, 2);
	ck_refused(hlx_graph_wire(g, "t", "a", "shift x w=@t.h.ww", "toy.ini:4"), HLX_EINVAL, "toy.ini:4: a: ",
			"w=@t.h.ww", "did you mean t.h.w?");
	hlx_graph_destroy(g);
	g = graph(LINES("h", "shift x"));
	ck_refused(hlx_graph_wire(g, "t", "a", "shift x w=h", "toy.ini:5"), HLX_EINVAL, "w is a parameter", "w=@path");
	hlx_graph_destroy(g);
	g = graph(LINES("h", "shift x", "p", "part x first=0 count=2"));
	ck_refused(hlx_graph_wire(g, "t", "a", "shift p w=@t.h.w", "toy.ini:6"), HLX_ESHAPE, "w is (2)", "@t.h.w is (6)");
	hlx_graph_destroy(g);
	g = graph(LINES("h", "shift x"));
	ck_refused(hlx_graph_wire(g, "t", "a", "shift x w=@t.h.w w=@t.h.w", "toy.ini:7"), HLX_EINVAL, "w is given twice");
	hlx_graph_destroy(g);
}
END_TEST

START_TEST(views)
{
	struct hlx_graph *g = graph(LINES("y", "scale x", "p", "part y first=1 count=3", "q", "part p first=1 count=2"));
	const struct hlx_desc *p = hlx_graph_desc(g, "t.p"), *q = hlx_graph_desc(g, "t.q");

	ck_assert_uint_eq(p->offset, 1);
	ck_assert_uint_eq(p->stride[0], 6);
	ck_assert_uint_eq(p->dim[1], 3);
	ck_assert_uint_eq(q->offset, 2); /* a view of a view counts from the storage */
	ck_assert_uint_eq(q->stride[0], 6);
	ck_assert_uint_eq(g->n_storages, 2);
	ck_refused(hlx_graph_wire(g, "t", "r", "part q first=4 count=1", "toy.ini:4"), HLX_EPLUGIN, "does not fit");
	hlx_graph_destroy(g);
}
END_TEST

/* joined asks its inputs to live in its output; their producers then write there. */
START_TEST(rehouses)
{
	struct hlx_graph *g = graph(LINES("a", "scale x", "b", "scale x", "j", "joined a b", "k", "scale j"));
	const struct hlx_desc *b = hlx_graph_desc(g, "t.b");

	ck_assert_uint_eq(b->offset, 6);
	ck_assert_uint_eq(b->stride[0], 12);
	ck_assert_uint_eq(g->tensor[hlx_graph_find_tensor(g, "t.a")].storage,
			g->tensor[hlx_graph_find_tensor(g, "t.j")].storage);
	ck_assert_uint_eq(g->tensor[hlx_graph_find_tensor(g, "t.b")].storage,
			g->tensor[hlx_graph_find_tensor(g, "t.j")].storage);
	hlx_graph_destroy(g);
	ck_wire_refused(HLX_ENOTSUP, "joined x y", "cannot lay out x anew"); /* an input of the graph */
	ck_wire_refused(HLX_ENOTSUP, "joined p y", "cannot lay out t.p anew"); /* a view */
	g = graph(LINES("a", "scale x", "b", "scale x", "c", "scale a"));
	ck_refused(hlx_graph_wire(g, "t", "j", "joined a b", "toy.ini:4"), HLX_ENOTSUP, "cannot lay out t.a anew");
	hlx_graph_destroy(g);
	g = graph(LINES("a", "scale x"));
	ck_refused(hlx_graph_wire(g, "t", "j", "joined a a", "toy.ini:4"), HLX_ENOTSUP, "cannot lay out t.a anew");
	hlx_graph_destroy(g);
	g = graph(LINES("a", "scale x", "v", "part a first=0 count=1", "b", "scale x"));
	ck_refused(hlx_graph_wire(g, "t", "j", "joined a b", "toy.ini:4"), HLX_ENOTSUP, "cannot lay out t.a anew");
	hlx_graph_destroy(g);
}
END_TEST

START_TEST(sizes)
{
	static const struct {
		uint64_t batch, seq, slots, want; /* want 0: refused */
		const char *word;
	} cases[] = {
		{ 8, 4, 0, 8, "" }, { 12, 4, 0, 4, "" }, { 7, 4, 0, 1, "" }, { 1, 1, 0, 1, "" }, { 64, 4, 0, 8, "" },
		{ 64, 4, 64, 64, "" }, { 8, 4, 2, 2, "" }, { 0, 4, 0, 0, "at least 1" }, { 8, 0, 0, 0, "at least 1" },
		{ 8, 4, 3, 0, "power of two" }, { 8, 4, 16, 0, "divides batch_size 8" }, { 6, 4, 4, 0, "divides batch_size 6" },
		{ 1ull << 40, 4, 1ull << 40, 0, "slots is 1099511627776" }, { 8, 4, UINT64_MAX, 0, "slots is" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct hlx_graph_options o = { .batch = cases[i].batch, .seq_len = cases[i].seq, .slots = cases[i].slots };
		struct hlx_graph *g = NULL;
		int status = hlx_graph_create(registry, &o, &g);
		ck_assert_msg((status >= 0) == (cases[i].want != 0), "case %zu: %d", i, status);
		if (g)
			ck_assert_uint_eq(g->options.slots, cases[i].want);
		else
			ck_assert_ptr_nonnull(strstr(hlx_message(), cases[i].word));
		hlx_graph_destroy(g);
	}
}
END_TEST

START_TEST(shapes)
{
	static const struct {
		uint32_t rank;
		uint64_t dim[4];
		const char *word;
	} cases[] = {
		{ 0, { 0 }, "0 dims" }, { 2, { 0, 3 }, "dimension of 0: (0, 3)" }, { 2, { 3, 0 }, "dimension of 0" },
		{ 2, { 1ull << 21, 1ull << 20 }, "too big" }, { 4, { 1ull << 32, 1ull << 32, 1ull << 32, 1ull << 32 }, "too big" },
		{ 1, { UINT64_MAX }, "too big" }, { 2, { 2, UINT64_MAX / 2 + 1 }, "too big" },
	};
	struct hlx_graph *g = graph(LINES("y", "scale x"));

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct hlx_desc d = { .dtype = HLX_F32, .rank = cases[i].rank };
		memcpy(d.dim, cases[i].dim, sizeof(d.dim));
		ck_refused(hlx_graph_input(g, "in", &d), HLX_ESHAPE, "in ", cases[i].word);
	}
	hlx_graph_destroy(g);
}
END_TEST

START_TEST(choices)
{
	struct hlx_graph *g = graph(LINES("y", "scale x"));

	ck_ok(hlx_graph_choose(g, "scale", "host"));
	ck_refused(hlx_graph_choose(g, "scal", "host"), HLX_EINVAL, "no op scal", "did you mean scale?");
	ck_refused(hlx_graph_choose(g, "scale", "hots"), HLX_EINVAL, "scale has no implementation \"hots\"", "did you mean host?");
	ck_ok(hlx_graph_wire(g, "t", "z", "scale y", "toy.ini:2"));
	ck_assert_str_eq(g->node[1]->impl, "host");
	hlx_graph_destroy(g);
}
END_TEST

/* What a line does not say, a variable of [model] may: k of scale. */
START_TEST(variables)
{
	struct hlx_graph *g = graph(LINES("a", "scale x"));

	ck_ok(hlx_graph_define(g, "k", 5));
	ck_ok(hlx_graph_define(g, "k", 7)); /* the last counts */
	ck_ok(hlx_graph_wire(g, "t", "y", "scale x", "toy.ini:1"));
	ck_ok(hlx_graph_wire(g, "t", "z", "scale x k=k/2", "toy.ini:1"));
	ck_assert_double_eq(*(const double *)g->node[1]->attrs, 7);
	ck_assert_double_eq(*(const double *)g->node[2]->attrs, 3.5);
	ck_ok(hlx_graph_define(g, "k", 700));
	ck_refused(hlx_graph_wire(g, "t", "bad", "scale x", "toy.ini:8"), HLX_EINVAL, "toy.ini:8: bad: ", "k: 700 is out of range");
	hlx_graph_destroy(g);
}
END_TEST

START_TEST(shape_text)
{
	struct hlx_desc d = { .rank = 4, .dim = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };

	ck_assert_uint_lt(strlen(hlx_desc_text(&d)), 112);
	d.rank = 1;
	d.dim[0] = 3;
	ck_assert_str_eq(hlx_desc_text(&d), "(3)");
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("graph");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, names);
	tcase_add_test(c, refuses_lines);
	tcase_add_test(c, ties);
	tcase_add_test(c, views);
	tcase_add_test(c, rehouses);
	tcase_add_test(c, sizes);
	tcase_add_test(c, shapes);
	tcase_add_test(c, choices);
	tcase_add_test(c, variables);
	tcase_add_test(c, shape_text);
	return suite_run("graph", c);
}
