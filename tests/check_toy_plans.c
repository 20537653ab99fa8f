/* check_toy_plans.c - plans of toys: views, what is zeroed, what runs side by side, and what a plan alone refuses. */
#include "tests/plan_check.h"
#include "tests/toys.h"

static struct hlx_device *dev;
static struct hlx_registry *toys;

START_TEST(load)
{
	toys = toys_registry();
}
END_TEST

static const struct {
	const char *const *lines; /* as toys_graph() takes them */
	const char *seed;
	unsigned fills; /* storages that are zeroed first */
} wirings[] = {
	{ LINES("a", "scale x", "b", "scale a", "c", "square b", "d", "sum c a"), "t.d", 0 },
	{ LINES("a", "scale x", "l", "part a first=0 count=3", "r", "part a first=3 count=3", "p", "scale l", "q", "scale r",
			"j", "joined p q", "d", "scale j"), "t.d", 0 },
	/* one part only; parts that overlap; a part and the whole */
	{ LINES("a", "scale x", "l", "part a first=0 count=3", "d", "scale l"), "t.d", 1 },
	{ LINES("a", "scale x", "l", "part a first=0 count=4", "r", "part a first=2 count=4", "p", "scale l", "q", "scale r",
			"d", "sum p q"), "t.d", 1 },
	{ LINES("a", "scale x", "l", "part a first=0 count=3", "p", "scale l", "q", "scale a", "j", "joined p q", "d",
			"scale j"), "t.d", 1 },
	/* the same part twice; a part of a part */
	{ LINES("a", "scale x", "l", "part a first=0 count=6", "p", "scale l", "q", "square a", "d", "sum p q"), "t.d", 0 },
	{ LINES("a", "scale x", "l", "part a first=1 count=4", "m", "part l first=1 count=2", "p", "scale m", "d", "square p"),
		"t.d", 1 },
};

START_TEST(toys_plans)
{
	struct hlx_graph *g = toys_graph(toys, true, 5, 6, wirings[_i].lines);
	struct hlx_program_options o = { .backward = true, .seed = wirings[_i].seed };
	struct hlx_program *p;
	unsigned fills = 0;
	char *text = NULL;
	size_t size = 0, lines = 0;
	FILE *f = open_memstream(&text, &size);

	ck_ok(hlx_program_create(dev, g, NULL, &o, &p));
	plan_check(p);
	for (uint32_t i = 0; i < p->n_steps; i++)
		fills += p->step[i].kind == HLX_FILL;
	ck_assert_uint_eq(fills, wirings[_i].fills);
	ck_ok(hlx_program_print(p, f));
	fclose(f);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	ck_assert_uint_eq(lines, p->n_steps);
	free(text);
	hlx_program_destroy(p);
	hlx_graph_destroy(g);
}
END_TEST

/* Three chains of three steps, wired one after the other, run side by side: two barriers. */
START_TEST(side_by_side)
{
	struct hlx_graph *g = toys_graph(toys, false, 5, 6, LINES("a", "scale x", "b", "scale a", "c", "scale b",
			"d", "scale x", "e", "scale d", "f", "scale e", "g", "scale x", "h", "scale g", "i", "scale h"));
	struct hlx_program *p;

	ck_ok(hlx_program_create(dev, g, NULL, &(struct hlx_program_options){ 0 }, &p));
	plan_check(p);
	ck_assert_uint_eq(hlx_program_plan(p).dispatches, 9);
	ck_assert_uint_eq(hlx_program_plan(p).barriers, 2);
	hlx_program_destroy(p);
	hlx_graph_destroy(g);
}
END_TEST

/* Backwards into columns of one storage: at once, unless the columns meet. */
START_TEST(columns)
{
	struct hlx_graph *g = toys_graph(toys, true, 5, 6, LINES("a", "scale x", "l", "part a first=0 count=3", "r",
			_i ? "part a first=2 count=3" : "part a first=3 count=3", "p", "scale l", "q", "scale r", "d", "sum p q"));
	struct hlx_program_options o = { .backward = true, .seed = "t.d" };
	struct hlx_program *p;
	int between = -1; /* barriers, from q's backward step to p's */

	ck_ok(hlx_program_create(dev, g, NULL, &o, &p));
	plan_check(p);
	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct hlx_prog_step *s = &p->step[i];
		bool back = s->backward && s->kind == HLX_DISPATCH;
		between += between >= 0 && s->barrier;
		if (back && !strcmp(p->node[s->node].path, "t.q"))
			between = 0;
		if (back && !strcmp(p->node[s->node].path, "t.p"))
			break;
	}
	ck_assert_int_eq(between, _i || dev->messenger);
	hlx_program_destroy(p);
	hlx_graph_destroy(g);
}
END_TEST

START_TEST(plan_only)
{
	struct hlx_graph *g = toys_graph(toys, true, 5, 6, LINES("a", "scale x", "l", "part a first=0 count=3", "d", "scale a"));
	struct hlx_program_options o = { .backward = true, .seed = "t.d" };
	struct hlx_program *p;
	struct hlx_result r;
	float v;

	ck_ok(hlx_program_create(dev, g, NULL, &o, &p));
	ck_refused(hlx_program_run(p, &(struct hlx_step){ 0 }), HLX_EINVAL, "plan only");
	ck_refused(hlx_program_read(p, "x", HLX_VALUE, 0, 1, &v), HLX_EINVAL, "plan only");
	ck_refused(hlx_program_write(p, "x", HLX_VALUE, 0, 1, &v), HLX_EINVAL, "plan only");
	ck_refused(hlx_program_result(p, &r), HLX_EINVAL, "plan only");
	ck_refused(hlx_program_find_bad(p), HLX_EINVAL, "plan only");
	hlx_program_destroy(p);
	hlx_program_destroy(NULL);
	o.seed = "t.z";
	ck_refused(hlx_program_create(dev, g, NULL, &o, &p), HLX_EINVAL, "no tensor t.z");
	o.seed = "t.l";
	ck_refused(hlx_program_create(dev, g, NULL, &o, &p), HLX_ENOTSUP, "t.l is a part of another");
	o.seed = NULL;
	ck_refused(hlx_program_create(dev, g, NULL, &o, &p), HLX_EINVAL, "no loss");
	o = (struct hlx_program_options){ .keep = LINES("t.a", "t.z") };
	ck_refused(hlx_program_create(dev, g, NULL, &o, &p), HLX_EINVAL, "no tensor t.z to keep");
	hlx_graph_destroy(g);
}
END_TEST

int main(void)
{
	int status;
	const struct toys_test tests[] = { { load, 0 }, { toys_plans, sizeof(wirings) / sizeof(*wirings) }, { side_by_side, 0 },
		{ columns, 2 }, { plan_only, 0 } };

	dev = toys_device();
	status = TOYS_RUN("toy_plans", tests, 120, false); /* a device does not live through a fork */
	hlx_registry_destroy(toys);
	hlx_device_close(dev);
	return status;
}
