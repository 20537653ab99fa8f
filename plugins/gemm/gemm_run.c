/*
 * gemm_run.c - windows and dispatches.
 *
 * An operand's part is the stretch of its storage from its first element, moved down to a multiple of HLX_ALIGN
 * bytes, to its last; the kernel gets the distance moved.  A matrix too large for a binding is cut along its slow axis:
 * a along m (k if transposed), b along n of a weight (k otherwise), c along m.
 */
#include "gemm.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define ALIGN (HLX_ALIGN / 4) /* elements */

/* What kernels see: gemm.glsl has the same block. */
struct push {
	uint32_t m, n, k, flags, dim1, z0;
	uint32_t a_base, a_row, a_col, a_s0, a_s1;
	uint32_t b_base, b_row, b_col, b_s0, b_s1;
	uint32_t c_base, c_row, c_s0, c_s1;
	uint32_t bias_base;
};

/* first to past the last element */
struct stretch {
	uint64_t first, end;
};

/* Rows r0 ... r1 and columns c0 ... c1 of matrices z0 ... z1. */
static struct stretch part(const struct gemm_operand *o, uint64_t dim1, uint64_t z0, uint64_t z1, uint64_t r0,
			   uint64_t r1, uint64_t c0, uint64_t c1)
{
	uint64_t last = z1 - 1, lo = z0 % dim1, hi = last % dim1;

	if (z0 / dim1 != last / dim1) {
		lo = 0;
		hi = dim1 - 1;
	}
	return (struct stretch){
		(o->base + z0 / dim1 * o->s0 + lo * o->s1 + r0 * o->row + c0 * o->col) / ALIGN * ALIGN,
		o->base + last / dim1 * o->s0 + hi * o->s1 + (r1 - 1) * o->row + (c1 - 1) * o->col + 1,
	};
}

static struct stretch part_a(const struct gemm_task *t, const struct gemm_window *w)
{
	return part(&t->a, t->dim1, w->z0, w->z1, w->m0, w->m1, w->k0, w->k1);
}

static struct stretch part_b(const struct gemm_task *t, const struct gemm_window *w)
{
	return part(&t->b, t->dim1, w->z0, w->z1, w->k0, w->k1, w->n0, w->n1);
}

static struct stretch part_c(const struct gemm_task *t, const struct gemm_window *w)
{
	return part(&t->c, t->dim1, w->z0, w->z1, w->m0, w->m1, w->n0, w->n1);
}

static struct hlx_arg window_arg(const struct gemm_operand *o, struct stretch s)
{
	return (struct hlx_arg){ o->slot, o->what, HLX_SSBO, s.first * 4, (s.end - s.first) * 4 };
}

/* ---- one dispatch ------------------------------------------------------------------------------------- */

static bool unfinished(const struct gemm_task *t, const struct gemm_window *w)
{
	return w->k1 < t->k;
}

/* The operand that holds C's unfinished accumulators: C, or work memory with C's layout. */
static struct gemm_operand pending(const struct gemm_task *t)
{
	struct gemm_operand o = t->c;

	if (t->flags & GEMM_ACCUM) {
		o.what = HLX_WORK;
		o.slot = 0;
	}
	return o;
}

static uint32_t window_flags(const struct gemm_task *t, const struct gemm_window *w)
{
	uint32_t flags = unfinished(t, w) ? GEMM_RAW : t->flags & ~GEMM_CONTINUE;

	if (w->k0 > 0)
		flags |= GEMM_CONTINUE;
	return flags | (t->flags & GEMM_CONTINUE) | gemm_next_of(t, w) << 8;
}

/* Offsets may pass 2^32 elements; the kernel's sums of them wrap to the right ones, as the differences fit. */
static struct push make_push(const struct gemm_task *t, const struct gemm_window *w)
{
	struct stretch a = part_a(t, w), b = part_b(t, w), c = part_c(t, w);

	return (struct push){
		.m = (uint32_t)(w->m1 - w->m0), .n = (uint32_t)(w->n1 - w->n0), .k = (uint32_t)(w->k1 - w->k0),
		.flags = window_flags(t, w), .dim1 = (uint32_t)t->dim1, .z0 = (uint32_t)w->z0,
		.a_base = (uint32_t)(t->a.base + w->m0 * t->a.row + w->k0 * t->a.col - a.first),
		.a_row = (uint32_t)t->a.row, .a_col = (uint32_t)t->a.col,
		.a_s0 = (uint32_t)t->a.s0, .a_s1 = (uint32_t)t->a.s1,
		.b_base = (uint32_t)(t->b.base + w->k0 * t->b.row + w->n0 * t->b.col - b.first),
		.b_row = (uint32_t)t->b.row, .b_col = (uint32_t)t->b.col,
		.b_s0 = (uint32_t)t->b.s0, .b_s1 = (uint32_t)t->b.s1,
		.c_base = (uint32_t)(t->c.base + w->m0 * t->c.row + w->n0 - c.first),
		.c_row = (uint32_t)t->c.row, .c_s0 = (uint32_t)t->c.s0, .c_s1 = (uint32_t)t->c.s1,
		.bias_base = (uint32_t)(t->bias_base % ALIGN + w->n0),
	};
}

/* Room for unfinished accumulators, all of C's storage, so that their offsets are C's. */
static void need_work(const struct gemm_run *run, const struct gemm_task *t)
{
	uint64_t bytes = 4 * part(&t->c, t->dim1, 0, t->z, 0, t->m, 0, t->n).end;

	if (!run->rec && run->node->work_bytes < bytes)
		run->node->work_bytes = bytes;
}

/* Those of the kernel's kind; how many there are. */
static uint32_t place_args(const struct gemm_task *t, const struct gemm_window *w, const struct gemm_kernel *kernel,
			   struct hlx_arg args[9])
{
	uint32_t n = kernel->texel ? 7 : 5;

	if (kernel->texel)
		args[0].how = args[1].how = HLX_TEXEL;
	if (!kernel->next)
		return n;
	args[n] = window_arg(&t->e, part(&t->e, t->dim1, w->z0, w->z1, w->m0, w->m1, w->n0, w->n1));
	args[n].how = kernel->texel ? HLX_TEXEL : HLX_SSBO;
	args[n + 1] = window_arg(&t->f, part(&t->f, t->dim1, w->z0, w->z1, w->m0, w->m1, w->n0, w->n1));
	return n + 2;
}

static int make_args(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w,
		     const struct gemm_kernel *kernel, struct hlx_arg args[9], uint32_t *n)
{
	struct stretch c = part_c(t, w);
	struct gemm_operand d = pending(t);
	uint32_t flags = window_flags(t, w);
	struct hlx_arg bias = { GEMM_BIAS, HLX_VALUE, HLX_SSBO, t->bias_base / ALIGN * ALIGN * 4, 0 };

	bias.range = (t->bias_base % ALIGN + t->n) * 4;
	if (bias.range > run->host->caps->max_range)
		return run->host->fail(run->host, HLX_ENOTSUP, "the bias is larger than a binding");
	args[0] = args[5] = window_arg(&t->a, part_a(t, w));
	args[1] = args[6] = window_arg(&t->b, part_b(t, w));
	args[2] = window_arg(unfinished(t, w) ? &d : &t->c, c);
	args[3] = flags & GEMM_ADD_BIAS ? bias : args[1];
	args[4] = flags & GEMM_CONTINUE ? window_arg(&d, c) : args[2];
	if (args[2].what == HLX_WORK || args[4].what == HLX_WORK)
		need_work(run, t);
	*n = place_args(t, w, kernel, args);
	return 0;
}

int gemm_dispatch(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w,
		  const struct gemm_kernel *kernel)
{
	struct hlx_pipeline *pipeline;
	struct push push = make_push(t, w);
	struct hlx_arg args[9];
	uint32_t n = 0;
	int rc = run->host->pipeline(run->host, kernel->shader, kernel->spec, kernel->n_spec, &pipeline);

	if (rc == 0)
		rc = make_args(run, t, w, kernel, args, &n);
	if (rc || !run->rec)
		return rc;
	return run->host->dispatch(run->rec, pipeline, args, n, &push, sizeof push,
				   (push.n + kernel->tile_n - 1) / kernel->tile_n,
				   (push.m + kernel->tile_m - 1) / kernel->tile_m, (uint32_t)(w->z1 - w->z0));
}

/* ---- windows ------------------------------------------------------------------------------------------ */

static int split(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w);

/* The middle of [a, b), a multiple of 64 from a: tiles and 16-byte loads stay whole. */
static uint64_t middle(uint64_t a, uint64_t b)
{
	uint64_t half = (b - a) / 2;

	return a + (b - a > 64 ? (half + 63) / 64 * 64 : half);
}

/* part, with its range [*lo, *hi) cut in two; lo and hi point into part. */
static int halves(const struct gemm_run *run, const struct gemm_task *t, struct gemm_window *part, uint64_t *lo,
		  uint64_t *hi)
{
	uint64_t end = *hi, mid = middle(*lo, *hi);
	int rc;

	if (mid == *lo || mid == end)
		return run->host->fail(run->host, HLX_ENOTSUP, "one row of a matrix is larger than a binding");
	*hi = mid;
	rc = split(run, t, part);
	if (rc)
		return rc;
	*lo = mid;
	*hi = end;
	return split(run, t, part);
}

/* Between outer indices where z0 ... z1 spans several, so that a part's stretch is no longer than its matrices. */
static int split_batch(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	uint64_t step = w->z0 / t->dim1 == (w->z1 - 1) / t->dim1 ? 1 : t->dim1;
	uint64_t mid = (w->z0 + w->z1) / 2 / step * step;
	struct gemm_window lower = *w, upper = *w;
	int rc;

	if (mid <= w->z0)
		mid += step;
	lower.z1 = upper.z0 = mid;
	rc = split(run, t, &lower);
	return rc ? rc : split(run, t, &upper);
}

static bool too_big(struct stretch s, uint64_t room)
{
	return s.end - s.first > room;
}

static int split(const struct gemm_run *run, const struct gemm_task *t, const struct gemm_window *w)
{
	const struct hlx_caps *caps = run->host->caps;
	const struct gemm_engine *e = run->engine;
	uint64_t room = MIN(caps->max_range, UINT64_C(1) << 33) / 4; /* elements; 32-bit indices reach them all */
	bool big_a = too_big(part_a(t, w), room), big_b = too_big(part_b(t, w), room);
	bool big_c = too_big(part_c(t, w), room);
	uint64_t z = w->z1 - w->z0, m = w->m1 - w->m0, n = w->n1 - w->n0, k = w->k1 - w->k0;
	struct gemm_window p = *w;

	if (z > 1 && (big_a || big_b || big_c || z > caps->max_groups[2]))
		return split_batch(run, t, w);
	if (big_c || m / e->tile_m >= caps->max_groups[1] || (big_a && t->a.col == 1))
		return halves(run, t, &p, &p.m0, &p.m1);
	if (n / e->tile_n >= caps->max_groups[0] || (big_b && t->b.row == 1))
		return halves(run, t, &p, &p.n0, &p.n1);
	if (big_a || big_b || k > e->max_k)
		return halves(run, t, &p, &p.k0, &p.k1);
	return e->emit(run, t, w);
}

static int run_task(const struct gemm_run *run, const struct gemm_task *t)
{
	struct gemm_window all = { 0, t->z, 0, t->m, 0, t->n, 0, t->k };

	if ((t->m | t->n | t->k | t->z) >> 31)
		return run->host->fail(run->host, HLX_ENOTSUP, "a dim of 2^31 or more");
	return split(run, t, &all);
}

/* ---- passes ------------------------------------------------------------------------------------------- */

static int run_forward(const struct gemm_run *run)
{
	struct gemm_task t = gemm_task_forward(run->node);

	if (run->rec) /* prepare() does not know yet */
		gemm_finish_task(&t, run->node, false);
	return run_task(run, &t);
}

static int run_backward(const struct gemm_run *run)
{
	for (unsigned slot = GEMM_A; slot <= GEMM_WEIGHT; slot++)
		if (gemm_wants(run->node, slot)) {
			struct gemm_task t = gemm_task_grad(run->node, slot);
			if (run->rec && slot == GEMM_A)
				gemm_finish_task(&t, run->node, true);
			int rc = run_task(run, &t);
			if (rc)
				return rc;
		}
	return gemm_wants(run->node, GEMM_BIAS) ? gemm_run_dbias(run) : 0;
}

int gemm_prepare(const struct hlx_host *host, struct hlx_node *node, const struct gemm_engine *engine)
{
	struct gemm_run run = { host, node, NULL, engine };
	int rc = 0;

	for (unsigned slot = GEMM_A; rc == 0 && slot <= GEMM_C; slot++)
		if (slot != GEMM_WEIGHT && slot != GEMM_BIAS && node->desc[slot].rank)
			rc = gemm_check_strides(host, node, slot);
	if (rc == 0)
		rc = run_forward(&run);
	if (rc == 0 && node->train) {
		uint64_t accum = node->accum;
		node->accum |= 1ull << GEMM_A | 1ull << GEMM_B; /* known only in backward(): room for either */
		rc = run_backward(&run);
		node->accum = accum;
	}
	return rc;
}

int gemm_forward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		 const struct gemm_engine *engine)
{
	struct gemm_run run = { host, (struct hlx_node *)node, rec, engine };

	return run_forward(&run);
}

int gemm_backward(const struct hlx_host *host, const struct hlx_node *node, struct hlx_rec *rec,
		  const struct gemm_engine *engine)
{
	struct gemm_run run = { host, (struct hlx_node *)node, rec, engine };

	return run_backward(&run);
}
