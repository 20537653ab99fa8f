/*
 * Plans of the three models and of toys, checked the long way: no two cells that live at one time share a byte, every
 * access is inside its cell, every conflict has a barrier, nothing is read before it is written.
 */
#include "tests/toys.h"

#include "core/program/program.h"

static struct hlx_device *dev;
static struct hlx_registry *shipped, *toys;

struct place { /* a root cell, as the steps use it */
	uint64_t begin, end;
	uint32_t first, last;
	bool used;
};

static uint32_t root(const struct hlx_program *p, uint32_t cell, uint64_t *at)
{
	*at = 0;
	for (; p->cell[cell].parent != HLX_NONE; cell = p->cell[cell].parent)
		*at += p->cell[cell].offset;
	return cell;
}

static bool is_planned(const struct hlx_cell *c)
{
	return c->parent == HLX_NONE && c->arena != HLX_ARENA_WEIGHTS && c->arena != HLX_ARENA_STATES;
}

/* Lifetimes anew, from the steps; what a cell says of itself is not believed. */
static struct place *find_places(const struct hlx_program *p)
{
	struct place *place = calloc(p->n_cells, sizeof(*place));
	uint64_t at;

	for (uint32_t i = 0; i < p->n_steps; i++)
		for (uint32_t j = 0; j < p->step[i].n_access; j++) {
			struct place *q = &place[root(p, p->step[i].access[j].cell, &at)];
			q->first = q->used ? q->first : i;
			q->last = i;
			q->used = true;
		}
	for (uint32_t c = 0; c < p->n_cells; c++) {
		place[c].begin = p->cell[c].offset;
		place[c].end = p->cell[c].offset + p->cell[c].bytes;
		if (p->cell[c].persistent) {
			place[c].first = 0;
			place[c].last = UINT32_MAX;
			place[c].used = true;
		}
	}
	return place;
}

static void check_cells(const struct hlx_program *p)
{
	struct place *place = find_places(p);
	uint64_t most = (dev->max_allocation < (2ull << 30) ? dev->max_allocation : 2ull << 30);

	for (uint32_t a = 0; a < p->n_cells; a++) {
		if (!is_planned(&p->cell[a]) || !place[a].used)
			continue;
		ck_assert_uint_eq(p->cell[a].offset % HLX_ALIGN, 0);
		ck_assert_uint_le(place[a].end, most);
		for (uint32_t b = a + 1; b < p->n_cells; b++)
			if (is_planned(&p->cell[b]) && place[b].used && p->cell[a].arena == p->cell[b].arena &&
					p->cell[a].chunk == p->cell[b].chunk && place[a].first <= place[b].last &&
					place[b].first <= place[a].last)
				ck_assert_msg(place[a].end <= place[b].begin || place[b].end <= place[a].begin,
						"cells %u and %u share bytes and live at one time", a, b);
	}
	for (uint32_t c = 0; c < p->n_cells; c++) /* slices lie inside what they are cut from */
		if (p->cell[c].parent != HLX_NONE)
			ck_assert_uint_le(p->cell[c].offset + p->cell[c].bytes, p->cell[p->cell[c].parent].bytes);
	free(place);
}

static void check_accesses(const struct hlx_program *p)
{
	unsigned char *written = calloc(p->n_cells, 1);
	uint64_t at;

	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct hlx_prog_step *s = &p->step[i];
		for (uint32_t j = 0; j < s->n_access; j++) {
			const struct hlx_access *a = &s->access[j];
			const struct hlx_cell *c = &p->cell[a->cell];
			ck_assert_uint_ge(a->range, 1);
			ck_assert_uint_eq(a->offset % HLX_ALIGN, 0);
			ck_assert_uint_le(a->offset + a->range, a->texel ? (c->bytes + 15) / 16 * 16 : c->bytes);
		}
		/* what a step also writes, its accum decides: gemm binds its output once more to read what is there */
		for (uint32_t j = 0; j < s->n_access; j++)
			written[root(p, s->access[j].cell, &at)] |= s->access[j].write;
		for (uint32_t j = 0; j < s->n_access; j++)
			ck_assert_msg(p->cell[s->access[j].cell].persistent || written[root(p, s->access[j].cell, &at)],
					"step %u (%s) reads what nobody wrote", i, p->node[s->node].path);
	}
	free(written);
}

/* Element i of a tensor, in its storage. */
static uint64_t place_of(const struct hlx_desc *d, uint64_t i)
{
	uint64_t at = d->offset;

	for (uint32_t k = d->rank; k-- > 0; i /= d->dim[k])
		at += i % d->dim[k] * d->stride[k];
	return at;
}

/* Element by element. */
static bool have_common(const struct hlx_desc *a, const struct hlx_desc *b)
{
	unsigned char *in_a;
	bool common = false;

	if (a->offset == b->offset)
		return true;
	in_a = calloc(a->offset + hlx_extent(a) + 1, 1);
	for (uint64_t i = 0; i < hlx_numel(a); i++)
		in_a[place_of(a, i)] = 1;
	for (uint64_t i = 0; i < hlx_numel(b) && !common; i++)
		common = place_of(b, i) < a->offset + hlx_extent(a) && in_a[place_of(b, i)];
	free(in_a);
	return common;
}

/* Kernels that see tensors of one storage touch no element of it but their tensor's; the validation layer does not know. */
static bool conflict(const struct hlx_program *p, uint32_t i, uint32_t j, const struct hlx_access *a,
		const struct hlx_access *b)
{
	uint64_t at_a, at_b;
	const struct hlx_cell *ca = &p->cell[root(p, a->cell, &at_a)], *cb = &p->cell[root(p, b->cell, &at_b)];

	if ((!a->write && !b->write) || ca->arena != cb->arena || ca->chunk != cb->chunk)
		return false;
	at_a += ca->offset + a->offset;
	at_b += cb->offset + b->offset;
	if (at_a >= at_b + b->range || at_b >= at_a + a->range)
		return false;
	return a->cell != b->cell || !a->tensor || !b->tensor || dev->messenger || have_common(&p->node[p->step[i].node].desc[a->tensor - 1],
			&p->node[p->step[j].node].desc[b->tensor - 1]);
}

static bool steps_conflict(const struct hlx_program *p, uint32_t i, uint32_t j)
{
	for (uint32_t a = 0; a < p->step[i].n_access; a++)
		for (uint32_t b = 0; b < p->step[j].n_access; b++)
			if (conflict(p, i, j, &p->step[i].access[a], &p->step[j].access[b]))
				return true;
	return false;
}

/* A conflict without a barrier between is a race; a barrier without a conflict is lost time. */
static void check_barriers(const struct hlx_program *p)
{
	uint32_t last = 0, barriers = 0;

	for (uint32_t j = 0; j < p->n_steps; j++) {
		bool needed = false;
		if (j && p->step[j].phase != p->step[j - 1].phase)
			last = j; /* a phase begins with a command buffer, and that with a barrier */
		for (uint32_t i = last; i < j; i++)
			needed |= p->step[i].kind != HLX_HOST_CALL && steps_conflict(p, i, j);
		if (p->step[j].kind == HLX_HOST_CALL)
			ck_assert(p->step[j].barrier);
		else
			ck_assert_msg(p->step[j].barrier == needed, "step %u (%s): barrier %d, needed %d", j,
					p->node[p->step[j].node].path, p->step[j].barrier, needed);
		barriers += p->step[j].barrier;
		last = p->step[j].barrier ? j : last;
	}
	ck_assert_uint_eq(barriers, p->plan.barriers);
}

static void check_all(const struct hlx_program *p)
{
	check_cells(p);
	check_accesses(p);
	check_barriers(p);
}

static void check_same(const struct hlx_program *a, const struct hlx_program *b)
{
	ck_assert_uint_eq(a->n_cells, b->n_cells);
	ck_assert_uint_eq(a->n_steps, b->n_steps);
	for (uint32_t i = 0; i < a->n_cells; i++)
		ck_assert(a->cell[i].offset == b->cell[i].offset && a->cell[i].chunk == b->cell[i].chunk &&
				a->cell[i].bytes == b->cell[i].bytes && a->cell[i].arena == b->cell[i].arena);
	for (uint32_t i = 0; i < a->n_steps; i++) {
		const struct hlx_prog_step *s = &a->step[i], *t = &b->step[i];
		ck_assert(s->kind == t->kind && s->node == t->node && s->barrier == t->barrier && s->pipeline == t->pipeline &&
				s->n_access == t->n_access && !memcmp(s->push, t->push, sizeof(s->push)) &&
				!memcmp(s->groups, t->groups, sizeof(s->groups)));
		for (uint32_t j = 0; j < s->n_access; j++)
			ck_assert(s->access[j].cell == t->access[j].cell && s->access[j].offset == t->access[j].offset &&
					s->access[j].range == t->access[j].range);
	}
}

/* -- the models -------------------------------------------------------------------------------------------- */

static struct hlx_graph *model(const char *name, struct hlx_ini **ini, uint64_t batch, uint64_t micro)
{
	struct hlx_graph_options o = { .batch = batch, .train = true, .micro_batch = micro };
	char path[4096];
	int64_t seq = 0;
	struct hlx_graph *g;

	snprintf(path, sizeof(path), "%s/models/%s.ini", toys_env("top_srcdir"), name);
	ck_ok(hlx_ini_read(path, ini));
	ck_ok(hlx_ini_int(*ini, "model", "max_seq_len", 1, 1 << 20, &seq));
	o.seq_len = (uint64_t)seq;
	ck_ok(hlx_graph_build(shipped, *ini, &o, &g));
	return g;
}

static struct hlx_program *plan_as(struct hlx_graph *g, struct hlx_ini *ini, bool train, enum hlx_recompute recompute)
{
	struct hlx_program_options o = { .backward = train, .optimizer = train ? "adam" : NULL, .ini = ini,
		.ini_section = "train", .recompute = recompute };
	struct hlx_program *p;

	ck_ok(hlx_program_create(dev, g, NULL, &o, &p));
	return p;
}

static struct hlx_program *plan(struct hlx_graph *g, struct hlx_ini *ini, bool train)
{
	return plan_as(g, ini, train, HLX_RECOMPUTE_NONE);
}

START_TEST(load)
{
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/plugins/.libs", toys_env("top_builddir"));
	ck_ok(hlx_registry_create(&shipped));
	ck_ok(hlx_registry_load_dir(shipped, dir));
	toys = toys_registry();
}
END_TEST

static const char *const models[] = { "tiny", "small", "medium" };

START_TEST(models_plans)
{
	struct hlx_ini *ini;
	struct hlx_graph *g = model(models[_i], &ini, _i ? 4 : 8, 0);
	struct hlx_program *a = plan(g, ini, true), *b = plan(g, ini, true), *c = plan(g, ini, false);
	struct hlx_plan_info i = hlx_program_plan(a);
	uint64_t numel = 0;

	check_all(a);
	check_all(c);
	check_same(a, b);
	for (uint32_t k = 0; k < hlx_graph_param_count(g); k++)
		numel += hlx_graph_param(g, k).numel;
	ck_assert_uint_ge(i.weights, numel * 4);
	ck_assert_uint_le(i.weights, numel * 4 + 256 * hlx_graph_param_count(g));
	ck_assert_uint_eq(i.states, 2 * i.weights);
	ck_assert_uint_eq(i.total, i.weights + i.states + i.gradients + i.activations + i.parameters);
	ck_assert_uint_gt(i.dispatches, 100);
	ck_assert_uint_le(i.dispatches, i.steps);
	ck_assert_uint_lt(hlx_program_plan(c).activations, i.activations);
	hlx_program_destroy(a);
	hlx_program_destroy(b);
	hlx_program_destroy(c);
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
}
END_TEST

/* The same of micro-batches, whose phases run in another order; nothing but what is kept crosses from one to another. */
START_TEST(passes_plans)
{
	static const uint64_t batch[] = { 8, 8, 8, 16 }, micro[] = { 4, 2, 1, 1 }; /* 8 slots: 4, 2, 1, half of one a pass */
	static const uint32_t arenas[] = { 2, 3, 4, 4 };
	struct hlx_ini *ini;
	struct hlx_graph *g = model("tiny", &ini, batch[_i], micro[_i]);
	struct hlx_program *a = plan(g, ini, true), *b = plan(g, ini, true), *c = plan(g, ini, false);
	uint64_t at;
	uint8_t *phase;

	check_all(a);
	check_all(c);
	check_same(a, b);
	ck_assert_ptr_nonnull(phase = malloc(a->n_cells));
	memset(phase, 0xff, a->n_cells);
	for (uint32_t i = 0; i < a->n_steps; i++)
		for (uint32_t j = 0; j < a->step[i].n_access; j++) {
			uint32_t cell = root(a, a->step[i].access[j].cell, &at);
			ck_assert_msg(phase[cell] == 0xff || phase[cell] == a->step[i].phase || a->cell[cell].persistent,
					"step %u: cell %u is of another phase", i, cell);
			phase[cell] = a->step[i].phase;
		}
	free(phase);
	ck_assert_uint_eq(hlx_program_plan(a).passes, batch[_i] / micro[_i]);
	ck_assert_uint_eq(hlx_program_plan(a).arenas, arenas[_i]);
	hlx_program_destroy(a);
	hlx_program_destroy(b);
	hlx_program_destroy(c);
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
}
END_TEST

/*
 * Layers made again: the same invariants, fewer activations, and no dispatch more than what the backward pass reads; a
 * forward pass alone is what it was.
 */
START_TEST(recompute_plans)
{
	static const struct { const char *model; uint64_t batch, micro; } what[] = { { "tiny", 8, 0 }, { "small", 4, 0 },
		{ "medium", 4, 0 }, { "tiny", 8, 2 } };
	struct hlx_ini *ini;
	struct hlx_graph *g = model(what[_i].model, &ini, what[_i].batch, what[_i].micro);
	struct hlx_program *all = plan(g, ini, true), *a = plan_as(g, ini, true, HLX_RECOMPUTE_LAYER),
		*b = plan_as(g, ini, true, HLX_RECOMPUTE_LAYER), *c = plan_as(g, ini, false, HLX_RECOMPUTE_LAYER);
	struct hlx_plan_info i = hlx_program_plan(a), whole = hlx_program_plan(all), forward = hlx_program_plan(c);

	check_all(a);
	check_all(c);
	check_same(a, b);
	ck_assert_uint_eq(whole.again, 0);
	ck_assert_uint_eq(forward.again, 0);
	ck_assert_uint_eq(i.dispatches, whole.dispatches + i.again);
	ck_assert_uint_gt(i.again, 0);
	ck_assert_uint_lt(i.again, forward.dispatches - 2);
	ck_assert_msg(i.activations * 2 < whole.activations, "%llu bytes of activations, without %llu",
			(unsigned long long)i.activations, (unsigned long long)whole.activations);
	ck_assert_uint_lt(i.total, whole.total);
	hlx_program_destroy(all);
	hlx_program_destroy(a);
	hlx_program_destroy(b);
	hlx_program_destroy(c);
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
}
END_TEST

/* A device that allocates little at once: arenas of many chunks, no cell across two. */
START_TEST(chunks)
{
	struct hlx_ini *ini;
	struct hlx_graph *g = model("tiny", &ini, 8, 0);
	uint64_t before = dev->max_allocation;
	struct hlx_program *p;
	uint32_t chunks = 0;

	dev->max_allocation = 48u << 20;
	p = plan(g, ini, true);
	check_all(p);
	for (uint32_t i = 0; i < p->n_cells; i++)
		chunks = p->cell[i].chunk > chunks && is_planned(&p->cell[i]) ? p->cell[i].chunk : chunks;
	ck_assert_uint_ge(chunks, 1);
	hlx_program_destroy(p);
	dev->max_allocation = 1u << 20;
	ck_refused(hlx_program_create(dev, g, NULL, &(struct hlx_program_options){ .backward = true }, &p), HLX_ENOMEM,
			"one tensor of", "at most 0 MiB");
	dev->max_allocation = before;
	hlx_graph_destroy(g);
	hlx_ini_destroy(ini);
}
END_TEST

/* -- toys -------------------------------------------------------------------------------------------------- */

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
	check_all(p);
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
	check_all(p);
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
	check_all(p);
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
	const struct toys_test tests[] = { { load, 0 }, { models_plans, 3 }, { passes_plans, 4 }, { recompute_plans, 4 }, { chunks, 0 },
		{ toys_plans, sizeof(wirings) / sizeof(*wirings) }, { side_by_side, 0 }, { columns, 2 }, { plan_only, 0 } };

	dev = toys_device();
	status = TOYS_RUN("plan", tests, 120, false); /* a device does not live through a fork */
	hlx_registry_destroy(toys);
	hlx_registry_destroy(shipped);
	hlx_device_close(dev);
	return status;
}
