/*
 * Programs of toys: values and gradients to the bit, on memory the host sees and through staging, with a host call in the
 * middle of the backward pass; what can be read and written; what is not finite; what does not fit.
 */
#include "tests/toys.h"

#include "core/program/program.h"
#include "hlx/math.h"

#define ROWS 5u
#define COLS 6u
#define N (ROWS * COLS)

static struct hlx_device *device[2]; /* as it is, and with HLX_STAGING */
static struct hlx_registry *registry;
static float x[N], dd[N]; /* what goes in: values, and the gradient of the last tensor */

START_TEST(load)
{
	registry = toys_registry();
	for (unsigned i = 0; i < N; i++) {
		x[i] = (float)(int)(i * 37 % 101 - 50) * 0.37f;
		dd[i] = (float)(int)(i * 53 % 97 - 48) * 0.011f;
	}
}
END_TEST

struct run {
	struct hlx_graph *g;
	struct hlx_weights *w;
	struct hlx_program *p;
};

/* seed: where the backward pass starts, or NULL for none. */
static struct run start(struct hlx_device *dev, struct hlx_graph *g, const char *seed, const char *const *keep)
{
	struct run r = { .g = g };
	struct hlx_program_options o = { .backward = seed != NULL, .seed = seed, .keep = keep };

	ck_ok(hlx_weights_create(dev, g, 0, &r.w));
	ck_ok(hlx_program_create(dev, g, r.w, &o, &r.p));
	ck_ok(hlx_program_write(r.p, "x", HLX_VALUE, 0, N, x));
	return r;
}

static void stop(struct run *r)
{
	hlx_program_destroy(r->p);
	hlx_weights_destroy(r->w);
	hlx_graph_destroy(r->g);
}

static void go(const struct run *r, const char *seed)
{
	const struct hlx_step step = { .size = 1, .train = seed != NULL, .step = 7, .n_seq = 3 };

	if (seed)
		ck_ok(hlx_program_write(r->p, seed, HLX_GRAD, 0, hlx_numel(hlx_graph_desc(r->g, seed)), dd));
	ck_ok(hlx_program_run(r->p, &step));
}

static void ck_tensor(const struct run *r, const char *name, int what, const float *want, uint32_t n)
{
	float got[2 * N];

	ck_ok(hlx_program_read(r->p, name, what, 0, n, got));
	for (uint32_t i = 0; i < n; i++)
		ck_assert_msg(!memcmp(&got[i], &want[i], 4), "%s[%u] is %.9g, want %.9g", name, i, got[i], want[i]);
}

static float times(float a, float k)
{
	return hlx_store(hlx_mul(a, k));
}

START_TEST(forward)
{
	struct run r = start(device[_i], toys_graph(registry, false, ROWS, COLS, LINES("y", "scale x k=3", "z", "sum y x", "q",
			"square z", "s", "stepped q", "c", "copied s", "t", "texel c", "h", "shift t")), NULL, LINES("t.q", "t.s", "t.t"));
	float q[N], s[N];

	for (unsigned i = 0; i < N; i++) {
		q[i] = hlx_store(times(x[i], 3) + x[i]);
		q[i] = times(q[i], q[i]);
		s[i] = times(q[i], 3); /* n_seq, as step() wrote it */
	}
	for (int turn = 0; turn < 3; turn++) {
		go(&r, NULL);
		ck_tensor(&r, "t.q", HLX_VALUE, q, N);
		ck_tensor(&r, "t.s", HLX_VALUE, s, N);
		s[0] = 7; /* the second fill of `copied` */
		ck_tensor(&r, "t.t", HLX_VALUE, s, N);
		s[0] = times(q[0], 3);
	}
	ck_ok(hlx_program_run(r.p, &(struct hlx_step){ .step = 8, .n_seq = 3 }));
	for (unsigned i = 0; i < N; i++)
		s[i] = times(q[i], -3);
	ck_tensor(&r, "t.s", HLX_VALUE, s, N);
	stop(&r);
}
END_TEST

/* x has two readers; scale may be done in C, between two dispatches of its backward pass. */
START_TEST(backward)
{
	struct hlx_graph_options o = { .batch = 2, .seq_len = 2, .train = true, .input_grads = true };
	struct hlx_desc d = toys_desc(ROWS, COLS);
	struct hlx_graph *g;
	struct run r;
	float dx[N];
	unsigned calls = 0;

	ck_ok(hlx_graph_create(registry, &o, &g));
	if (_i >= 2)
		ck_ok(hlx_graph_choose(g, "scale", "host"));
	ck_ok(hlx_graph_input(g, "x", &d));
	ck_ok(hlx_graph_wire(g, "t", "a", "scale x k=3", ""));
	ck_ok(hlx_graph_wire(g, "t", "b", "square a", ""));
	ck_ok(hlx_graph_wire(g, "t", "d", "sum b x", ""));
	r = start(device[_i % 2], g, "t.d", LINES("x"));
	for (unsigned i = 0; i < N; i++) {
		float db = times(dd[i], 1), a = times(x[i], 3), da = times(db, times(a, 2));
		dx[i] = hlx_accum(times(dd[i], 1), times(da, 3));
	}
	for (int turn = 0; turn < 3; turn++) {
		go(&r, "t.d");
		ck_tensor(&r, "x", HLX_GRAD, dx, N);
	}
	for (uint32_t i = 0; i < r.p->n_steps; i++)
		if (r.p->step[i].kind == HLX_HOST_CALL) {
			calls++;
			ck_assert(r.p->step[i].backward && r.p->step[i - 1].backward && r.p->step[i + 1].backward);
			ck_assert(r.p->step[i - 1].kind == HLX_DISPATCH && r.p->step[i + 1].kind == HLX_DISPATCH);
		}
	ck_assert_uint_eq(calls, _i >= 2);
	if (calls) { /* times_k() refuses a pass that does not train; the next one is not harmed */
		ck_refused(hlx_program_run(r.p, &(struct hlx_step){ .train = 0 }), HLX_EPLUGIN, "t.a: host call: ");
		go(&r, "t.d");
		ck_tensor(&r, "x", HLX_GRAD, dx, N);
	}
	stop(&r);
}
END_TEST

/* Columns of one tensor that overlap: its gradient is zeroed first, everybody adds. */
START_TEST(overlapping_views)
{
	struct run r = start(device[_i], toys_graph(registry, true, ROWS, COLS, LINES("a", "scale x k=1", "l",
			"part a first=0 count=4", "r", "part a first=2 count=4", "p", "scale l k=3", "q", "scale r k=5", "d",
			"sum p q")), "t.d", LINES("x", "t.d"));
	float dx[N], d[ROWS * 4];

	for (unsigned row = 0; row < ROWS; row++) {
		for (unsigned c = 0; c < COLS; c++) {
			float da = 0;
			if (c >= 2)
				da = hlx_accum(da, hlx_mul(times(dd[row * 4 + c - 2], 1), 5));
			if (c < 4)
				da = hlx_accum(da, hlx_mul(times(dd[row * 4 + c], 1), 3));
			dx[row * COLS + c] = times(da, 1);
		}
		for (unsigned c = 0; c < 4; c++)
			d[row * 4 + c] = hlx_store(times(times(x[row * COLS + c], 1), 3) + times(times(x[row * COLS + c + 2], 1), 5));
	}
	for (int turn = 0; turn < 3; turn++) {
		go(&r, "t.d");
		ck_tensor(&r, "t.d", HLX_VALUE, d, ROWS * 4);
		ck_tensor(&r, "x", HLX_GRAD, dx, N);
	}
	stop(&r);
}
END_TEST

/* Views of views, two tensors laid out anew inside a third, and a part that nobody reads: its gradient is zero. */
START_TEST(view_chains)
{
	struct run r = start(device[_i], toys_graph(registry, true, ROWS, COLS, LINES("a", "scale x k=2", "m",
			"part a first=1 count=5", "l", "part m first=0 count=3", "r", "part m first=3 count=1", "p", "scale l k=3", "q",
			"scale r k=5", "j", "joined p q", "d", "scale j k=1")), "t.d", LINES("x", "t.j"));
	float j[ROWS * 4], dx[N];

	for (unsigned row = 0; row < ROWS; row++) {
		for (unsigned c = 0; c < 4; c++)
			j[row * 4 + c] = times(times(x[row * COLS + 1 + c], 2), c < 3 ? 3 : 5);
		for (unsigned c = 0; c < COLS; c++)
			dx[row * COLS + c] = c < 1 || c > 4 ? 0 :
				times(times(times(dd[row * 4 + c - 1], 1), c - 1 < 3 ? 3 : 5), 2);
	}
	for (int turn = 0; turn < 2; turn++) {
		go(&r, "t.d");
		ck_tensor(&r, "t.j", HLX_VALUE, j, ROWS * 4);
		ck_tensor(&r, "x", HLX_GRAD, dx, N);
	}
	ck_refused(hlx_program_read(r.p, "t.p", HLX_VALUE, 0, 1, j), HLX_ENOTSUP, "t.p is a view");
	stop(&r);
}
END_TEST

/* More steps than one command buffer takes, memory used again and again. */
START_TEST(long_chain)
{
	struct hlx_graph_options o = { .batch = 2, .seq_len = 2 };
	struct hlx_desc d = toys_desc(ROWS, COLS);
	struct hlx_graph *g;
	struct run r;
	char name[16] = "x", text[64];

	ck_ok(hlx_graph_create(registry, &o, &g));
	ck_ok(hlx_graph_input(g, "x", &d));
	for (int i = 0; i < 301; i++) {
		snprintf(text, sizeof(text), "scale %s k=-1", name);
		snprintf(name, sizeof(name), "n%d", i);
		ck_ok(hlx_graph_wire(g, "t", name, text, ""));
	}
	r = start(device[_i], g, NULL, LINES("t.n300"));
	ck_assert_uint_ge(r.p->n_cmds, 3);
	ck_assert_uint_le(hlx_program_plan(r.p).activations, 3 * HLX_ALIGN);
	go(&r, NULL);
	for (unsigned i = 0; i < N; i++)
		x[i] = times(x[i], -1);
	ck_tensor(&r, "t.n300", HLX_VALUE, x, N);
	for (unsigned i = 0; i < N; i++)
		x[i] = times(x[i], -1);
	stop(&r);
}
END_TEST

START_TEST(reading)
{
	struct run r = start(device[_i], toys_graph(registry, true, ROWS, COLS, LINES("a", "scale x", "b", "scale a", "v",
			"part b first=0 count=2", "u", "scale x", "d", "scale b")), "t.d", LINES("t.b", "t.u"));
	float v[N] = { 0 };

	go(&r, "t.d");
	ck_ok(hlx_program_read(r.p, "t.b", HLX_VALUE, N - 1, 1, v));
	ck_ok(hlx_program_read(r.p, "t.b", HLX_VALUE, N, 0, v));
	ck_ok(hlx_program_write(r.p, "x", HLX_VALUE, 3, 2, x + 3));
	ck_refused(hlx_program_read(r.p, "t.bb", HLX_VALUE, 0, 1, v), HLX_EINVAL, "no tensor t.bb");
	ck_refused(hlx_program_read(r.p, "t.a", HLX_VALUE, 0, 1, v), HLX_EINVAL, "t.a is not kept");
	ck_refused(hlx_program_read(r.p, "t.b", HLX_VALUE, N, 1, v), HLX_ESHAPE, "t.b: elements 30 to 31 of 30");
	ck_refused(hlx_program_read(r.p, "t.b", HLX_VALUE, 1, N, v), HLX_ESHAPE, "t.b: ", "of 30");
	ck_refused(hlx_program_read(r.p, "t.b", HLX_VALUE, UINT64_MAX, 2, v), HLX_ESHAPE, "t.b: ");
	ck_refused(hlx_program_write(r.p, "x", HLX_VALUE, 2, UINT64_MAX, v), HLX_ESHAPE, "x: ");
	ck_refused(hlx_program_read(r.p, "t.v", HLX_VALUE, 0, 1, v), HLX_ENOTSUP, "t.v is a view");
	ck_refused(hlx_program_read(r.p, "t.u", HLX_GRAD, 0, 1, v), HLX_EINVAL, "t.u has no gradient in this program");
	stop(&r);
}
END_TEST

/* -- parameters -------------------------------------------------------------------------------------------- */

START_TEST(not_finite)
{
	static const uint32_t bits[] = { 0x7fc00001u, 0xff800000u };
	struct run r = start(device[_i], toys_graph(registry, false, ROWS, COLS, LINES("h", "shift x", "i", "shift h")), NULL,
			NULL);
	float w[COLS];
	uint64_t flushed = 0;

	ck_ok(hlx_weights_init(r.w, 1));
	ck_ok(hlx_weights_read(r.w, 1, 0, w));
	ck_assert_float_eq(w[5], 0.5f);
	go(&r, NULL);
	ck_ok(hlx_program_find_bad(r.p));
	for (int k = 0; k < 2; k++) {
		memcpy(&w[4], &bits[k], 4);
		ck_ok(hlx_weights_write(r.w, 1, 0, w, NULL));
		ck_refused(hlx_program_find_bad(r.p), HLX_ENUMERIC, "t.i.w[4] is not finite");
	}
	w[0] = 1e-20f; /* stored as every op would, and told of */
	w[1] = -0.0f;
	w[4] = 1;
	ck_ok(hlx_weights_write(r.w, 0, 0, w, &flushed));
	ck_assert_uint_eq(flushed, 2);
	ck_ok(hlx_program_read(r.p, "t.h.w", HLX_VALUE, 0, COLS, w));
	ck_assert_uint_eq(hlx_bits(w[0]), 0);
	ck_assert_uint_eq(hlx_bits(w[1]), 0);
	ck_refused(hlx_program_read(r.p, "t.h.w", HLX_GRAD, 0, 1, w), HLX_EINVAL, "t.h.w has no gradient");
	ck_refused(hlx_weights_read(r.w, 2, 0, w), HLX_EINVAL, "parameter 2 of 2");
	ck_refused(hlx_weights_read(r.w, 0, 1, w), HLX_EINVAL, "state 1 of 0");
	stop(&r);
}
END_TEST

START_TEST(other_weights)
{
	struct hlx_graph *a = toys_graph(registry, false, ROWS, COLS, LINES("h", "shift x"));
	struct hlx_graph *b = toys_graph(registry, false, ROWS, COLS, LINES("i", "shift x"));
	struct hlx_graph *c = toys_graph(registry, false, ROWS + 3, COLS, LINES("h", "shift x"));
	struct hlx_program_options o = { 0 };
	struct hlx_weights *w;
	struct hlx_program *p;

	ck_ok(hlx_weights_create(device[0], a, 0, &w));
	ck_refused(hlx_program_create(device[0], b, w, &o, &p), HLX_EINVAL, "weights", "another model");
	ck_ok(hlx_program_create(device[0], c, w, &o, &p)); /* other shapes of the activations are fine */
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_weights_destroy(NULL);
	hlx_graph_destroy(a);
	hlx_graph_destroy(b);
	hlx_graph_destroy(c);
}
END_TEST

/* -- too big ----------------------------------------------------------------------------------------------- */

START_TEST(too_big)
{
	struct hlx_graph_options o = { .batch = 2, .seq_len = 2 };
	struct hlx_desc d = toys_desc(1 << 14, 1 << 14); /* 1 GiB each */
	const char *keep[2050] = { NULL };
	static char name[2048][16], path[2048][24];
	struct hlx_program_options po = { .keep = keep };
	struct hlx_graph *g, *wide;
	struct hlx_weights *w;
	struct hlx_program *p;

	ck_ok(hlx_graph_create(registry, &o, &g));
	ck_ok(hlx_graph_input(g, "x", &d));
	for (int i = 0; i < 2048; i++) {
		snprintf(name[i], sizeof(name[i]), "n%d", i);
		snprintf(path[i], sizeof(path[i]), "t.n%d", i);
		ck_ok(hlx_graph_wire(g, "t", name[i], "copied x", ""));
		keep[i] = path[i];
	}
	ck_ok(hlx_weights_create(device[0], g, 0, &w));
	ck_refused(hlx_program_create(device[0], g, w, &po, &p), HLX_ENOMEM, "does not fit", "needs 2098176 MiB", "MiB free");
	ck_ok(hlx_program_create(device[0], g, NULL, &po, &p)); /* it can still be planned */
	ck_assert_uint_gt(hlx_program_plan(p).total, hlx_program_plan(p).available);
	hlx_program_destroy(p);
	hlx_weights_destroy(w);
	hlx_graph_destroy(g);
	wide = toys_graph(registry, false, 1, 1ull << 39, LINES("h", "shift x"));
	ck_refused(hlx_weights_create(device[0], wide, 2, &w), HLX_ENOMEM, "does not fit", "6291456 MiB", "MiB free");
	hlx_graph_destroy(wide);
}
END_TEST

int main(void)
{
	int status;
	const struct toys_test tests[] = { { load, 0 }, { forward, 2 }, { backward, 4 }, { overlapping_views, 2 },
		{ view_chains, 2 }, { long_chain, 2 }, { reading, 2 }, { not_finite, 2 }, { other_weights, 0 }, { too_big, 0 } };

	device[0] = toys_device();
	setenv("HLX_STAGING", "1", 1);
	device[1] = toys_device();
	unsetenv("HLX_STAGING");
	status = TOYS_RUN("program", tests, 120, false); /* a device does not live through a fork */
	hlx_registry_destroy(registry);
	hlx_device_close(device[1]);
	hlx_device_close(device[0]);
	return status;
}
